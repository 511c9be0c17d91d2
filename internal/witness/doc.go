// Package witness co-signs the checkpoints of ledgers (C2SP tlog-witness): a
// process of its own, with a key of its own, best run by somebody else.
//
//	submission ──► known origin, signed by its log ──► old size is ours ──► proof holds
//	           ──► written to disk ──► co-signed
//
// Invariants. For each origin there is one line of trees, each continuing the
// one before, for ever: what was co-signed is on disk before the answer
// leaves, submissions are taken one after another, and a state file that was
// there cannot be made anew by accident. It holds no ledger data.
//
// What happens on failure. The state cannot be written: 500, nothing is
// co-signed. The process dies: what it answered is on disk. The state is lost:
// the key must be retired with it, because a witness that has forgotten could
// be shown another history.
package witness
