package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// The chain: each transaction's hash covers everything recorded of it and the
// hash before it, so that nothing can be changed, left out or put in without
// every later hash changing. docs/ledger-format.md gives the bytes.

// formatVersion is the first byte of a transaction's canonical bytes.
const formatVersion = 1

// Genesis is what the first transaction of a book follows. It binds the chain
// to its tenant and legal entity.
func (b Book) Genesis() [32]byte {
	h := sha256.New()
	h.Write([]byte("recourse ledger book 1"))
	h.Write([]byte{0})
	h.Write(b.Tenant[:])
	h.Write([]byte(b.Entity))
	return [32]byte(h.Sum(nil))
}

// AppendCanonical appends the transaction's canonical bytes, version 1: all
// integers big-endian, times in microseconds and dates in days since 1970,
// UTC, texts in UTF-8 after all their lengths, lines in order.
func (r *Recorded) AppendCanonical(b []byte) []byte {
	b = append(b, formatVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(r.RecordedAt.UnixMicro()))
	b = append(b, r.ID[:]...)
	b = append(b, r.Resolves[:]...)
	b = append(b, r.Reverses[:]...)
	expires := int64(0)
	if !r.ExpiresAt.IsZero() {
		expires = r.ExpiresAt.UnixMicro()
	}
	b = binary.BigEndian.AppendUint64(b, uint64(expires))
	b = binary.BigEndian.AppendUint32(b, uint32(days(r.EffectiveOn)))
	b = binary.BigEndian.AppendUint32(b, uint32(days(r.Period)))
	texts := [...]string{string(r.Kind), r.Purpose, r.Actor, r.Reason, r.SagaID, r.OrderRef, r.Document, r.Approval}
	for _, s := range texts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
	}
	for _, s := range texts {
		b = append(b, s...)
	}
	for i := range r.Lines {
		b = r.Lines[i].AppendCanonical(b)
	}
	return b
}

// AppendCanonical appends the line's part of the canonical bytes.
func (l *Line) AppendCanonical(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(l.Number))
	b = binary.BigEndian.AppendUint16(b, uint16(len(l.Account)))
	b = append(b, l.Account...)
	b = append(b, l.Currency...)
	b = append(b, l.Side...)
	b = append(b, l.Layer...)
	for _, n := range [...]int64{l.Amount, l.PostedAfter, l.HeldDebitsAfter, l.HeldCreditsAfter} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return b
}

// ChainHash is the transaction's hash after prev: SHA-256 of prev, a zero byte
// and the canonical bytes. buf is scratch space, returned for the next call.
func (r *Recorded) ChainHash(prev [32]byte, buf []byte) (hash [32]byte, scratch []byte) {
	buf = append(buf[:0], prev[:]...)
	buf = append(buf, 0)
	buf = r.AppendCanonical(buf)
	return sha256.Sum256(buf), buf
}

func days(t time.Time) int32 { return int32(Date(t).Unix() / 86400) }
