// Package postgres seals chains that are in Postgres and holds them against
// what was sealed. It knows no table: whoever keeps a chain (the ledger, and
// custody) gives the statements, and one code seals, proves and checks all.
//
//	Statements  the queries of one kind of chains, a file each
//	Seals       what the sealer reads and writes: what is due, checkpoints, cosignatures
//	Check       an audit's tree against stored and kept checkpoints and tiles
//
// Invariants. Nothing is signed that does not continue the last checkpoint
// stored and every one the caller knows; the database takes a checkpoint only
// after the one it was computed on, so that two sealers at once do no harm.
package postgres
