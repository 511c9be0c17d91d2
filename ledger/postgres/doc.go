// Package postgres keeps the ledger in Postgres. Everything is written through
// two functions of the database, ledger.open_accounts and ledger.post, which
// hold the rules again for every program; see the migration for them.
//
// Invariants: a batch that committed is in the books whole, transaction by
// transaction as its results say; batches of one tenant follow one another,
// because the tenant's head row is locked first and then its accounts in order
// of id, so that there is nothing to deadlock on.
//
// Seals is the sealer's store: the tree's tiles, checkpoints and cosignatures,
// which only ever grow. Audit believes nothing that is stored: it recomputes
// every book in one pass and holds it against everything that was sealed.
//
// What happens on failure: a refused transaction leaves no trace and its
// result says why. When the connection is lost and nobody knows whether the
// commit happened, post the same batch again: what is there answers
// ledger.Exists. A tenant's accounts in a currency are opened by the first
// batch that needs them, in its own transaction.
package postgres
