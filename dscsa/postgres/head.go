package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/proof"
)

// head is the head of a tenant's chain.
type head struct {
	id   int32
	seq  int64
	hash [32]byte
	last int64     // the last item's number
	at   time.Time // of the entries to come
}

// lock opens custody of a tenant for writing: nobody else writes until the
// transaction ends.
func lock(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) (*session, error) {
	s := &session{tx: tx, tenant: tenant}
	var hash []byte
	if err := tx.QueryRow(ctx, sqlLock, tenant).Scan(&s.id, &s.seq, &hash, &s.last, &s.at); err != nil {
		return nil, fmt.Errorf("lock custody: %w", err)
	}
	copy(s.hash[:], hash)
	return s, nil
}

// Kinds of entries.
const (
	kindDocument int16 = iota + 1
	kindEvent
	kindDecision
)

// entries is what a batch adds to the chain.
type entries struct {
	kinds    []int16
	contents [][32]byte
	hashes   [][32]byte
}

func (e *entries) add(kind int16, content [32]byte) {
	e.kinds, e.contents = append(e.kinds, kind), append(e.contents, content)
}

// chain computes the hashes on top of a head; docs/custody.md gives the bytes.
func (e *entries) chain(h *head) {
	prev := h.hash
	var buf [85]byte
	for i, kind := range e.kinds {
		prev = entryHash(&buf, prev, h.seq+int64(i)+1, h.at, kind, e.contents[i])
		e.hashes = append(e.hashes, prev)
	}
}

func entryHash(buf *[85]byte, prev [32]byte, seq int64, at time.Time, kind int16, content [32]byte) [32]byte {
	b := append(buf[:0], prev[:]...)
	b = append(b, 0, 1)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	b = binary.BigEndian.AppendUint64(b, uint64(at.UnixMicro()))
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	return sha256.Sum256(append(b, content[:]...))
}

// genesis is what the first entry of a tenant's chain follows.
func genesis(tenant uuid.UUID) [32]byte {
	h := sha256.New()
	h.Write([]byte("recourse custody chain 1"))
	h.Write([]byte{0})
	h.Write(tenant[:])
	return [32]byte(h.Sum(nil))
}

func documentContent(d *dscsa.Document) [32]byte {
	h := sha256.New()
	h.Write(d.SHA256[:])
	h.Write(int64Param(d.Size))
	texts := [...]string{string(d.Direction), string(d.Format), d.Sender, d.Receiver, d.Credential, d.Saga, string(d.Verdict), d.Findings}
	for _, t := range texts {
		h.Write(int32Param(int32(len(t))))
	}
	for _, t := range texts {
		h.Write([]byte(t))
	}
	return [32]byte(h.Sum(nil))
}

// decision is what a person or a rule decided.
type decision struct {
	kind, actor, reason string
	body                []byte
}

func decisionContent(d *decision) [32]byte {
	return sha256.Sum256(proof.DecisionContent(d.kind, d.actor, d.reason, d.body))
}
