// Package expiry ends holds that are past their time: pending transactions
// whose expires_at has come and that nobody has posted or voided.
//
//	pending ──► posted, voided                   by whoever holds it, before its time
//	   └──────► due ──► expired ──► forgotten    by the Loop, one leader
//
// Invariants. A hold ends exactly once: by the index of what resolves what, not
// by anything here. Its expiry has an id derived from the hold's, so that two
// leaders for a moment, and one that was killed after the commit, name the same
// transaction. Every book gets its turn in every round, with a bounded number
// of holds.
//
// What happens on failure. Postgres away or a book locked: the round reports it
// and the next one is the retry; other books are not held up. The leader dies:
// another takes the lease within ten seconds. No worker runs: holds stay, and
// count against what is available, but nobody can post them any more; they
// expire when one is back. A clock of the worker that is behind the database's
// finds a hold not expired yet: it stays due.
package expiry
