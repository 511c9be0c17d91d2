// Package ledgerbench measures the ledger on a Postgres of its own, every
// commit on disk, with the baseline in the same run on the same server: the
// best SQL we can write by hand that does the same without a chain, one
// transaction a transfer.
package ledgerbench
