package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
)

// What resolves or reverses something is held against what it resolves or
// reverses. Pending transactions are usually resolved soon, so the last ones
// are remembered; the others are looked up, many at a time.

const remembered = 1 << 15

// place is an account, side and layer.
type placeKey struct {
	account     int64
	side, layer byte
}

// target is what may be resolved or reversed.
type target struct {
	seq     int64
	kind    ledger.Kind
	expires int64 // microseconds since 1970; 0: never
	sums    map[placeKey]int64
}

// linkedTransaction resolves or reverses something.
type linkedTransaction struct {
	target

	at      int64
	of      [16]byte
	reverse bool
}

func sumsOf(lines []postingRow) map[placeKey]int64 {
	out := make(map[placeKey]int64, len(lines))
	for i := range lines {
		l := &lines[i]
		out[placeKey{l.account, l.side, l.layer}] += l.amount
	}
	return out
}

// recentTargets are the last pending transactions.
type recentTargets struct {
	byID map[[16]byte]*target
	ring [][16]byte
	at   int
}

func newRecentTargets() recentTargets {
	return recentTargets{byID: map[[16]byte]*target{}}
}

func (r *recentTargets) add(j *journalRow, lines []postingRow) {
	if len(r.ring) < remembered {
		r.ring = append(r.ring, j.id)
	} else {
		delete(r.byID, r.ring[r.at])
		r.ring[r.at] = j.id
		r.at = (r.at + 1) % remembered
	}
	r.byID[j.id] = &target{seq: j.seq, kind: ledger.Pending, expires: j.expires, sums: sumsOf(lines)}
}

func (v *bookAudit) linked(j *journalRow) linkedTransaction {
	l := linkedTransaction{
		target: target{seq: j.seq, kind: ledger.Kind(string(j.texts[0])), sums: sumsOf(v.lines)}, at: j.at, of: j.resolves,
	}
	if !j.linked[0] {
		l.of, l.reverse = j.reverses, true
	}
	return l
}

// flush checks the transactions that wait for their targets.
func (v *bookAudit) flush(ctx context.Context) error {
	known := map[[16]byte]*target{}
	var ids []uuid.UUID
	for i := range v.waiting {
		of := v.waiting[i].of
		if t := v.recent.byID[of]; t != nil {
			known[of] = t
		} else {
			ids = append(ids, of)
		}
	}
	if len(ids) > 0 {
		if err := v.lookUp(ctx, ids, known); err != nil {
			return fmt.Errorf("look up what was resolved or reversed: %w", err)
		}
	}
	for i := range v.waiting {
		l := &v.waiting[i]
		if wrong := l.against(known[l.of]); wrong != "" {
			v.breach("I3", l.seq, where(l.seq), "it resolves or reverses %s wrongly: %s", idText(l.of), wrong)
		}
	}
	v.waiting = v.waiting[:0]
	return nil
}

func (v *bookAudit) lookUp(ctx context.Context, ids []uuid.UUID, into map[[16]byte]*target) error {
	rows, err := v.whole.main.Query(ctx, auditSQL("targets"), v.book.id, ids)
	if err != nil {
		return err
	}
	var id uuid.UUID
	var seq, account, amount int64
	var kind, side, layer string
	var expires *time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &seq, &kind, &expires, &account, &side, &layer, &amount}, func() error {
		t := into[id]
		if t == nil {
			t = &target{seq: seq, kind: ledger.Kind(kind), sums: map[placeKey]int64{}}
			if expires != nil {
				t.expires = expires.UnixMicro()
			}
			into[id] = t
		}
		if len(side) == 1 && len(layer) == 1 {
			t.sums[placeKey{account, side[0], layer[0]}] += amount
		}
		return nil
	})
	return err
}

// against says what is wrong between a transaction and its target; empty when
// nothing is. The rules are the door's.
func (l *linkedTransaction) against(t *target) string {
	if t == nil || t.seq >= l.seq {
		return "it is not there, or not before it"
	}
	if l.reverse {
		if t.kind != ledger.Posted && t.kind != ledger.PostPending {
			return "it is not final"
		}
		mirror := map[placeKey]int64{}
		for k, n := range t.sums {
			if k.layer == 'P' {
				mirror[placeKey{k.account, 'D' + 'C' - k.side, 'P'}] += n
			}
		}
		if len(mirror) != len(l.sums) {
			return "it is not the mirror"
		}
		for k, n := range mirror {
			if l.sums[k] != n {
				return "it is not the mirror"
			}
		}
		return ""
	}
	if t.kind != ledger.Pending {
		return "it is not pending"
	}
	if expired := t.expires != 0 && t.expires <= l.at; expired != (l.kind == ledger.ExpirePending) {
		return "its time"
	}
	freed := 0
	for k, n := range l.sums {
		switch k.layer {
		case 'R':
			freed++
			if t.sums[placeKey{k.account, k.side, 'H'}] != n {
				return "not what was held is released"
			}
		case 'P':
			if n > t.sums[placeKey{k.account, k.side, 'H'}] {
				return "more is posted than was held"
			}
		}
	}
	if freed != len(t.sums) {
		return "not all that was held is released"
	}
	return ""
}
