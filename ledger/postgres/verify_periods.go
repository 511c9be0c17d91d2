package postgres

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A periodEvent is what happened to a period, and where the book stood then.
type periodEvent struct {
	period  time.Time // first day of the month
	version int
	event   string
	seq     int64 // the last transaction before it
	hash    []byte
}

func (e periodEvent) name() string { return "period " + e.period.Format("2006-01") }

// days is a date as the lines have it.
func days(t time.Time) int32 { return int32(t.Unix() / (24 * 60 * 60)) }

func monthText(days int32) string { return time.Unix(int64(days)*24*60*60, 0).UTC().Format("2006-01") }

// periodSums are what each account had posted in a period so far: debits and
// credits.
type periodSums map[int64]*[2]int64

// periodsAudit goes along with a book's audit: it adds up the periods that are
// closed further on, and compares where they are closed.
type periodsAudit struct {
	events  []periodEvent
	next    int           // the first event that is still ahead
	last    map[int32]int // place of a period's last closing
	closed  int32         // first day of the last month that is closed; 0: none is
	sums    map[int32]periodSums
	period  int32 // the one looked up last
	current periodSums
}

// beginPeriods reads what happened to the periods. sums are those of an
// interrupted run.
func (v *bookAudit) beginPeriods(ctx context.Context) error {
	rows, err := v.whole.main.Query(ctx, auditSQL("closings"), v.book.id)
	if err != nil {
		return fmt.Errorf("read the periods: %w", err)
	}
	p := &periodsAudit{last: map[int32]int{}, sums: v.Periods}
	p.events, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e periodEvent, err error) {
		err = row.Scan(&e.period, &e.version, &e.event, &e.seq, &e.hash)
		return e, err
	})
	if err != nil {
		return fmt.Errorf("read the periods: %w", err)
	}
	for i, e := range p.events {
		if e.event == "closed" {
			p.last[days(e.period)] = i
		}
	}
	v.periods = p
	for p.next < len(p.events) && p.events[p.next].seq < v.Seq {
		p.happened(p.events[p.next])
	}
	return nil
}

func (p *periodsAudit) happened(e periodEvent) {
	p.next++
	switch e.event {
	case "closed":
		p.closed = days(e.period)
	case "reopened":
		if p.closed >= days(e.period) {
			p.closed = days(e.period.AddDate(0, -1, 0))
		}
	}
	if i, ok := p.last[days(e.period)]; ok && i < p.next {
		delete(p.sums, days(e.period)) // it is not closed again
	}
	p.current = nil
}

// reach passes the events between the last transaction and the next, which has
// this sequence.
func (v *bookAudit) reach(ctx context.Context, seq int64) error {
	p := v.periods
	for p.next < len(p.events) && p.events[p.next].seq < seq {
		e := p.events[p.next]
		if e.seq != v.Seq || !bytes.Equal(e.hash, v.Hash) {
			v.breach("I3", 0, e.name(), "it was %s after %d, and the chain does not stand there as it is kept with it", e.event, e.seq)
		}
		if e.event == "closed" {
			if err := v.compareFrozen(ctx, e); err != nil {
				return err
			}
		}
		p.happened(e)
	}
	return nil
}

// compareFrozen holds what was frozen against the lines up to here.
func (v *bookAudit) compareFrozen(ctx context.Context, e periodEvent) error {
	rows, err := v.whole.main.Query(ctx, auditSQL("frozen"), v.book.id, e.period, e.version)
	if err != nil {
		return fmt.Errorf("read the totals of %s: %w", e.name(), err)
	}
	sums := v.periods.sums[days(e.period)]
	seen := 0
	var account, debits, credits int64
	_, err = pgx.ForEachRow(rows, []any{&account, &debits, &credits}, func() error {
		s := sums[account]
		if s != nil {
			seen++
		} else {
			s = &[2]int64{}
		}
		if s[0] != debits || s[1] != credits {
			v.breach("I2", 0, e.name(), "account %s: version %d was frozen with D %d C %d, postings give D %d C %d",
				v.accountName(account), e.version, debits, credits, s[0], s[1])
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the totals of %s: %w", e.name(), err)
	}
	if seen != len(sums) {
		v.breach("I2", 0, e.name(), "version %d was frozen with the totals of %d accounts, and %d had postings", e.version, seen, len(sums))
	}
	return nil
}

func (v *bookAudit) accountName(id int64) string {
	if a := v.accounts[id]; a != nil {
		return a.code + " " + a.currency
	}
	return fmt.Sprintf("%d, which is not in this book", id)
}

// count adds a line to its period, if that is closed further on.
func (p *periodsAudit) count(l *postingRow) {
	if l.layer != 'P' || p.next == len(p.events) {
		return
	}
	if p.current == nil || p.period != l.period {
		if i, ok := p.last[l.period]; !ok || i < p.next {
			return
		}
		p.period, p.current = l.period, p.sums[l.period]
		if p.current == nil {
			p.current = periodSums{}
			p.sums[l.period] = p.current
		}
	}
	s := p.current[l.account]
	if s == nil {
		s = &[2]int64{}
		p.current[l.account] = s
	}
	if l.side == 'D' {
		s[0] += l.amount
	} else {
		s[1] += l.amount
	}
}

// endPeriods passes what happened after the last transaction, and looks for
// totals that nothing froze.
func (v *bookAudit) endPeriods(ctx context.Context) error {
	if err := v.reach(ctx, v.Seq+1); err != nil {
		return err
	}
	for _, e := range v.periods.events[v.periods.next:] {
		v.breach("I3", v.Seq+1, e.name(), "it was %s after %d, and the book ends at %d", e.event, e.seq, v.Seq)
	}
	rows, err := v.whole.main.Query(ctx, auditSQL("frozen_extra"), v.book.id)
	if err != nil {
		return fmt.Errorf("look for totals of no closing: %w", err)
	}
	var e periodEvent
	_, err = pgx.ForEachRow(rows, []any{&e.period, &e.version}, func() error {
		v.breach("I3", 0, e.name(), "there are totals of version %d, and it was never closed so", e.version)
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for totals of no closing: %w", err)
	}
	return nil
}
