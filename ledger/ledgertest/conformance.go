package ledgertest

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/ledger"
)

// Transfer is a posted transaction of two entries in usd.
func Transfer(id uuid.UUID, debit, credit string, amount int64) ledger.Transaction {
	return ledger.Transaction{
		ID: id, Kind: ledger.Posted, Purpose: "test", Actor: "test", Reason: "a test",
		Entries: []ledger.Entry{
			{Account: debit, Side: ledger.Debit, Amount: amount, Currency: "usd"},
			{Account: credit, Side: ledger.Credit, Amount: amount, Currency: "usd"},
		},
	}
}

// Conformance runs the rules of the ledger against a store. open returns an
// empty ledger and its tenant.
func Conformance(t *testing.T, open func(t *testing.T) (ledger.Poster, uuid.UUID)) {
	t.Helper()
	base := Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1000)
	hold := func() ledger.Transaction {
		h := Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1000)
		h.Kind = ledger.Pending
		return h
	}
	resolve := func(of uuid.UUID, kind ledger.Kind, entries ...ledger.Entry) ledger.Transaction {
		return ledger.Transaction{ID: uuid.New(), Kind: kind, Resolves: of, Purpose: "test", Actor: "test", Entries: entries}
	}
	with := func(change func(*ledger.Transaction)) ledger.Transaction {
		x := Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1000)
		change(&x)
		return x
	}
	h1, h2, h3, posted := hold(), hold(), hold(), Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5)
	half := Transfer(uuid.Nil, ledger.StripeClearing, ledger.CustomerDeposits, 400).Entries
	back := Transfer(uuid.Nil, ledger.CustomerDeposits, ledger.StripeClearing, 5).Entries
	most := Transfer(uuid.Nil, ledger.CustomerDeposits, ledger.StripeClearing, 4).Entries
	changed := base
	changed.Reason = "another reason"
	big := Transfer(uuid.New(), ledger.CashBank, ledger.Suspense, math.MaxInt64)

	for _, c := range []struct {
		name  string
		batch []ledger.Transaction
		want  []ledger.Outcome
	}{
		{"posted", []ledger.Transaction{base}, []ledger.Outcome{ledger.Created}},
		{"the same again", []ledger.Transaction{base, base}, []ledger.Outcome{ledger.Created, ledger.Exists}},
		{"other content under the same id", []ledger.Transaction{base, changed}, []ledger.Outcome{ledger.Created, ledger.IDReused}},
		{"unbalanced, alone refused", []ledger.Transaction{
			with(func(x *ledger.Transaction) { x.Entries[0].Amount++ }), base,
		}, []ledger.Outcome{ledger.Unbalanced, ledger.Created}},
		{"balanced in total, not by currency", []ledger.Transaction{
			base, with(func(x *ledger.Transaction) { x.ID = uuid.New(); x.Entries[0].Currency = "eur" }),
		}, []ledger.Outcome{ledger.Created, ledger.Unbalanced}},
		{"zero amount", []ledger.Transaction{with(func(x *ledger.Transaction) { x.Entries[0].Amount, x.Entries[1].Amount = 0, 0 })}, []ledger.Outcome{ledger.AmountOutOfRange}},
		{"negative amount", []ledger.Transaction{with(func(x *ledger.Transaction) { x.Entries[0].Amount, x.Entries[1].Amount = -1, -1 })}, []ledger.Outcome{ledger.AmountOutOfRange}},
		{"unknown account", []ledger.Transaction{with(func(x *ledger.Transaction) { x.Entries[0].Account = "9999" })}, []ledger.Outcome{ledger.AccountUnknown}},
		{"one entry", []ledger.Transaction{with(func(x *ledger.Transaction) { x.Entries = x.Entries[:1] })}, []ledger.Outcome{ledger.TooFewEntries}},
		{"unknown side", []ledger.Transaction{with(func(x *ledger.Transaction) { x.Entries[0].Side = "X" })}, []ledger.Outcome{ledger.Malformed}},
		{"pending posted whole", []ledger.Transaction{h1, resolve(h1.ID, ledger.PostPending, h1.Entries...)}, []ledger.Outcome{ledger.Created, ledger.Created}},
		{"pending posted in part", []ledger.Transaction{h1, resolve(h1.ID, ledger.PostPending, half...)}, []ledger.Outcome{ledger.Created, ledger.Created}},
		{"pending voided, then posted", []ledger.Transaction{
			h2, resolve(h2.ID, ledger.VoidPending), resolve(h2.ID, ledger.PostPending, h2.Entries...),
		}, []ledger.Outcome{ledger.Created, ledger.Created, ledger.PendingAlreadyResolved}},
		{"more than was pending", []ledger.Transaction{
			h3, resolve(h3.ID, ledger.PostPending, Transfer(uuid.Nil, ledger.StripeClearing, ledger.CustomerDeposits, 1001).Entries...),
		}, []ledger.Outcome{ledger.Created, ledger.ExceedsPending}},
		{"another account than was pending", []ledger.Transaction{
			h3, resolve(h3.ID, ledger.PostPending, Transfer(uuid.Nil, ledger.CashBank, ledger.CustomerDeposits, 1).Entries...),
		}, []ledger.Outcome{ledger.Created, ledger.ExceedsPending}},
		{"void with entries", []ledger.Transaction{h3, resolve(h3.ID, ledger.VoidPending, half...)}, []ledger.Outcome{ledger.Created, ledger.TooManyEntries}},
		{"resolving what is not pending", []ledger.Transaction{posted, resolve(posted.ID, ledger.VoidPending)}, []ledger.Outcome{ledger.Created, ledger.PendingNotFound}},
		{"resolving what is not there", []ledger.Transaction{posted, resolve(uuid.New(), ledger.VoidPending)}, []ledger.Outcome{ledger.Created, ledger.PendingNotFound}},
		{"reversed, then again", []ledger.Transaction{
			posted,
			with(func(x *ledger.Transaction) { x.Reverses, x.Entries = posted.ID, back }),
			with(func(x *ledger.Transaction) { x.Reverses, x.Entries = posted.ID, back }),
		}, []ledger.Outcome{ledger.Created, ledger.Created, ledger.AlreadyReversed}},
		{"reversed in part", []ledger.Transaction{
			posted, with(func(x *ledger.Transaction) { x.Reverses, x.Entries = posted.ID, most }),
		}, []ledger.Outcome{ledger.Created, ledger.NotTheMirror}},
		{"reversed into itself", []ledger.Transaction{
			posted, with(func(x *ledger.Transaction) { x.Reverses, x.Entries = posted.ID, posted.Entries }),
		}, []ledger.Outcome{ledger.Created, ledger.NotTheMirror}},
		{"expired before its time", []ledger.Transaction{h1, resolve(h1.ID, ledger.ExpirePending)}, []ledger.Outcome{ledger.Created, ledger.PendingNotExpired}},
		{"reversing a pending one", []ledger.Transaction{h1, with(func(x *ledger.Transaction) { x.Reverses = h1.ID })}, []ledger.Outcome{ledger.Created, ledger.NotReversible}},
		{"balance would overflow", []ledger.Transaction{big, with(func(x *ledger.Transaction) {
			x.Entries[0].Account, x.Entries[1].Account = ledger.CashBank, ledger.Suspense
		}), base}, []ledger.Outcome{ledger.Created, ledger.AmountOutOfRange, ledger.Created}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store, tenant := open(t)
			results, err := store.Post(t.Context(), ledger.Main(tenant), c.batch)
			require.NoError(t, err)
			var got []ledger.Outcome
			seq := int64(0)
			for i, r := range results {
				got = append(got, r.Outcome)
				require.Equal(t, c.batch[i].ID, r.ID)
				if r.Outcome == ledger.Created {
					seq++
					require.Equal(t, seq, r.Seq, "the sequence has no gap")
				}
			}
			require.Equal(t, c.want, got)
		})
	}
	t.Run("ledgers of two tenants are apart", func(t *testing.T) {
		t.Parallel()
		store, tenant := open(t)
		results, err := store.Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{base})
		require.NoError(t, err)
		require.Equal(t, int64(1), results[0].Seq)
	})
}

// AgreesWithModel posts random batches to a store and to the model and
// requires the same outcomes and the same balances. open returns a ledger with
// a fresh tenant; sums reads the balances that are not zero.
func AgreesWithModel(t *testing.T, open func() (ledger.Poster, uuid.UUID), sums func(context.Context, uuid.UUID) (map[Account]Sums, error)) {
	t.Helper()
	rapid.Check(t, func(rt *rapid.T) {
		store, tenant := open()
		model := NewModel()
		var known []uuid.UUID
		for range rapid.IntRange(1, 5).Draw(rt, "batches") {
			batch := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) ledger.Transaction { return draw(rt, known) }), 1, 6).Draw(rt, "batch")
			for _, x := range batch {
				known = append(known, x.ID)
			}
			want, err := model.Post(t.Context(), ledger.Main(tenant), batch)
			if err != nil {
				rt.Fatal(err)
			}
			got, err := store.Post(t.Context(), ledger.Main(tenant), batch)
			if err != nil {
				rt.Fatal(err)
			}
			for i := range got {
				got[i].Detail, got[i].Recorded = "", nil
			}
			if diff := cmp.Diff(want, got); diff != "" {
				rt.Fatalf("model and store disagree on %+v:\n%s", batch, diff)
			}
		}
		if err := model.Check(tenant); err != nil {
			rt.Fatal(err)
		}
		have, err := sums(t.Context(), tenant)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(model.Sums(tenant), have); diff != "" {
			rt.Fatalf("balances differ:\n%s", diff)
		}
	})
}

// draw makes a transaction that is often acceptable and sometimes not.
func draw(rt *rapid.T, known []uuid.UUID) ledger.Transaction {
	ids := rapid.Just(uuid.New())
	some := ids
	if len(known) > 0 {
		some = rapid.OneOf(rapid.SampledFrom(known), rapid.SampledFrom(known), ids)
	}
	accounts := rapid.SampledFrom([]string{ledger.CashBank, ledger.StripeClearing, ledger.CustomerDeposits, ledger.ProcessorFees})
	currencies := rapid.SampledFrom([]string{"usd", "eur"})
	t := ledger.Transaction{ID: uuid.New(), Purpose: "test", Actor: "test", Reason: "random"}
	if rapid.IntRange(0, 9).Draw(rt, "repeat") == 0 {
		t.ID = some.Draw(rt, "id")
	}
	t.Kind = rapid.SampledFrom([]ledger.Kind{ledger.Posted, ledger.Posted, ledger.Pending, ledger.Pending, ledger.PostPending, ledger.VoidPending}).Draw(rt, "kind")
	if t.Kind == ledger.PostPending || t.Kind == ledger.VoidPending {
		t.Resolves = some.Draw(rt, "resolves")
	}
	if t.Kind == ledger.Posted && rapid.IntRange(0, 3).Draw(rt, "reversal") == 0 {
		t.Reverses = some.Draw(rt, "reverses")
	}
	if t.Kind != ledger.VoidPending {
		for range rapid.IntRange(1, 2).Draw(rt, "pairs") {
			amount, currency := rapid.Int64Range(1, 50).Draw(rt, "amount"), currencies.Draw(rt, "currency")
			t.Entries = append(
				t.Entries,
				ledger.Entry{Account: accounts.Draw(rt, "debit"), Side: ledger.Debit, Amount: amount, Currency: currency},
				ledger.Entry{Account: accounts.Draw(rt, "credit"), Side: ledger.Credit, Amount: amount, Currency: currency},
			)
		}
		if rapid.IntRange(0, 9).Draw(rt, "spoil") == 0 {
			t.Entries[0].Amount++
		}
	}
	return t
}
