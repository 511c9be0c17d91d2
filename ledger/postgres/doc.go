// Package postgres keeps the ledger in Postgres. Everything is written through
// functions of the database that belong to a role nobody can log in as; the
// door is ledger.post_batch, which holds the rules again for every program. See
// the migrations for them.
//
// # Posting
//
// All callers of a process that post to one book are served by one writer,
// which gathers what waits into a trip: one round trip, one commit. The writer
// remembers the book's head and the accounts it has met, computes sequence,
// balances and hashes on them, and sends the next trip before the last one has
// come back:
//
//	waiting ──► under way ──► posted
//	                │
//	                ├─► refused: the head has moved, an id is there, something
//	                │   is wrong ──► looked up and posted with the book locked
//	                └─► nobody knows ──► fenced off, looked up, posted if it is
//	                    not there
//
// Invariants: what an answer says is committed; batches of one book follow one
// another, because the door takes only what follows from the head as it is; a
// transaction that is refused leaves no trace and concerns its caller alone.
// Only the book's head is locked, so there is nothing to deadlock on but an id
// that is posted twice at once, and that is tried again.
//
// What happens on failure: when the connection is lost, the writer moves the
// book's version, so that what may still be on its way is refused, and then
// looks the ids up. When the database does not answer for long, callers get
// ledger.ErrOutcomeUnknown and post the same again: what is there answers
// ledger.Exists. When it answers that it cannot just now, nothing was posted
// and callers get ledger.ErrBusy, as they do when too many wait.
//
// # People and periods
//
// What people post names the approval that allows it, and is held against its
// payload when the transaction commits. Periods go
//
//	open ──► soft_closed ──► closed ──► reopened ──► closed (next version)
//
// with the book locked, so that every transaction counts in exactly one; what
// was frozen at a close is kept.
//
// # Proof
//
// Seals is the sealer's store: the tree's tiles, checkpoints and cosignatures,
// which only ever grow. Audit believes nothing that is stored: it recomputes
// every book in one pass and holds it against everything that was sealed.
package postgres
