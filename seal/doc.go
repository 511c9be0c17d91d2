// Package seal makes a chain provable to somebody who trusts neither the
// program nor whoever runs its database: a book's transactions, a tenant's
// custody. It is plain Go and knows neither: no database, no HTTP.
//
// A chain is gap-free from sequence 1, and the hash of an entry is
// SHA-256(hash before || 0x00 || record). The entries are the leaves of an RFC
// 6962 Merkle tree, in the order of their sequence: leaf i is the leaf hash of
// the chain hash of sequence i+1. A checkpoint says how large the tree is and what its root is,
// and is signed (C2SP tlog-checkpoint and signed-note); witnesses co-sign it
// (C2SP tlog-cosignature) after they have seen a proof that it continues the
// one before. docs/ledger-format.md has every byte; docs/custody.md what is custody's own.
//
//	Frontier    the root at every size, while leaves come by, in O(log n) memory
//	Tiler       the tiles of 256 hashes that storage keeps
//	Source      where stored hashes come from; Root and the proofs read it
//	Checkpoint  what is signed; Key signs, PublicKey opens
//	Proof       that one record is in the chain that was signed, offline
//	Submission  what a witness is sent
//
// Invariants: nothing is signed here that was not passed in; whoever signs
// proves consistency first (Advance). What does not verify is an error that
// says which part did not, never a false.
package seal
