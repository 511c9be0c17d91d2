//go:build mutant_register_after

package saga

const registerFirst = false
