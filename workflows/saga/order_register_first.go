//go:build !mutant_register_after

package saga

// registerFirst: a step's undo is registered before the step runs. The build
// tag mutant_register_after plants the classic mistake, to show that the tests
// find it.
const registerFirst = true
