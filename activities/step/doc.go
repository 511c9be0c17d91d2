// Package step runs one step of a saga: at least once, with an effect at most once.
//
// A step has two operations, do and undo. Each is one row of the saga's book,
// unique (saga, step, op): the barrier. The row is written before the effect
// (the intent) and settled after it, together with the ledger postings the
// effect causes, in one database transaction.
//
//	do:    running ──► succeeded | refused
//	          └──────► abandoned            (undo came while the outcome was unknown)
//	       (none) ───► abandoned            (undo came first: null compensation)
//	undo:  running ──► succeeded | skipped  (skipped: there was nothing to undo)
//	          └──────► attention            (retries exhausted; two people decide)
//
// Invariants: a do that finds its row abandoned has no effect (a dangling
// action is refused); an undo that finds no do row writes it abandoned, so
// that a late do is refused; a settled row never changes again.
//
// What happens on failure. An effect answers in one of four ways. Success and
// Refused are facts and settle the row. Transient means nothing happened: the
// same key is sent again. Unknown means nobody knows: the same key is sent
// again or the effect is looked up, and when the time for it is over the
// step's undo finds out and undoes it. A fifth answer, Waiting, is no failure:
// nothing happened because somebody else's turn it is.
//
// An effect in our own database happens in the settlement: the book may refuse
// it there, and then the step is refused and nothing of it is kept.
package step
