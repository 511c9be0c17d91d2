package postgres_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// Two programs hold the rules of the books, the ledger's in Go and the door's
// in SQL. Batches are spoiled at random, with sums and hashes made to follow:
// what the door takes the rules would have taken too, with the same period;
// and what the rules would have made exactly so the door takes.
func TestTheDoorTakesWhatTheRulesWouldMake(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	now := time.Now()
	h.store = postgres.NewAt(h.pool, func() time.Time { return now })
	before := h.fingerprint(t.Context(), t)
	each := long(t, 3, 200)
	taken, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		for range each {
			now = time.Now()
			if h.forge(t, rt) {
				taken++
			} else {
				refused++
			}
		}
	})
	t.Logf("%d taken, %d refused", taken, refused)
	require.Equal(t, before, h.fingerprint(t.Context(), t))
}

// forge spoils one batch, takes it to the door, and keeps nothing.
func (h *hostile) forge(t *testing.T, rt *rapid.T) (taken bool) {
	t.Helper()
	ctx := t.Context()
	err := pgx.BeginFunc(ctx, h.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, h.book.Tenant.String()); err != nil {
			return err
		}
		head, recorded, _, err := h.store.Compute(ctx, tx, h.book, h.anything(rt))
		if err != nil {
			return err
		}
		if len(recorded) == 0 {
			return errNotKept
		}
		f := &forgery{hostile: h, head: head, recorded: recorded}
		var did []string
		for range rapid.IntRange(0, 3).Draw(rt, "changes") {
			did = append(did, f.spoil(rt))
		}
		if rapid.IntRange(0, 9).Draw(rt, "settle") > 0 {
			f.settle(ctx, t, tx)
		}
		f.chain()
		asked := make([]ledger.Transaction, len(f.recorded))
		for i, r := range f.recorded {
			one := *r
			one.WithLines(slices.Clone(r.Lines))
			asked[i] = one.Transaction
		}
		_, made, results, err := h.store.Compute(ctx, tx, h.book, asked)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, postgres.PostBatch, postgres.DoorArguments(h.book, f.head, f.recorded)...)
		var pg *pgconn.PgError
		if err != nil && !errors.As(err, &pg) {
			return err
		}
		taken = err == nil
		for i, r := range results {
			if taken && r.Outcome != ledger.Created {
				rt.Fatalf("the door took what the rules answer with %s (%s), after %v: %+v", r.Outcome, r.Detail, did, f.recorded[i])
			}
		}
		if taken {
			for i := range made {
				if !made[i].Period.Equal(f.recorded[i].Period) {
					rt.Fatalf("the door took period %s, the rules say %s, after %v", f.recorded[i].Period, made[i].Period, did)
				}
			}
		}
		same := cmp.Diff(made, f.recorded, cmpopts.IgnoreFields(ledger.Transaction{}, "Entries", "EffectiveOn"), cmpopts.EquateEmpty()) == ""
		if same && !taken {
			rt.Fatalf("the door refused what the rules make: %v, after %v: %+v", err, did, f.recorded)
		}
		return errNotKept
	})
	if !errors.Is(err, errNotKept) {
		rt.Fatalf("%v", err)
	}
	return taken
}

// anything is a batch of some of everything the world has room for.
func (h *hostile) anything(rt *rapid.T) []ledger.Transaction {
	codes := rapid.SampledFrom([]string{ledger.CashBank, ledger.StripeClearing, ledger.CustomerDeposits, wallet, pot})
	amount := rapid.Int64Range(1, 120)
	hold := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 30)
	hold.Kind = ledger.Pending
	var batch []ledger.Transaction
	for range rapid.IntRange(1, 4).Draw(rt, "size") {
		x := ledgertest.Transfer(uuid.New(), codes.Draw(rt, "debit"), codes.Draw(rt, "credit"), amount.Draw(rt, "amount"))
		switch rapid.IntRange(0, 8).Draw(rt, "kind") {
		case 0:
			x.Kind, x.Resolves, x.Entries = ledger.VoidPending, rapid.SampledFrom([]uuid.UUID{h.hold, h.small, h.ended}).Draw(rt, "hold"), nil
		case 1:
			x.Kind, x.Resolves, x.Entries = ledger.PostPending, h.hold, ledgertest.Transfer(uuid.Nil, ledger.StripeClearing, ledger.CustomerDeposits, rapid.Int64Range(1, 100).Draw(rt, "part")).Entries
		case 2:
			x.Kind, x.Resolves, x.Entries = ledger.ExpirePending, h.expired, nil
		case 3:
			x.Reverses, x.Entries = h.posted, ledgertest.Transfer(uuid.Nil, ledger.CustomerDeposits, ledger.StripeClearing, 60).Entries
		case 4:
			batch = append(batch, hold)
			x.Kind, x.Resolves, x.Entries = ledger.PostPending, hold.ID, hold.Entries
		case 5:
			x.Kind = ledger.Pending
		case 6:
			x.Entries = append(x.Entries, ledgertest.Transfer(uuid.Nil, codes.Draw(rt, "debit"), codes.Draw(rt, "credit"), amount.Draw(rt, "amount")).Entries...)
		}
		if rapid.Bool().Draw(rt, "dated") {
			x.EffectiveOn = time.Date(2026, time.Month(rapid.IntRange(7, 11).Draw(rt, "month")), 3, 0, 0, 0, 0, time.UTC)
		}
		batch = append(batch, x)
	}
	return batch
}

// spoil changes one thing about a batch, and says what.
func (f *forgery) spoil(rt *rapid.T) string {
	r := rapid.SampledFrom(f.recorded).Draw(rt, "of")
	names := slices.Sorted(maps.Keys(f.accounts))
	ids := []uuid.UUID{f.hold, f.small, f.ended, f.expired, f.posted, f.reversed, r.ID, f.recorded[0].ID, uuid.New()}
	if len(r.Lines) > 0 && rapid.Bool().Draw(rt, "a line") {
		i := rapid.IntRange(0, len(r.Lines)-1).Draw(rt, "line")
		k := rapid.IntRange(0, len(r.Lines)-1).Draw(rt, "other line")
		l := &r.Lines[i]
		switch what := rapid.SampledFrom([]string{"amount", "both amounts", "side", "layer", "account", "id of the account", "currency", "number", "swap", "drop", "again", "split"}).Draw(rt, "what"); what {
		case "amount":
			l.Amount += rapid.Int64Range(-3, 3).Draw(rt, "by")
			return what
		case "both amounts":
			by := rapid.Int64Range(-60, 60).Draw(rt, "by")
			for i := range r.Lines {
				r.Lines[i].Amount += by
			}
			return what
		case "side":
			l.Side = map[ledger.Side]ledger.Side{ledger.Debit: ledger.Credit, ledger.Credit: ledger.Debit}[l.Side]
			return what
		case "layer":
			l.Layer = rapid.SampledFrom([]ledger.Layer{ledger.LayerPosted, ledger.LayerHeld, ledger.LayerReleased}).Draw(rt, "layer")
			return what
		case "account":
			name := rapid.SampledFrom(names).Draw(rt, "account")
			l.Account, l.Currency, _ = strings.Cut(name, " ")
			l.AccountID = f.accounts[name]
			return what + " " + name
		case "id of the account":
			l.AccountID = f.accounts[rapid.SampledFrom(names).Draw(rt, "account")]
			return what
		case "currency":
			l.Currency = rapid.SampledFrom([]string{"usd", "eur", "gbp"}).Draw(rt, "currency")
			return what
		case "number":
			l.Number += int16(rapid.IntRange(-1, 1).Draw(rt, "by"))
			return what
		case "swap":
			r.Lines[i], r.Lines[k] = r.Lines[k], r.Lines[i]
			f.number(r)
			return what
		case "drop":
			r.Lines = slices.Delete(slices.Clone(r.Lines), i, i+1)
			f.number(r)
			return what
		case "again":
			r.Lines = append(slices.Clone(r.Lines), r.Lines[k])
			f.number(r)
			return what
		default:
			if l.Amount > 1 {
				half := *l
				half.Amount, l.Amount = l.Amount/2, l.Amount-l.Amount/2
				r.Lines = slices.Insert(slices.Clone(r.Lines), i, half)
				f.number(r)
			}
			return what
		}
	}
	switch what := rapid.SampledFrom([]string{"kind", "resolves", "reverses", "id", "period", "date", "approval", "expires", "purpose", "drop"}).Draw(rt, "what"); what {
	case "kind":
		r.Kind = rapid.SampledFrom([]ledger.Kind{ledger.Posted, ledger.Pending, ledger.PostPending, ledger.VoidPending, ledger.ExpirePending}).Draw(rt, "kind")
		return what
	case "resolves":
		r.Resolves = rapid.SampledFrom(append(ids, uuid.Nil)).Draw(rt, "id")
		return what
	case "reverses":
		r.Reverses = rapid.SampledFrom(append(ids, uuid.Nil)).Draw(rt, "id")
		return what
	case "id":
		r.ID = rapid.SampledFrom(ids).Draw(rt, "id")
		return what
	case "period":
		r.Period = r.Period.AddDate(0, rapid.IntRange(-3, 3).Draw(rt, "by"), 0)
		return what
	case "date":
		r.EffectiveOn = r.EffectiveOn.AddDate(0, 0, rapid.IntRange(-100, 40).Draw(rt, "by"))
		return what
	case "approval":
		r.Approval = rapid.SampledFrom([]string{"", "ap_1"}).Draw(rt, "approval")
		return what
	case "expires":
		r.ExpiresAt = time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(rapid.IntRange(-1, 1).Draw(rt, "by")) * time.Hour)
		return what
	case "purpose":
		r.Purpose = rapid.SampledFrom([]string{"", "x", strings.Repeat("x", 100), strings.Repeat("x", 101)}).Draw(rt, "purpose")
		return what
	default:
		if len(f.recorded) > 1 {
			f.recorded = f.recorded[:len(f.recorded)-1]
		}
		return what
	}
}

// number numbers the lines in their order.
func (f *forgery) number(r *ledger.Recorded) {
	for i := range r.Lines {
		r.Lines[i].Number = int16(i + 1)
	}
}
