package seal

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Proof proves that a record is in a chain that was sealed. In JSON, byte
// strings are base64.
type Proof struct {
	Previous   []byte   `json:"previous"`   // the chain's hash before the record
	Inclusion  [][]byte `json:"inclusion"`  // hashes from the leaf's neighbour to the root
	Checkpoint string   `json:"checkpoint"` // signed note with what witnesses added
}

// NewProof puts a proof together. signed is the checkpoint whose tree the
// inclusion proof is in.
func NewProof(prev [32]byte, inclusion []Hash, signed []byte) Proof {
	p := Proof{Previous: prev[:], Inclusion: [][]byte{}, Checkpoint: string(signed)}
	for _, h := range inclusion {
		p.Inclusion = append(p.Inclusion, h[:])
	}
	return p
}

// Verify proves that the record stands under a sequence in what the log's key
// signed, and returns its hash in the chain. Every witness that is named must
// have co-signed.
func (p Proof) Verify(seq int64, record []byte, log PublicKey, witnesses ...PublicKey) (hash [32]byte, checkpoint Opened, err error) {
	if len(p.Previous) != 32 {
		return hash, checkpoint, errors.New("the hash before the record has not 32 bytes")
	}
	if checkpoint, err = Open([]byte(p.Checkpoint), log, witnesses...); err != nil {
		return hash, checkpoint, err
	}
	if seq < 1 || seq > checkpoint.Size {
		return hash, checkpoint, fmt.Errorf("sequence %d is not among the %d of the checkpoint", seq, checkpoint.Size)
	}
	inclusion := make(tlog.RecordProof, len(p.Inclusion))
	for i, h := range p.Inclusion {
		if len(h) != len(Hash{}) {
			return hash, checkpoint, errors.New("a hash of the inclusion proof has not 32 bytes")
		}
		inclusion[i] = Hash(h)
	}
	hash = sha256.Sum256(append(append(append([]byte{}, p.Previous...), 0), record...))
	if err := tlog.CheckRecord(inclusion, checkpoint.Size, checkpoint.Root, seq-1, Leaf(hash)); err != nil {
		return hash, checkpoint, fmt.Errorf("sequence %d is not in the tree that was signed: %w", seq, err)
	}
	for _, w := range witnesses {
		if !hasCosigned(checkpoint, w) {
			return hash, checkpoint, fmt.Errorf("the witness %s has not co-signed the checkpoint at %d", w.Name, checkpoint.Size)
		}
	}
	return hash, checkpoint, nil
}

func hasCosigned(c Opened, w PublicKey) bool {
	for _, s := range c.Cosigned {
		if s.Name == w.Name {
			return true
		}
	}
	return false
}
