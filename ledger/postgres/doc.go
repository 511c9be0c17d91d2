// Package postgres keeps the ledger in Postgres. Everything is written through
// two functions of the database, ledger.open_accounts and ledger.post, which
// hold the rules again for every program; see the migration for them.
//
// Invariants: a batch that committed is in the books whole, transaction by
// transaction as its results say; batches of one tenant follow one another,
// because the tenant's head row is locked first and then its accounts in order
// of id, so that there is nothing to deadlock on.
//
// What people post names the approval that allows it, and is held against its
// payload when the transaction commits. Periods go
//
//	open ──► soft_closed ──► closed ──► reopened ──► closed (next version)
//
// with the book locked, so that every transaction counts in exactly one; what
// was frozen at a close is kept.
//
// What happens on failure: a refused transaction leaves no trace and its
// result says why. When the connection is lost and nobody knows whether the
// commit happened, post the same batch again: what is there answers
// ledger.Exists. A tenant's accounts in a currency are opened by the first
// batch that needs them, in its own transaction.
//
// Reports read through cursors, a thousand rows at a time, in one snapshot.
// What they report is held against the balances while it is read: a general
// ledger that does not come to its trial balance is an error, not a report.
package postgres
