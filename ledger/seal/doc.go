// Package seal makes a book provable to somebody who trusts neither the
// program nor whoever runs its database. It is plain Go: no database, no HTTP.
//
// The transactions of a book are the leaves of an RFC 6962 Merkle tree, in the
// order of their sequence: leaf i is the leaf hash of the chain hash of
// sequence i+1. A checkpoint says how large the tree is and what its root is,
// and is signed (C2SP tlog-checkpoint and signed-note); witnesses co-sign it
// (C2SP tlog-cosignature) after they have seen a proof that it continues the
// one before. docs/ledger-format.md has every byte.
//
//	Frontier    the root at every size, while leaves come by, in O(log n) memory
//	Tiler       the tiles of 256 hashes that storage keeps
//	Source      where stored hashes come from; Root and the proofs read it
//	Checkpoint  what is signed; Key signs, PublicKey opens
//	Bundle      one transaction with all it takes to prove it offline
//	Submission  what a witness is sent
//
// Invariants: nothing is signed here that was not passed in; whoever signs
// proves consistency first (Advance). What does not verify is an error that
// says which part did not, never a false.
package seal
