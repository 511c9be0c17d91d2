package sealer

// Unlock takes the append-only attribute away again, so that a test's folder
// can be removed.
func Unlock(dir string) { unlock(dir) }
