// Package faults breaks the running product while orders come in, heals it, and
// lets the checker of package harness hold the database against the books of
// the simulators. A row that never hit is a failed row: it has shown nothing.
package faults
