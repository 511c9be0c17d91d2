package ledger

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"
)

// ErrCanonical means that bytes are not one transaction's canonical bytes.
var ErrCanonical = errors.New("these are not the canonical bytes of a transaction (docs/ledger-format.md)")

// ParseCanonical reads a transaction back from its canonical bytes. What they
// do not hold, the hash and the ids of accounts, stays zero. Bytes that it
// takes are exactly those that AppendCanonical makes of the result.
func ParseCanonical(b []byte) (*Recorded, error) {
	p := parser{b: b}
	if p.take(1)[0] != formatVersion {
		return nil, ErrCanonical
	}
	r := &Recorded{Seq: p.int64(), RecordedAt: micro(p.int64())}
	r.ID, r.Resolves, r.Reverses = uuid.UUID(p.take(16)), uuid.UUID(p.take(16)), uuid.UUID(p.take(16))
	if at := p.int64(); at != 0 {
		r.ExpiresAt = micro(at)
		p.short = p.short || r.ExpiresAt.IsZero() // the one moment that reads as never
	}
	r.EffectiveOn, r.Period = p.date(), p.date()
	var lengths [8]int
	for i := range lengths {
		lengths[i] = int(binary.BigEndian.Uint32(p.take(4)))
	}
	for i, into := range []*string{(*string)(&r.Kind), &r.Purpose, &r.Actor, &r.Reason, &r.SagaID, &r.OrderRef, &r.Document, &r.Approval} {
		*into = string(p.take(lengths[i]))
	}
	var lines []Line
	for len(p.b) > 0 && !p.short {
		l := Line{Number: int16(binary.BigEndian.Uint16(p.take(2)))}
		l.Account = string(p.take(int(binary.BigEndian.Uint16(p.take(2)))))
		l.Currency, l.Side, l.Layer = string(p.take(3)), Side(p.take(1)), Layer(p.take(1))
		l.Amount, l.PostedAfter, l.HeldDebitsAfter, l.HeldCreditsAfter = p.int64(), p.int64(), p.int64(), p.int64()
		lines = append(lines, l)
	}
	if p.short {
		return nil, ErrCanonical
	}
	r.WithLines(lines)
	return r, nil
}

// parser takes bytes off the front; once they are short it yields zeros.
type parser struct {
	b     []byte
	short bool
}

func (p *parser) take(n int) []byte {
	if n < 0 || n > len(p.b) {
		p.short = true
		return make([]byte, min(max(n, 0), 16))
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *parser) int64() int64 { return int64(binary.BigEndian.Uint64(p.take(8))) }

func (p *parser) date() time.Time {
	return time.Unix(int64(int32(binary.BigEndian.Uint32(p.take(4))))*86400, 0).UTC()
}

func micro(us int64) time.Time { return time.UnixMicro(us).UTC() }
