package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Head is where a book's chain ends, and what decides whether a transaction
// may follow.
type Head struct {
	BookID            int32
	Seq               int64
	Hash              [32]byte
	RecordedAt        time.Time
	Version           int64     // of accounts and periods; a writer with an older one is refused
	ClosedThrough     time.Time // first day of the last closed period; zero: none
	SoftClosedThrough time.Time // up to here only what is approved is taken
}

// AccountKey finds an account in its book.
type AccountKey struct{ Code, Currency string }

// OpenAccount is an account as a writer knows it: its bounds and its sums.
type OpenAccount struct {
	Sums

	ID      int64
	Normal  Side
	Floor   *int64 // lowest posted balance on the normal side, held amounts counted against it
	Ceiling *int64 // highest
	Closed  bool
}

// A Sheet computes what a batch does on top of a head, without touching the
// books: sequence, period, lines with the balances after them, and hashes. It
// holds the rules of the ledger; the database's door checks its work.
//
// Accounts must hold every account of the batch that exists. Known must hold
// what is recorded under the ids of the batch and under those it resolves or
// reverses; Resolved and Reversed say of which of them that has happened.
type Sheet struct {
	Head     Head
	Accounts map[AccountKey]*OpenAccount
	Known    map[uuid.UUID]*Recorded
	Resolved map[uuid.UUID]bool
	Reversed map[uuid.UUID]bool
	Bounded  bool // an account with a floor or a ceiling was moved, or would have been

	undo []saved
	buf  []byte
}

type saved struct {
	account *OpenAccount
	sums    Sums
}

// Next puts one transaction on the sheet. What breaks a rule leaves the sheet
// as it was. At is the earliest time it can be recorded at; the chain's own
// time only grows.
func (s *Sheet) Next(t Transaction, at time.Time) (*Recorded, Result) {
	if known, ok := s.Known[t.ID]; ok {
		r := Result{ID: t.ID, Seq: known.Seq, Recorded: known, Outcome: Exists}
		if !known.Asks(t) {
			r.Outcome = IDReused
		}
		return known, r
	}
	s.undo = s.undo[:0]
	r := &Recorded{Transaction: t, Seq: s.Head.Seq + 1, RecordedAt: at}
	outcome, detail := s.record(r)
	if outcome != Created {
		for _, u := range slices.Backward(s.undo) {
			u.account.Sums = u.sums
		}
		return nil, Result{ID: t.ID, Outcome: outcome, Detail: detail}
	}
	r.Hash, s.buf = r.ChainHash(s.Head.Hash, s.buf)
	s.Head.Seq, s.Head.Hash, s.Head.RecordedAt = r.Seq, r.Hash, r.RecordedAt
	if s.Known != nil {
		s.Known[t.ID] = r
	}
	if t.Resolves != uuid.Nil {
		s.Resolved[t.Resolves] = true
	}
	if t.Reverses != uuid.Nil {
		s.Reversed[t.Reverses] = true
	}
	return r, Result{ID: t.ID, Seq: r.Seq, Recorded: r, Outcome: Created}
}

func (s *Sheet) record(r *Recorded) (outcome Outcome, detail string) {
	target, outcome := s.target(r)
	if outcome != Created {
		return outcome, ""
	}
	if outcome, detail := s.wellFormed(r); outcome != Created {
		return outcome, detail
	}
	if target != nil && r.Reverses != uuid.Nil && !mirrors(r.Entries, target.Entries) {
		return NotTheMirror, ""
	}
	if target != nil && r.Resolves != uuid.Nil {
		if exceeds(r.Entries, target.Entries) {
			return ExceedsPending, ""
		}
		for _, e := range target.Entries {
			if outcome, detail := s.line(r, e, LayerReleased); outcome != Created {
				return outcome, detail
			}
		}
	}
	layer := LayerPosted
	if r.Kind == Pending {
		layer = LayerHeld
	}
	for _, e := range r.Entries {
		if outcome, detail := s.line(r, e, layer); outcome != Created {
			return outcome, detail
		}
	}
	if outcome, detail := s.withinBounds(r); outcome != Created {
		return outcome, detail
	}
	s.setPeriod(r)
	return Created, ""
}

// target finds what a transaction resolves or reverses.
func (s *Sheet) target(r *Recorded) (*Recorded, Outcome) {
	var target *Recorded
	switch r.Kind {
	case PostPending, VoidPending, ExpirePending:
		target = s.Known[r.Resolves]
		if target == nil || target.Kind != Pending {
			return nil, PendingNotFound
		}
		if s.Resolved[r.Resolves] {
			return nil, PendingAlreadyResolved
		}
		expired := !target.ExpiresAt.IsZero() && !target.ExpiresAt.After(r.RecordedAt)
		if r.Kind == ExpirePending && !expired {
			return nil, PendingNotExpired
		}
		if r.Kind != ExpirePending && expired {
			return nil, PendingExpired
		}
	case Posted, Pending:
		if r.Resolves != uuid.Nil {
			return nil, Malformed
		}
	default:
		return nil, Malformed
	}
	if r.Reverses != uuid.Nil {
		if r.Kind != Posted {
			return nil, Malformed
		}
		target = s.Known[r.Reverses]
		if target == nil || target.Kind != Posted && target.Kind != PostPending {
			return nil, NotReversible
		}
		if s.Reversed[r.Reverses] {
			return nil, AlreadyReversed
		}
	}
	return target, Created
}

// wellFormed checks the entries: their number, accounts, amounts, and that
// they balance in each currency.
func (s *Sheet) wellFormed(r *Recorded) (outcome Outcome, detail string) {
	n := len(r.Entries)
	releases := r.Kind == VoidPending || r.Kind == ExpirePending
	switch {
	case releases && n > 0, n > MaxEntries:
		return TooManyEntries, ""
	case !releases && n < MinEntries:
		return TooFewEntries, ""
	case !r.ExpiresAt.IsZero() && r.Kind != Pending,
		r.Purpose == "", len(r.Purpose) > 100, r.Actor == "", len(r.Actor) > 200, len(r.Reason) > 2000:
		return Malformed, ""
	}
	for _, e := range r.Entries {
		a := s.Accounts[AccountKey{e.Account, e.Currency}]
		if a == nil {
			return AccountUnknown, e.Account + " " + e.Currency
		}
		if a.Closed {
			return AccountClosed, e.Account + " " + e.Currency
		}
	}
	return balanced(r.Entries)
}

func balanced(entries []Entry) (outcome Outcome, detail string) {
	var net map[string]int64
	single, sum := "", int64(0)
	for i, e := range entries {
		if e.Amount <= 0 {
			return AmountOutOfRange, ""
		}
		signed := e.Amount
		switch e.Side {
		case Debit:
		case Credit:
			signed = -e.Amount
		default:
			return Malformed, "side"
		}
		if i == 0 {
			single = e.Currency
		}
		if net == nil && e.Currency == single {
			if overflows(sum, signed) {
				return AmountOutOfRange, ""
			}
			sum += signed
			continue
		}
		if net == nil {
			net = map[string]int64{single: sum}
		}
		if overflows(net[e.Currency], signed) {
			return AmountOutOfRange, ""
		}
		net[e.Currency] += signed
	}
	if net == nil && sum != 0 {
		return Unbalanced, single
	}
	for currency, n := range net {
		if n != 0 {
			return Unbalanced, currency
		}
	}
	return Created, ""
}

func overflows(a, b int64) bool {
	return b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b
}

// line moves one account and records what that did.
func (s *Sheet) line(r *Recorded, e Entry, layer Layer) (outcome Outcome, detail string) {
	a := s.Accounts[AccountKey{e.Account, e.Currency}]
	if a == nil {
		return AccountUnknown, e.Account + " " + e.Currency
	}
	s.undo = append(s.undo, saved{a, a.Sums})
	at, amount := &a.DebitsPosted, e.Amount
	switch {
	case layer == LayerPosted && e.Side == Credit:
		at = &a.CreditsPosted
	case layer != LayerPosted && e.Side == Debit:
		at = &a.DebitsPending
	case layer != LayerPosted:
		at = &a.CreditsPending
	}
	if layer == LayerReleased {
		amount = -amount
	}
	if overflows(*at, amount) {
		return AmountOutOfRange, e.Account + " " + e.Currency
	}
	*at += amount
	r.Lines = append(r.Lines, Line{
		Entry: e, Number: int16(len(r.Lines) + 1), Layer: layer, AccountID: a.ID,
		PostedAfter: a.DebitsPosted - a.CreditsPosted, HeldDebitsAfter: a.DebitsPending, HeldCreditsAfter: a.CreditsPending,
	})
	return Created, ""
}

// withinBounds holds the accounts the transaction moved against their floors
// and ceilings. What is held counts against both; a release cannot breach.
func (s *Sheet) withinBounds(r *Recorded) (outcome Outcome, detail string) {
	for _, l := range r.Lines {
		a := s.Accounts[AccountKey{l.Account, l.Currency}]
		if a.Floor == nil && a.Ceiling == nil {
			continue
		}
		s.Bounded = true
		if l.Layer == LayerReleased {
			continue
		}
		net, toward, away := a.DebitsPosted-a.CreditsPosted, a.DebitsPending, a.CreditsPending
		if a.Normal == Credit {
			net, toward, away = -net, a.CreditsPending, a.DebitsPending
		}
		if a.Floor != nil && (overflows(net, -away) || net-away < *a.Floor) {
			return FloorBreached, l.Account + " " + l.Currency
		}
		if a.Ceiling != nil && (overflows(net, toward) || net+toward > *a.Ceiling) {
			return CeilingBreached, l.Account + " " + l.Currency
		}
	}
	return Created, ""
}

// setPeriod decides the accounting period: the month it happened in, or the
// first later one that is open to it.
func (s *Sheet) setPeriod(r *Recorded) {
	if r.EffectiveOn.IsZero() {
		r.EffectiveOn = r.RecordedAt
	}
	r.EffectiveOn = Date(r.EffectiveOn)
	r.Period = PeriodOf(r.EffectiveOn)
	shut := s.Head.ClosedThrough
	if r.Approval == "" && s.Head.SoftClosedThrough.After(shut) {
		shut = s.Head.SoftClosedThrough
	}
	if !shut.IsZero() && !r.Period.After(shut) {
		r.Period = shut.AddDate(0, 1, 0)
	}
}

type place struct {
	key  AccountKey
	side Side
}

func totals(entries []Entry, flip bool) map[place]int64 {
	out := map[place]int64{}
	for _, e := range entries {
		side := e.Side
		if flip {
			side = map[Side]Side{Debit: Credit, Credit: Debit}[side]
		}
		out[place{AccountKey{e.Account, e.Currency}, side}] += e.Amount
	}
	return out
}

// mirrors reports whether entries take back exactly what of recorded.
func mirrors(entries, recorded []Entry) bool {
	mine, theirs := totals(entries, true), totals(recorded, false)
	if len(mine) != len(theirs) {
		return false
	}
	for p, n := range theirs {
		if mine[p] != n {
			return false
		}
	}
	return true
}

// exceeds reports whether entries post more on some account and side than was
// held there.
func exceeds(entries, held []Entry) bool {
	left := totals(held, false)
	for _, e := range entries {
		p := place{AccountKey{e.Account, e.Currency}, e.Side}
		if e.Amount > left[p] {
			return true
		}
		left[p] -= e.Amount
	}
	return false
}
