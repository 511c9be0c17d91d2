package ledgertest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/ledger"
)

// A Subject is a ledger that the machine is played against: a book behind
// several stores, as several processes have them, with one clock.
type Subject interface {
	// Post posts through one of the stores.
	Post(ctx context.Context, store int, batch []ledger.Transaction) ([]ledger.Result, error)
	// PostTx posts through one of the stores in a caller's transaction, which
	// is kept or rolled back.
	PostTx(ctx context.Context, store int, batch []ledger.Transaction, keep bool) ([]ledger.Result, error)
	// Forget replaces a store, as a process that ends and begins again.
	Forget(store int)
	Open(ctx context.Context, a Account, normal ledger.Side, floor, ceiling *int64) error
	// Change answers as Model.Change does.
	Change(ctx context.Context, a Account, closed bool, floor, ceiling *int64) (string, error)
	Close(ctx context.Context, through, soft time.Time) error
	Sums(ctx context.Context) (map[Account]Sums, error)
	// Recorded returns every transaction of the book in order; all have the
	// saga Saga.
	Recorded(ctx context.Context) ([]*ledger.Recorded, error)
}

// Stores is how many a Subject has; Saga is that of every transaction.
const (
	Stores = 3
	Saga   = "sg_machine"
)

// A machine plays random steps against a subject and the model at once.
type machine struct {
	rt      *rapid.T
	ctx     context.Context // of one game
	book    ledger.Book
	subject Subject
	model   *Model
	now     time.Time
	sent    []ledger.Transaction // everything posted, taken or not
	open    []uuid.UUID          // pending ones, resolved or not
	through time.Time
	soft    time.Time
	seen    map[ledger.Outcome]int
}

// Play plays 100 games of so many steps each (a fifth of them with -short) and
// requires that subject and model agree after each step on its outcomes, and
// after each game on balances, sequence, periods and entries, and that the
// chain verifies from what is read back. open returns an empty book with its
// clock, which only the machine moves.
func Play(t *testing.T, steps int, open func(now func() time.Time) (Subject, ledger.Book)) {
	t.Helper()
	seen := map[ledger.Outcome]int{}
	rapid.Check(t, func(rt *rapid.T) {
		m := &machine{rt: rt, seen: seen, ctx: t.Context(), now: time.Now().UTC().Truncate(time.Second)}
		clock := func() time.Time { return m.now }
		m.subject, m.book = open(clock)
		m.model = NewModelAt(clock)
		moves := []func(){
			m.post, m.post, m.post, m.batch, m.batch, m.repeat, m.hold, m.hold, m.resolve, m.resolve, m.resolve, m.reverse, m.reverse,
			m.inTransaction, m.rolledBack, m.openAccount, m.changeAccount, m.changeAccount, m.closePeriod, m.wait, m.forget,
		}
		for range 4 {
			m.openAccount()
		}
		for range steps {
			moves[rapid.IntRange(0, len(moves)-1).Draw(rt, "move")]()
		}
		m.agree()
	})
	t.Logf("outcomes: %v", seen)
}

func (m *machine) store() int { return rapid.IntRange(0, Stores-1).Draw(m.rt, "store") }

// compare posts a batch to both.
func (m *machine) compare(batch []ledger.Transaction, post func(context.Context, []ledger.Transaction) ([]ledger.Result, error)) {
	want, err := m.model.Post(m.ctx, m.book, batch)
	m.must(err)
	got, err := post(m.ctx, batch)
	m.must(err)
	for i := range got {
		m.seen[got[i].Outcome]++
		got[i].Detail, got[i].Recorded = "", nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		m.rt.Fatalf("model and ledger disagree on %+v:\n%s", batch, diff)
	}
	m.sent = append(m.sent, batch...)
	for _, t := range batch {
		if t.Kind == ledger.Pending {
			m.open = append(m.open, t.ID)
		}
	}
}

func (m *machine) send(batch ...ledger.Transaction) {
	store := m.store()
	m.compare(batch, func(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
		return m.subject.Post(ctx, store, batch)
	})
}

func (m *machine) must(err error) {
	if err != nil {
		m.rt.Fatalf("%v", err)
	}
}

var codes = []string{ledger.CashBank, ledger.CashBank, ledger.StripeClearing, ledger.StripeClearing, ledger.CustomerDeposits, ledger.CustomerDeposits, "m:0", "m:1", "m:2"}

// blank is a transaction without entries.
func (m *machine) blank(kind ledger.Kind) ledger.Transaction {
	t := ledger.Transaction{ID: uuid.New(), Kind: kind, Purpose: "test", Actor: "machine", Reason: "random", SagaID: Saga}
	if rapid.IntRange(0, 2).Draw(m.rt, "dated") == 0 {
		t.EffectiveOn = ledger.Date(m.now).AddDate(0, 0, -rapid.IntRange(0, 150).Draw(m.rt, "days ago"))
	}
	if rapid.IntRange(0, 3).Draw(m.rt, "approved") == 0 {
		t.Approval = "ap_1"
	}
	return t
}

// entries balance, mostly.
func (m *machine) entries() []ledger.Entry {
	var out []ledger.Entry
	code := rapid.SampledFrom(codes)
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(m.rt, "pairs") {
		amount := rapid.Int64Range(1, 60).Draw(m.rt, "amount")
		currency := rapid.SampledFrom([]string{"usd", "usd", "usd", "eur"}).Draw(m.rt, "currency")
		out = append(
			out,
			ledger.Entry{Account: code.Draw(m.rt, "debit"), Side: ledger.Debit, Amount: amount, Currency: currency},
			ledger.Entry{Account: code.Draw(m.rt, "credit"), Side: ledger.Credit, Amount: amount, Currency: currency},
		)
	}
	switch rapid.IntRange(0, 19).Draw(m.rt, "spoil") {
	case 0:
		out[0].Amount++
	case 1:
		out[0].Account = "nowhere"
	case 2:
		out = out[:1]
	case 3:
		out[0].Amount = 0
	}
	return out
}

func (m *machine) posted() ledger.Transaction {
	t := m.blank(ledger.Posted)
	t.Entries = m.entries()
	return t
}

func (m *machine) held() ledger.Transaction {
	t := m.blank(ledger.Pending)
	t.Entries = m.entries()
	if rapid.Bool().Draw(m.rt, "ends") {
		t.ExpiresAt = m.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(m.rt, "seconds"))*time.Second + time.Second/2)
	}
	return t
}

func (m *machine) post() { m.send(m.posted()) }

func (m *machine) hold() { m.send(m.held()) }

func (m *machine) batch() { m.send(m.some()...) }

// some is a batch of everything; parts of it may concern one another.
func (m *machine) some() []ledger.Transaction {
	var batch []ledger.Transaction
	for range rapid.IntRange(1, 6).Draw(m.rt, "size") {
		switch rapid.IntRange(0, 5).Draw(m.rt, "kind") {
		case 0:
			batch = append(batch, m.held())
		case 1:
			batch = append(batch, m.resolution(batch))
		case 2:
			batch = append(batch, m.reversal(batch))
		case 3:
			if all := append(m.sent[:len(m.sent):len(m.sent)], batch...); len(all) > 0 {
				batch = append(batch, rapid.SampledFrom(all).Draw(m.rt, "again"))
			}
		default:
			batch = append(batch, m.posted())
		}
	}
	if len(batch) == 0 {
		batch = append(batch, m.posted())
	}
	return batch
}

// repeat posts something again, sometimes with other content.
func (m *machine) repeat() {
	if len(m.sent) == 0 {
		return
	}
	t := rapid.SampledFrom(m.sent).Draw(m.rt, "again")
	if rapid.IntRange(0, 3).Draw(m.rt, "other content") == 0 {
		t.Reason = "another"
	}
	m.send(t)
}

// resolution ends a pending one: wholly, in part, or with too much.
func (m *machine) resolution(batch []ledger.Transaction) ledger.Transaction {
	all := append(m.sent[:len(m.sent):len(m.sent)], batch...)
	t := m.blank(rapid.SampledFrom([]ledger.Kind{ledger.PostPending, ledger.PostPending, ledger.VoidPending, ledger.ExpirePending}).Draw(m.rt, "kind"))
	if len(all) == 0 {
		t.Resolves = uuid.New()
		return t
	}
	target := rapid.SampledFrom(all).Draw(m.rt, "target")
	if len(m.open) > 0 && rapid.IntRange(0, 4).Draw(m.rt, "pending") > 0 {
		id := rapid.SampledFrom(m.open).Draw(m.rt, "hold")
		for _, x := range all {
			if x.ID == id {
				target = x
			}
		}
	}
	t.Resolves = target.ID
	if t.Kind == ledger.PostPending {
		less := rapid.Int64Range(-1, 3).Draw(m.rt, "less")
		for _, e := range target.Entries {
			if e.Amount > max(less, 0) {
				e.Amount -= less
			}
			t.Entries = append(t.Entries, e)
		}
	}
	return t
}

func (m *machine) resolve() { m.send(m.resolution(nil)) }

// reversal takes back something posted, mostly exactly.
func (m *machine) reversal(batch []ledger.Transaction) ledger.Transaction {
	all := append(m.sent[:len(m.sent):len(m.sent)], batch...)
	t := m.blank(ledger.Posted)
	if len(all) == 0 {
		t.Reverses, t.Entries = uuid.New(), m.entries()
		return t
	}
	target := rapid.SampledFrom(all).Draw(m.rt, "target")
	t.Reverses = target.ID
	for _, e := range target.Entries {
		e.Side = map[ledger.Side]ledger.Side{ledger.Debit: ledger.Credit, ledger.Credit: ledger.Debit}[e.Side]
		t.Entries = append(t.Entries, e)
	}
	if len(t.Entries) > 0 && rapid.IntRange(0, 9).Draw(m.rt, "not the mirror") == 0 {
		t.Entries[0].Account = ledger.Suspense
	}
	return t
}

func (m *machine) reverse() { m.send(m.reversal(nil)) }

func (m *machine) inTransaction() {
	store := m.store()
	m.compare(m.some(), func(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
		return m.subject.PostTx(ctx, store, batch, true)
	})
}

// rolledBack posts what is not kept: nothing of it is there afterwards.
func (m *machine) rolledBack() {
	_, err := m.subject.PostTx(m.ctx, m.store(), m.some(), false)
	m.must(err)
}

func (m *machine) account() Account {
	return Account{
		rapid.SampledFrom([]string{"m:0", "m:1", "m:2"}).Draw(m.rt, "code"),
		rapid.SampledFrom([]string{"usd", "usd", "usd", "eur"}).Draw(m.rt, "currency"),
	}
}

func (m *machine) bounds() (floor, ceiling *int64) {
	if rapid.Bool().Draw(m.rt, "has a floor") {
		n := rapid.Int64Range(-50, 0).Draw(m.rt, "floor")
		floor = &n
	}
	if rapid.Bool().Draw(m.rt, "has a ceiling") {
		n := rapid.Int64Range(0, 200).Draw(m.rt, "ceiling")
		ceiling = &n
	}
	return floor, ceiling
}

func (m *machine) openAccount() {
	a := m.account()
	floor, ceiling := m.bounds()
	normal := rapid.SampledFrom([]ledger.Side{ledger.Debit, ledger.Credit}).Draw(m.rt, "normal")
	m.model.Open(m.book, a, normal, floor, ceiling)
	m.must(m.subject.Open(m.ctx, a, normal, floor, ceiling))
}

func (m *machine) changeAccount() {
	a := m.account()
	floor, ceiling := m.bounds()
	closed := rapid.IntRange(0, 2).Draw(m.rt, "closed") == 0
	want := m.model.Change(m.book, a, closed, floor, ceiling)
	got, err := m.subject.Change(m.ctx, a, closed, floor, ceiling)
	m.must(err)
	if got != want {
		m.rt.Fatalf("changing account %v: the model says %q, the ledger %q", a, want, got)
	}
}

// closePeriod closes one more period, softly or for good.
func (m *machine) closePeriod() {
	if m.soft.IsZero() {
		m.through = ledger.PeriodOf(m.now).AddDate(0, -6, 0)
		m.soft = m.through
	} else if last := ledger.PeriodOf(m.now).AddDate(0, 1, 0); rapid.Bool().Draw(m.rt, "softly") && m.soft.Before(last) {
		m.soft = m.soft.AddDate(0, 1, 0)
	} else if m.through.Before(m.soft) {
		m.through = m.through.AddDate(0, 1, 0)
	}
	m.model.Close(m.book, m.through, m.soft)
	m.must(m.subject.Close(m.ctx, m.through, m.soft))
}

// wait moves the clock; the database takes what is within minutes of its own.
func (m *machine) wait() {
	if d := time.Duration(rapid.IntRange(1, 3).Draw(m.rt, "seconds")) * time.Second; time.Until(m.now) < 3*time.Minute {
		m.now = m.now.Add(d)
	}
}

func (m *machine) forget() { m.subject.Forget(m.store()) }

// agree compares what the two have in the end.
func (m *machine) agree() {
	m.must(m.model.Check(m.book.Tenant))
	sums, err := m.subject.Sums(m.ctx)
	m.must(err)
	if diff := cmp.Diff(m.model.Sums(m.book.Tenant), sums); diff != "" {
		m.rt.Fatalf("balances differ:\n%s", diff)
	}
	recorded, err := m.subject.Recorded(m.ctx)
	m.must(err)
	want, periods := m.model.Log(m.book.Tenant), m.model.Periods(m.book)
	if len(recorded) != len(want) {
		m.rt.Fatalf("there are %d transactions, and should be %d", len(recorded), len(want))
	}
	prev := m.book.Genesis()
	for i, r := range recorded {
		if diff := cmp.Diff(want[i], r.Transaction, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
			m.rt.Fatalf("transaction %d differs:\n%s", i+1, diff)
		}
		if r.Seq != int64(i+1) || !r.Period.Equal(periods[i]) {
			m.rt.Fatalf("transaction %d has sequence %d and period %s, not %s", i+1, r.Seq, r.Period, periods[i])
		}
		if i > 0 && !r.RecordedAt.After(recorded[i-1].RecordedAt) {
			m.rt.Fatalf("transaction %d was recorded at %s, not after %s", i+1, r.RecordedAt, recorded[i-1].RecordedAt)
		}
		hash, _ := r.ChainHash(prev, nil)
		if hash != r.Hash {
			m.rt.Fatalf("the chain breaks at transaction %d", i+1)
		}
		prev = hash
	}
	m.must(m.balancesFollow(recorded))
}

// balancesFollow recomputes the balances after each line.
func (m *machine) balancesFollow(recorded []*ledger.Recorded) error {
	now := map[Account]Sums{}
	for _, r := range recorded {
		for i, l := range r.Lines {
			key := Account{l.Account, l.Currency}
			s := now[key]
			n := l.Amount
			if l.Layer == ledger.LayerReleased {
				n = -n
			}
			switch {
			case l.Layer == ledger.LayerPosted && l.Side == ledger.Debit:
				s.DebitsPosted += n
			case l.Layer == ledger.LayerPosted:
				s.CreditsPosted += n
			case l.Side == ledger.Debit:
				s.DebitsPending += n
			default:
				s.CreditsPending += n
			}
			now[key] = s
			if int(l.Number) != i+1 || l.PostedAfter != s.DebitsPosted-s.CreditsPosted || l.HeldDebitsAfter != s.DebitsPending || l.HeldCreditsAfter != s.CreditsPending {
				return fmt.Errorf("transaction %d, line %d: the balances after it do not follow", r.Seq, i+1)
			}
		}
	}
	return nil
}
