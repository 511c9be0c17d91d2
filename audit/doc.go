// Package audit is the log of who changed what: one chain a tenant, gap-free
// and append-only, sealed and witnessed as the books are. docs/audit.md gives
// its bytes.
//
//	request under a key ──► done, answer stored, action appended: one transaction
//	                             └─► hash on the one before ──► sealed ──► proved to anybody
//
// Invariants. An action is there if and only if what it tells of is: both are
// of one transaction. Requests that only read, or were refused before they had
// a key, leave none. What has a chain of its own is not told twice: a posting
// by the API is its own record in the books, a captured document in custody;
// both carry their actor.
//
// What happens on failure. Of a commit whose outcome was not learned the repeat
// under the same key finds the answer and appends nothing. A log that was cut
// or edited is found by recourse verify, at the first bad sequence, and the
// sealer signs nothing on it.
package audit
