package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/seal"
)

// BundleFormat names the form of a Bundle.
const BundleFormat = "recourse-audit-proof/1"

// Bundle proves one action without a database: its bytes, where they stand in
// the tree, and the signed root. In JSON, byte strings are base64.
type Bundle struct {
	Format string    `json:"format"`
	Tenant uuid.UUID `json:"tenant"` // for people; the checkpoint's origin has it again
	Seq    int64     `json:"seq"`    // for people; the record has it again
	Record []byte    `json:"record"` // canonical bytes

	seal.Proof
}

// NewBundle puts a proof together.
func NewBundle(tenant uuid.UUID, a *Action, p seal.Proof) Bundle {
	return Bundle{Format: BundleFormat, Tenant: tenant, Seq: a.Seq, Record: a.AppendCanonical(nil), Proof: p}
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

// Facts are what a bundle proves, for people.
type Facts struct {
	Origin     string    `json:"origin"`
	Seq        int64     `json:"seq"`
	RecordedAt time.Time `json:"recorded_at"`
	Actor      string    `json:"actor"`
	Role       string    `json:"role"`
	Operation  string    `json:"operation"`
	Path       string    `json:"path"`
	RequestID  string    `json:"request_id"`
	Remote     string    `json:"remote"`
	Status     int32     `json:"status"`
	Request    string    `json:"request_sha256"`
	Answer     string    `json:"answer_sha256"`
	Size       int64     `json:"checkpoint_size"`
	Witnesses  []string  `json:"witnesses"`
}

// Verify proves the action with nothing but the bundle and public keys. Every
// witness that is named must have co-signed.
func (b Bundle) Verify(log seal.PublicKey, witnesses ...seal.PublicKey) (Facts, error) {
	a, err := ParseCanonical(b.Record)
	if err != nil {
		return Facts{}, err
	}
	if a.Seq != b.Seq {
		return Facts{}, errors.New("the record is of another action than the bundle says")
	}
	_, checkpoint, err := b.Proof.Verify(a.Seq, b.Record, log, witnesses...)
	if err != nil {
		return Facts{}, fmt.Errorf("action %d: %w", b.Seq, err)
	}
	if tenant, ok := TenantOf(checkpoint.Origin); !ok || tenant != b.Tenant {
		return Facts{}, fmt.Errorf("the checkpoint is of %s, not of this tenant's audit log", checkpoint.Origin)
	}
	f := Facts{
		Origin: checkpoint.Origin, Seq: a.Seq, RecordedAt: a.RecordedAt, Actor: a.Actor, Role: a.Role, Operation: a.Operation, Path: a.Path,
		RequestID: a.RequestID, Remote: a.Remote, Status: a.Status, Request: hex.EncodeToString(a.Request[:]), Answer: hex.EncodeToString(a.Answer[:]),
		Size: checkpoint.Size, Witnesses: []string{},
	}
	for _, w := range checkpoint.Cosigned {
		f.Witnesses = append(f.Witnesses, w.Name)
	}
	return f, nil
}
