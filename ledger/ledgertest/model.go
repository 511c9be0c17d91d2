// Package ledgertest is what the stores of the ledger are tested with: a model
// in memory that says what should happen, a conformance suite, and generators.
// The model also serves as the ledger of tests that need no database.
package ledgertest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

// Account is one account in one currency.
type Account struct {
	Code     string
	Currency string
}

// Sums are the four sums of an account.
type Sums struct {
	DebitsPending, CreditsPending, DebitsPosted, CreditsPosted int64
}

// Model is the ledger of one or more tenants in memory, with the outcomes the
// database's door gives. It is safe for concurrent use.
type Model struct {
	now func() time.Time

	mu    sync.Mutex
	books map[ledger.Book]*books
}

type books struct {
	log      []ledger.Transaction
	periods  []time.Time
	opened   map[Account]*opened
	closed   time.Time // the last closed period
	soft     time.Time // the last softly closed one
	seq      map[uuid.UUID]int64
	resolved map[uuid.UUID]bool
	reversed map[uuid.UUID]bool
	sums     map[Account]Sums
}

// opened is an account beside those of the standard chart.
type opened struct {
	normal         ledger.Side
	floor, ceiling *int64
	closed         bool
}

var _ ledger.Poster = (*Model)(nil)

// NewModel returns an empty ledger.
func NewModel() *Model { return NewModelAt(time.Now) }

// NewModelAt returns an empty ledger with a clock.
func NewModelAt(now func() time.Time) *Model {
	return &Model{now: now, books: map[ledger.Book]*books{}}
}

// Post puts a batch into the books.
func (m *Model) Post(_ context.Context, book ledger.Book, batch []ledger.Transaction) ([]ledger.Result, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.of(book)
	out := make([]ledger.Result, len(batch))
	for i, t := range batch {
		out[i] = b.post(t, m.now().UTC())
	}
	return out, nil
}

// Sums returns the balances that are not zero.
func (m *Model) Sums(tenant uuid.UUID) map[Account]Sums {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := maps.Clone(m.of(ledger.Main(tenant)).sums)
	maps.DeleteFunc(out, func(_ Account, s Sums) bool { return s == Sums{} })
	return out
}

// Open opens an account; one that is open stays as it is.
func (m *Model) Open(book ledger.Book, a Account, normal ledger.Side, floor, ceiling *int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if b := m.of(book); b.opened[a] == nil {
		b.opened[a] = &opened{normal: normal, floor: floor, ceiling: ceiling}
	}
}

// Change closes an opened account, opens it again, or moves its bounds. It
// returns what became of it: changed, missing, or the name of the rule that is
// against it.
func (m *Model) Change(book ledger.Book, a Account, closed bool, floor, ceiling *int64) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.of(book)
	o, s := b.opened[a], b.sums[a]
	if o == nil {
		return "missing"
	}
	stands := s.DebitsPosted - s.CreditsPosted
	if o.normal == ledger.Credit {
		stands = -stands
	}
	switch {
	case closed && (stands != 0 || s.DebitsPending != 0 || s.CreditsPending != 0):
		return "account_closes_at_zero"
	case floor != nil && stands < *floor, ceiling != nil && stands > *ceiling:
		return "account_stands_within_bounds"
	}
	o.closed, o.floor, o.ceiling = closed, floor, ceiling
	return "changed"
}

// Close closes periods, the first days of whose last ones are given.
func (m *Model) Close(book ledger.Book, through, soft time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.of(book)
	b.closed, b.soft = through, soft
}

// Periods returns the period each of the book's transactions counts in.
func (m *Model) Periods(book ledger.Book) []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.of(book).periods)
}

// Log returns the tenant's transactions in order.
func (m *Model) Log(tenant uuid.UUID) []ledger.Transaction {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.of(ledger.Main(tenant)).log)
}

func (m *Model) of(book ledger.Book) *books {
	b, ok := m.books[book]
	if !ok {
		b = &books{
			seq:      map[uuid.UUID]int64{},
			resolved: map[uuid.UUID]bool{}, reversed: map[uuid.UUID]bool{}, sums: map[Account]Sums{}, opened: map[Account]*opened{},
		}
		m.books[book] = b
	}
	return b
}

func (b *books) post(t ledger.Transaction, now time.Time) ledger.Result {
	r := ledger.Result{ID: t.ID}
	if known, ok := b.find(t.ID); ok {
		r.Seq, r.Outcome = b.seq[t.ID], ledger.Exists
		if !known.Asks(t) {
			r.Outcome = ledger.IDReused
		}
		return r
	}
	sums, outcome := b.apply(t, now)
	if outcome != ledger.Created {
		r.Outcome = outcome
		return r
	}
	b.sums = sums
	if t.EffectiveOn.IsZero() {
		t.EffectiveOn = ledger.Date(now)
	}
	b.log, b.periods = append(b.log, t), append(b.periods, b.period(t))
	r.Seq, r.Outcome = int64(len(b.log)), ledger.Created
	b.seq[t.ID] = r.Seq
	if t.Resolves != uuid.Nil {
		b.resolved[t.Resolves] = true
	}
	if t.Reverses != uuid.Nil {
		b.reversed[t.Reverses] = true
	}
	return r
}

func (b *books) apply(t ledger.Transaction, now time.Time) (map[Account]Sums, ledger.Outcome) {
	var pending ledger.Transaction
	switch t.Kind {
	case ledger.PostPending, ledger.VoidPending, ledger.ExpirePending:
		target, ok := b.find(t.Resolves)
		if !ok || target.Kind != ledger.Pending {
			return nil, ledger.PendingNotFound
		}
		if b.resolved[t.Resolves] {
			return nil, ledger.PendingAlreadyResolved
		}
		over := !target.ExpiresAt.IsZero() && !now.Before(target.ExpiresAt)
		switch {
		case t.Kind == ledger.ExpirePending && !over:
			return nil, ledger.PendingNotExpired
		case t.Kind != ledger.ExpirePending && over:
			return nil, ledger.PendingExpired
		}
		pending = target
	case ledger.Posted, ledger.Pending:
	default:
		return nil, ledger.Malformed
	}
	var reversed ledger.Transaction
	if t.Reverses != uuid.Nil {
		target, ok := b.find(t.Reverses)
		if !ok || target.Kind != ledger.Posted && target.Kind != ledger.PostPending {
			return nil, ledger.NotReversible
		}
		if b.reversed[t.Reverses] {
			return nil, ledger.AlreadyReversed
		}
		reversed = target
	}
	if outcome := b.checkEntries(t); outcome != ledger.Created {
		return nil, outcome
	}
	if reversed.ID != uuid.Nil && !takesBack(t.Entries, reversed.Entries) {
		return nil, ledger.NotTheMirror
	}
	sums := maps.Clone(b.sums)
	if pending.ID != uuid.Nil {
		if exceeds(t.Entries, pending.Entries) {
			return nil, ledger.ExceedsPending
		}
		for _, e := range pending.Entries {
			add(sums, e, true, -e.Amount)
		}
	}
	for _, e := range t.Entries {
		if !add(sums, e, t.Kind == ledger.Pending, e.Amount) {
			return nil, ledger.AmountOutOfRange
		}
	}
	for _, e := range t.Entries {
		if outcome := b.standing(Account{e.Account, e.Currency}, sums); outcome != ledger.Created {
			return nil, outcome
		}
	}
	return sums, ledger.Created
}

// standing holds an account against its bounds, at the worst and the best that
// what is pending on it can come to.
func (b *books) standing(a Account, sums map[Account]Sums) ledger.Outcome {
	o, s := b.opened[a], sums[a]
	if o == nil {
		return ledger.Created
	}
	worst, best := s.DebitsPosted-s.CreditsPosted-s.CreditsPending, s.DebitsPosted-s.CreditsPosted+s.DebitsPending
	if o.normal == ledger.Credit {
		worst, best = -best, -worst
	}
	switch {
	case o.floor != nil && worst < *o.floor:
		return ledger.FloorBreached
	case o.ceiling != nil && best > *o.ceiling:
		return ledger.CeilingBreached
	}
	return ledger.Created
}

// period is the month a transaction happened in, or the next that is open.
func (b *books) period(t ledger.Transaction) time.Time {
	month := ledger.PeriodOf(t.EffectiveOn)
	for !month.After(b.closed) || t.Approval == "" && !month.After(b.soft) {
		month = month.AddDate(0, 1, 0)
	}
	return month
}

func (b *books) find(id uuid.UUID) (ledger.Transaction, bool) {
	seq, ok := b.seq[id]
	if !ok {
		return ledger.Transaction{}, false
	}
	return b.log[seq-1], true
}

func (b *books) checkEntries(t ledger.Transaction) ledger.Outcome {
	n := len(t.Entries)
	releases := t.Kind == ledger.VoidPending || t.Kind == ledger.ExpirePending
	switch {
	case releases && n > 0, n > ledger.MaxEntries:
		return ledger.TooManyEntries
	case !releases && n < ledger.MinEntries:
		return ledger.TooFewEntries
	}
	net := map[string]int64{}
	for _, e := range t.Entries {
		switch o := b.opened[Account{e.Account, e.Currency}]; {
		case o != nil && o.closed:
			return ledger.AccountClosed
		case o == nil && !ledger.InChart(e.Account):
			return ledger.AccountUnknown
		}
	}
	for _, e := range t.Entries {
		if e.Amount <= 0 {
			return ledger.AmountOutOfRange
		}
		switch e.Side {
		case ledger.Debit:
			net[e.Currency] += e.Amount
		case ledger.Credit:
			net[e.Currency] -= e.Amount
		default:
			return ledger.Malformed
		}
	}
	for _, n := range net {
		if n != 0 {
			return ledger.Unbalanced
		}
	}
	return ledger.Created
}

type place struct {
	Account
	side ledger.Side
}

// takesBack nets both on each account: nothing is left of either.
func takesBack(mine, theirs []ledger.Entry) bool {
	left := map[place]int64{}
	for _, e := range theirs {
		left[place{Account{e.Account, e.Currency}, e.Side}] += e.Amount
	}
	for _, e := range mine {
		side := ledger.Debit
		if e.Side == ledger.Debit {
			side = ledger.Credit
		}
		left[place{Account{e.Account, e.Currency}, side}] -= e.Amount
	}
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}

func exceeds(mine, theirs []ledger.Entry) bool {
	left := map[place]int64{}
	for _, e := range theirs {
		left[place{Account{e.Account, e.Currency}, e.Side}] += e.Amount
	}
	for _, e := range mine {
		p := place{Account{e.Account, e.Currency}, e.Side}
		if left[p] -= e.Amount; left[p] < 0 {
			return true
		}
	}
	return false
}

func add(sums map[Account]Sums, e ledger.Entry, pending bool, amount int64) bool {
	key := Account{e.Account, e.Currency}
	s := sums[key]
	at := &s.DebitsPosted
	switch {
	case pending && e.Side == ledger.Debit:
		at = &s.DebitsPending
	case pending:
		at = &s.CreditsPending
	case e.Side == ledger.Credit:
		at = &s.CreditsPosted
	}
	if amount > 0 && *at > math.MaxInt64-amount {
		return false
	}
	*at += amount
	sums[key] = s
	return true
}

// Check tells what is wrong with the tenant's books, nil when nothing is:
// every transaction balances and no pending amount is negative.
func (m *Model) Check(tenant uuid.UUID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.of(ledger.Main(tenant))
	total := map[string]int64{}
	for key, s := range b.sums {
		if s.DebitsPending < 0 || s.CreditsPending < 0 {
			return fmt.Errorf("account %s %s has a negative pending sum", key.Code, key.Currency)
		}
		total[key.Currency] += s.DebitsPosted - s.CreditsPosted + s.DebitsPending - s.CreditsPending
	}
	for currency, n := range total {
		if n != 0 {
			return fmt.Errorf("debits and credits differ by %d in %s", n, currency)
		}
	}
	return nil
}
