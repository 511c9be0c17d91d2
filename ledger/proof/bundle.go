// Package proof is the proof of one transaction of a book, to be checked with
// nothing but public keys; docs/ledger-format.md gives its form.
package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/seal"
)

// BundleFormat names the form of a Bundle.
const BundleFormat = "recourse-ledger-proof/1"

// Bundle proves one transaction without a database: its bytes, where they
// stand in the tree, and the signed root. In JSON, byte strings are base64.
type Bundle struct {
	Format      string `json:"format"`
	Transaction string `json:"transaction"` // its id, for people; the record has it again
	Seq         int64  `json:"seq"`
	Record      []byte `json:"record"` // canonical bytes

	seal.Proof
}

// NewBundle puts a proof together.
func NewBundle(r *ledger.Recorded, p seal.Proof) Bundle {
	return Bundle{Format: BundleFormat, Transaction: r.ID.String(), Seq: r.Seq, Record: r.AppendCanonical(nil), Proof: p}
}

// Proven is what a bundle proves.
type Proven struct {
	Record     *ledger.Recorded
	Hash       [32]byte // in the chain
	Checkpoint seal.Opened
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
func (b Bundle) Verify(log seal.PublicKey, witnesses ...seal.PublicKey) (Proven, error) {
	record, err := ledger.ParseCanonical(b.Record)
	if err != nil {
		return Proven{}, err
	}
	if record.ID.String() != b.Transaction || record.Seq != b.Seq {
		return Proven{}, errors.New("the record is of another transaction than the bundle says")
	}
	hash, checkpoint, err := b.Proof.Verify(record.Seq, b.Record, log, witnesses...)
	if err != nil {
		return Proven{}, fmt.Errorf("transaction %s: %w", b.Transaction, err)
	}
	return Proven{Record: record, Hash: hash, Checkpoint: checkpoint}, nil
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
