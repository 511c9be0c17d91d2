package postgres_test

import (
	"os"
	"testing"
)

// long is how much of something a test does: enough to find what is broken,
// or, with RECOURSE_LONG=1, as much as is claimed of the ledger.
func long(t *testing.T, regular, claimed int) int {
	t.Helper()
	if os.Getenv("RECOURSE_LONG") != "" {
		return claimed
	}
	t.Logf("%d of %d: RECOURSE_LONG=1 does them all", regular, claimed)
	return regular
}
