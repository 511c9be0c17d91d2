// Package ledger is the rules of the books, in plain Go: money, accounts,
// transactions and what makes one acceptable. It knows no database, no HTTP
// and no workflow.
//
// A transaction moves through
//
//	posted                               final at once
//	pending ──► post_pending             final, fully or in part
//	        └─► void_pending             released
//	posted ───► posted (Reverses)        taken back, once
//
// Invariants: every transaction balances in each currency; an account's
// balance is the sum of its entries; a pending transaction is resolved at most
// once and a posted one reversed at most once; nothing is ever changed, a
// correction is a new linked transaction. The store holds them again in the
// database, so that they hold for every program.
//
// What happens on failure: a batch is posted transaction by transaction; one
// that breaks a rule is refused with its own Outcome and leaves no trace, the
// others stand. When the outcome of a commit is unknown, post the same batch
// again: what is there answers Exists.
package ledger
