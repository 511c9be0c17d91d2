package seal

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/recourse/recourse/ledger"
)

// BundleFormat names the form of a Bundle.
const BundleFormat = "recourse-ledger-proof/1"

// Bundle proves one transaction without a database: its bytes, where they
// stand in the tree, and the signed root. In JSON, byte strings are base64.
type Bundle struct {
	Format      string   `json:"format"`
	Transaction string   `json:"transaction"` // its id, for people; the record has it again
	Seq         int64    `json:"seq"`
	Record      []byte   `json:"record"`     // canonical bytes
	Previous    []byte   `json:"previous"`   // the chain's hash before it
	Inclusion   [][]byte `json:"inclusion"`  // hashes from the leaf's neighbour to the root
	Checkpoint  string   `json:"checkpoint"` // signed note with what witnesses added
}

// NewBundle puts a proof together. prev is the chain's hash before the
// transaction; signed the checkpoint whose tree the inclusion proof is in.
func NewBundle(r *ledger.Recorded, prev [32]byte, inclusion []Hash, signed []byte) Bundle {
	b := Bundle{
		Format: BundleFormat, Transaction: r.ID.String(), Seq: r.Seq, Record: r.AppendCanonical(nil), Previous: prev[:],
		Inclusion: [][]byte{}, Checkpoint: string(signed),
	}
	for _, h := range inclusion {
		b.Inclusion = append(b.Inclusion, h[:])
	}
	return b
}

// Proven is what a bundle proves.
type Proven struct {
	Record     *ledger.Recorded
	Hash       [32]byte // in the chain
	Checkpoint Opened
}

// Facts are what a bundle proves, for people.
type Facts struct {
	Transaction string        `json:"transaction"`
	Origin      string        `json:"origin"`
	Seq         int64         `json:"seq"`
	RecordedAt  time.Time     `json:"recorded_at"`
	Kind        string        `json:"kind"`
	Purpose     string        `json:"purpose"`
	Actor       string        `json:"actor"`
	Reason      string        `json:"reason,omitempty"`
	SagaID      string        `json:"saga_id,omitempty"`
	OrderRef    string        `json:"order_ref,omitempty"`
	Document    string        `json:"document,omitempty"`
	Approval    string        `json:"approval_id,omitempty"`
	Lines       []ledger.Line `json:"lines"`
	Size        int64         `json:"checkpoint_size"`
	Witnesses   []string      `json:"witnesses"`
}

// ParseBundle reads a bundle.
func ParseBundle(raw []byte) (Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("this is not a proof bundle: %w", err)
	}
	if b.Format != BundleFormat {
		return b, fmt.Errorf("this is not a proof bundle of format %s", BundleFormat)
	}
	return b, nil
}

// Verify proves the transaction with nothing but the bundle and public keys.
// Every witness that is named must have co-signed.
func (b Bundle) Verify(log PublicKey, witnesses ...PublicKey) (Proven, error) {
	record, err := ledger.ParseCanonical(b.Record)
	if err != nil {
		return Proven{}, err
	}
	if record.ID.String() != b.Transaction || record.Seq != b.Seq {
		return Proven{}, errors.New("the record is of another transaction than the bundle says")
	}
	if len(b.Previous) != 32 {
		return Proven{}, errors.New("the hash before the record has not 32 bytes")
	}
	checkpoint, err := Open([]byte(b.Checkpoint), log, witnesses...)
	if err != nil {
		return Proven{}, err
	}
	if record.Seq < 1 || record.Seq > checkpoint.Size {
		return Proven{}, fmt.Errorf("sequence %d is not among the %d transactions of the checkpoint", record.Seq, checkpoint.Size)
	}
	proof := make(tlog.RecordProof, len(b.Inclusion))
	for i, h := range b.Inclusion {
		if len(h) != len(Hash{}) {
			return Proven{}, errors.New("a hash of the inclusion proof has not 32 bytes")
		}
		proof[i] = Hash(h)
	}
	hash := sha256.Sum256(append(append(append([]byte{}, b.Previous...), 0), b.Record...))
	if err := tlog.CheckRecord(proof, checkpoint.Size, checkpoint.Root, record.Seq-1, Leaf(hash)); err != nil {
		return Proven{}, fmt.Errorf("transaction %s is not in the tree that was signed: %w", b.Transaction, err)
	}
	for _, w := range witnesses {
		if !hasCosigned(checkpoint, w) {
			return Proven{}, fmt.Errorf("the witness %s has not co-signed the checkpoint at %d", w.Name, checkpoint.Size)
		}
	}
	return Proven{Record: record, Hash: hash, Checkpoint: checkpoint}, nil
}

func hasCosigned(c Opened, w PublicKey) bool {
	for _, s := range c.Cosigned {
		if s.Name == w.Name {
			return true
		}
	}
	return false
}

// Facts are the proven facts, for people.
func (p Proven) Facts() Facts {
	r := p.Record
	f := Facts{
		Transaction: r.ID.String(), Origin: p.Checkpoint.Origin, Seq: r.Seq, RecordedAt: r.RecordedAt, Kind: string(r.Kind),
		Purpose: r.Purpose, Actor: r.Actor, Reason: r.Reason, SagaID: r.SagaID, OrderRef: r.OrderRef, Document: r.Document,
		Approval: r.Approval, Lines: r.Lines, Size: p.Checkpoint.Size, Witnesses: []string{},
	}
	for _, c := range p.Checkpoint.Cosigned {
		f.Witnesses = append(f.Witnesses, c.Name)
	}
	return f
}
