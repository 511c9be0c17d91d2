package harness_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/devstack/harness"
)

const saga = "sg_1"

// sound is one completed booking and everything that follows from it.
func sound() harness.Facts {
	entry := func(account, side string, amount int64) harness.EntryFact {
		return harness.EntryFact{Account: account, Side: side, Currency: "usd", Amount: amount}
	}
	transaction := func(seq int64, kind, id, resolves string, entries ...harness.EntryFact) harness.TransactionFact {
		return harness.TransactionFact{Tenant: "t", Saga: saga, Seq: seq, Kind: kind, ID: id, Resolves: resolves, Entries: entries}
	}
	return harness.Facts{
		Sagas: map[string]harness.SagaFact{saga: {Type: "booking", Tenant: "t", ID: saga, Status: "completed", Currency: "usd", Amount: 1000, Parts: []string{"hotel"}, Ends: 1}},
		Money: map[string]harness.MoneyFact{saga: {Authorized: 1000, Captured: 1000, Fees: 59, Captures: 1}},
		Goods: map[string]map[string]harness.GoodsFact{saga: {"hotel": {Reserved: 1, Confirmed: 1, Booked: 1}}},
		Transactions: []harness.TransactionFact{
			transaction(1, "pending", "a", "", entry("1020", "D", 1000), entry("2010", "C", 1000)),
			transaction(2, "post_pending", "b", "a", entry("1020", "D", 1000), entry("2010", "C", 1000)),
			transaction(3, "posted", "c", "", entry("5010", "D", 59), entry("1020", "C", 59)),
			transaction(4, "posted", "d", "", entry("2010", "D", 1000), entry("4010", "C", 1000)),
		},
		Balances: []harness.BalanceFact{
			{Tenant: "t", Account: "1020", Currency: "usd", DebitsPosted: 1000, CreditsPosted: 59},
			{Tenant: "t", Account: "2010", Currency: "usd", DebitsPosted: 1000, CreditsPosted: 1000},
		},
		Heads: map[string]int64{"t": 4},
	}
}

func TestTheCheckerFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	require.Empty(t, harness.Check(sound(), []string{saga}))

	change := func(f *harness.Facts, fn func(*harness.SagaFact)) {
		s := f.Sagas[saga]
		fn(&s)
		f.Sagas[saga] = s
	}
	money := func(f *harness.Facts, fn func(*harness.MoneyFact)) {
		m := f.Money[saga]
		fn(&m)
		f.Money[saga] = m
	}
	for name, tc := range map[string]struct {
		invariant string
		plant     func(f *harness.Facts)
	}{
		"a transaction does not balance":     {"I1", func(f *harness.Facts) { f.Transactions[3].Entries[0].Amount++ }},
		"a balance was edited":               {"I2", func(f *harness.Facts) { f.Balances[0].DebitsPosted++ }},
		"a hold counts as pending for ever":  {"I2", func(f *harness.Facts) { f.Balances[1].CreditsPending = 1000 }},
		"a transaction is gone":              {"I3", func(f *harness.Facts) { f.Transactions = f.Transactions[:3] }},
		"an acknowledged saga is gone":       {"I4", func(f *harness.Facts) { delete(f.Sagas, saga) }},
		"a saga never ended":                 {"I5", func(f *harness.Facts) { change(f, func(s *harness.SagaFact) { s.Status = "attention" }) }},
		"a saga ended twice":                 {"I5", func(f *harness.Facts) { change(f, func(s *harness.SagaFact) { s.Ends = 2 }) }},
		"an event follows the end":           {"I5", func(f *harness.Facts) { change(f, func(s *harness.SagaFact) { s.After = true }) }},
		"a step is open in a completed saga": {"I6", func(f *harness.Facts) { change(f, func(s *harness.SagaFact) { s.OpenOperations = 1 }) }},
		"money is held":                      {"I6", func(f *harness.Facts) { money(f, func(m *harness.MoneyFact) { m.OpenAuthorization = 1 }) }},
		"a room is held":                     {"I6", func(f *harness.Facts) { f.Goods[saga]["hotel"] = harness.GoodsFact{Reserved: 1, Booked: 1, Open: 1} }},
		"captured twice":                     {"I7", func(f *harness.Facts) { money(f, func(m *harness.MoneyFact) { m.Captures = 2 }) }},
		"captured and undone":                {"I7", func(f *harness.Facts) { change(f, func(s *harness.SagaFact) { s.Status = "compensated" }) }},
		"refunded and completed":             {"I7", func(f *harness.Facts) { money(f, func(m *harness.MoneyFact) { m.Refunded = 1000 }) }},
		"completed without the room":         {"I7", func(f *harness.Facts) { f.Goods[saga] = nil }},
		"reserved twice":                     {"I7", func(f *harness.Facts) { f.Goods[saga]["hotel"] = harness.GoodsFact{Reserved: 2, Booked: 1} }},
		"another fee in the books":           {"I7", func(f *harness.Facts) { money(f, func(m *harness.MoneyFact) { m.Fees = 60 }) }},
		"a payment nobody ordered":           {"I7", func(f *harness.Facts) { f.Money["sg_2"] = harness.MoneyFact{} }},
		"a reservation nobody ordered":       {"I7", func(f *harness.Facts) { f.Goods["sg_2"] = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := sound()
			tc.plant(&f)
			var found []string
			for _, v := range harness.Check(f, []string{saga}) {
				found = append(found, v.Invariant)
			}
			require.Contains(t, found, tc.invariant)
		})
	}
}
