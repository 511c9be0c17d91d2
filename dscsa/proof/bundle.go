// Package proof is the proof of one event, or one decision, of a tenant's
// custody, to be checked with nothing but public keys; docs/custody.md gives its
// form.
package proof

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/seal"
)

// Name is the end of the origin of a tenant's chain in checkpoints.
func Name(tenant uuid.UUID) string { return "custody/" + tenant.String() }

// TenantOf reads the tenant out of the origin of a custody chain. False: the
// origin is of something else.
func TenantOf(origin string) (uuid.UUID, bool) {
	rest, last := "", strings.LastIndexByte(origin, '/')
	if last >= 0 {
		rest = origin[:last]
	}
	tenant, err := uuid.Parse(origin[last+1:])
	return tenant, err == nil && strings.HasSuffix(origin, "/"+Name(tenant)) && rest != ""
}

// Record is an entry of the chain as it is hashed after the hash before it and
// a zero byte: version 1, sequence, microseconds since 1970, kind, and the
// hash of what it covers.
func Record(seq int64, at time.Time, kind int16, content [32]byte) []byte {
	b := binary.BigEndian.AppendUint64([]byte{1}, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMicro()))
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	return append(b, content[:]...)
}

const (
	recordLength = 1 + 8 + 8 + 2 + 32
	kindEvent    = 2
	headLength   = 8 + 4 + 32 // of an event's content, before the body
)

// BundleFormat names the form of a Bundle of an event.
const BundleFormat = "recourse-custody-proof/1"

// Bundle proves one entry without a database: its bytes, where they stand in
// the tree, and the signed root. In JSON, byte strings are base64.
type Bundle struct {
	Format  string    `json:"format"`
	Tenant  uuid.UUID `json:"tenant"`             // for people; the checkpoint's origin has it again
	EventID string    `json:"event_id,omitempty"` // of an event, for people; the content has it again
	Seq     int64     `json:"seq"`
	Record  []byte    `json:"record"`  // the entry's canonical bytes
	Content []byte    `json:"content"` // what the record has the hash of: document, ordinal, CBV hash, body

	seal.Proof
}

// ParseBundle reads a bundle.
func ParseBundle(raw []byte) (Bundle, error) {
	var b Bundle
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("this is not a proof bundle: %w", err)
	}
	if b.Format != BundleFormat && b.Format != DecisionFormat {
		return b, fmt.Errorf("this is not a proof bundle of format %s or %s", BundleFormat, DecisionFormat)
	}
	return b, nil
}

// Facts are what a bundle proves, for people.
type Facts struct {
	EventID    string          `json:"event_id"`
	Origin     string          `json:"origin"`
	Seq        int64           `json:"seq"`
	RecordedAt time.Time       `json:"recorded_at"`
	Document   int64           `json:"document"` // sequence of the document it first came in; 0: none
	Ordinal    int32           `json:"ordinal"`  // its place there, from 1
	CBVHash    string          `json:"cbv_hash"`
	Event      json.RawMessage `json:"event"` // whole, as it is kept
	Size       int64           `json:"checkpoint_size"`
	Witnesses  []string        `json:"witnesses"`
}

// Verify proves the event with nothing but the bundle and public keys. Every
// witness that is named must have co-signed.
func (b Bundle) Verify(log seal.PublicKey, witnesses ...seal.PublicKey) (Facts, error) {
	c := b.Content
	if b.Format != BundleFormat || len(c) <= headLength {
		return Facts{}, errors.New("this is not the proof of an event")
	}
	entry, err := b.entry(kindEvent, log, witnesses...)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{
		EventID: b.EventID, Origin: entry.origin, Seq: entry.seq, RecordedAt: entry.at, Size: entry.size, Witnesses: entry.witnesses,
		Document: int64(binary.BigEndian.Uint64(c)), Ordinal: int32(binary.BigEndian.Uint32(c[8:])),
		CBVHash: "ni:///sha-256;" + hex.EncodeToString(c[12:headLength]) + "?ver=CBV2.0", Event: c[headLength:],
	}
	var named struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(f.Event, &named); err != nil {
		return Facts{}, fmt.Errorf("the event cannot be read: %w", err)
	}
	if named.ID == "" {
		named.ID = f.CBVHash // of an event that came without one
	}
	if named.ID != b.EventID {
		return Facts{}, errors.New("the record is of another event than the bundle says")
	}
	return f, nil
}

// proven is what is proved of an entry, whatever it is of.
type proven struct {
	origin    string
	seq       int64
	at        time.Time
	size      int64
	witnesses []string
}

// entry proves that the content is what stands under the sequence in the
// tenant's chain.
func (b Bundle) entry(kind uint16, log seal.PublicKey, witnesses ...seal.PublicKey) (p proven, err error) {
	r := b.Record
	if len(r) != recordLength || r[0] != 1 || binary.BigEndian.Uint16(r[17:]) != kind {
		return p, errors.New("the record is not the entry of what the bundle says")
	}
	if sum := sha256.Sum256(b.Content); !bytes.Equal(sum[:], r[19:]) {
		return p, errors.New("the content is not what the record has the hash of: something of it was changed")
	}
	p = proven{seq: int64(binary.BigEndian.Uint64(r[1:])), at: time.UnixMicro(int64(binary.BigEndian.Uint64(r[9:]))).UTC(), witnesses: []string{}}
	if p.seq != b.Seq {
		return p, errors.New("the record is of another sequence than the bundle says")
	}
	_, checkpoint, err := b.Proof.Verify(p.seq, r, log, witnesses...)
	if err != nil {
		return p, fmt.Errorf("entry %d: %w", p.seq, err)
	}
	if tenant, ok := TenantOf(checkpoint.Origin); !ok || tenant != b.Tenant {
		return p, fmt.Errorf("the checkpoint is of %s, not of this tenant's custody", checkpoint.Origin)
	}
	p.origin, p.size = checkpoint.Origin, checkpoint.Size
	for _, w := range checkpoint.Cosigned {
		p.witnesses = append(p.witnesses, w.Name)
	}
	return p, nil
}
