// Package sealer signs checkpoints of every book and of every tenant's
// custody and audit log, one process of several at a time, and carries them out of the database's reach: into a directory where
// files are only added, and to witnesses that co-sign.
//
//	chain moved ──► tree continues all that was signed ──► signed ──► stored ──► kept as a file
//	                     └─ no: ALARM, nothing signed            └──► witnesses ──► cosignatures stored
//
// Invariants. Nothing is signed before it is proved to continue the last
// checkpoint in the database and the last one in the directory; two sealers
// for a moment do no harm, because the database takes a checkpoint only after
// the one it was computed on. Signing and storing are not one step: what was
// signed and not stored is consistent with what will be.
//
// What happens on failure. A chain that does not continue is left alone, with an
// alarm every round, and the others go on. A witness that is away is asked
// again every round. The leader dies: another takes the lease within ten
// seconds. No sealer runs: nothing is lost, the time between two checkpoints,
// in which an edit would not be found, grows.
package sealer
