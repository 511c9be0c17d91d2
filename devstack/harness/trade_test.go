package harness_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/devstack/harness"
)

// sold is one completed transfer and everything that follows from it.
func sold() harness.Facts {
	f := sound()
	entry := func(account, side string, amount int64) harness.EntryFact {
		return harness.EntryFact{Account: account, Side: side, Currency: "usd", Amount: amount}
	}
	f.Sagas[saga] = harness.SagaFact{Type: "transfer", Tenant: "t", ID: saga, Status: "completed", Currency: "usd", Amount: 1000, Ends: 1}
	f.Goods = nil
	f.Transactions[3].Entries = []harness.EntryFact{entry("2010", "D", 1000), entry("2100", "C", 1000)}
	payout := f.Transactions[3]
	payout.Seq, payout.ID, payout.Entries = 5, "e", []harness.EntryFact{entry("2100", "D", 1000), entry("1010", "C", 1000)}
	f.Transactions = append(f.Transactions, payout)
	f.Heads["t"] = 5
	f.Trades = map[string]harness.TradeFact{saga: {Shipped: true, SHA256: "ab", Packages: 2, Moved: 2, Received: true, Documents: 1}}
	f.Inbox = map[string]harness.InboxFact{saga: {SHA256: "ab", Documents: 1}}
	return f
}

func TestTheCheckerFindsGoodsAndMoneyApart(t *testing.T) {
	t.Parallel()
	require.Empty(t, harness.Check(sold(), []string{saga}))
	for name, change := range map[string]func(*harness.TradeFact){
		"completed and not shipped":      func(t *harness.TradeFact) { t.Shipped = false },
		"a package kept its owner":       func(t *harness.TradeFact) { t.Moved = 1 },
		"the document is not kept":       func(t *harness.TradeFact) { t.Documents = 0 },
		"the buyer has another document": func(t *harness.TradeFact) { t.SHA256 = "cd" },
		"never received":                 func(t *harness.TradeFact) { t.Received = false },
		"units are reserved for ever":    func(t *harness.TradeFact) { t.Reserved = 1 },
	} {
		f := sold()
		trade := f.Trades[saga]
		change(&trade)
		f.Trades[saga] = trade
		found := harness.Check(f, []string{saga})
		require.NotEmpty(t, found, name)
		require.True(t, strings.HasPrefix(found[0].String(), "I8") || strings.HasPrefix(found[0].String(), "I6"), "%s: %v", name, found)
	}
	undone := sold()
	s := undone.Sagas[saga]
	s.Status = "compensated"
	undone.Sagas[saga] = s
	require.NotEmpty(t, harness.Check(undone, []string{saga}), "undone, and the goods are gone")
}
