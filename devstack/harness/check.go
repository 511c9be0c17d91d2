package harness

import (
	"fmt"
	"sort"
)

// Violation is one broken promise, by its invariant.
type Violation struct {
	Invariant string `json:"invariant"`
	Saga      string `json:"saga,omitempty"`
	Detail    string `json:"detail"`
}

func (v Violation) String() string { return v.Invariant + " " + v.Saga + ": " + v.Detail }

// The accounts the checker knows, by what they are for.
const (
	clearing = "1020"
	deposits = "2010"
	revenue  = "4010"
	fees     = "5010"
)

// A checker collects what is broken.
type checker struct {
	facts Facts
	found []Violation
}

func (c *checker) must(ok bool, invariant, saga, format string, args ...any) {
	if !ok {
		c.found = append(c.found, Violation{invariant, saga, fmt.Sprintf(format, args...)})
	}
}

// Check holds the facts against the promises:
//
//	I1  debits equal credits, in every transaction and currency
//	I2  a balance is the sum of its account's entries
//	I3  the sequence has no gap
//	I4  what was acknowledged exists
//	I5  every acknowledged saga has exactly one terminal state, the last thing said
//	I6  nothing is left open
//	I7  money, goods and books agree about how it ended
//	I8  who owns a unit follows from one line of changes, and money moved with it
//
// accepted are the sagas that were answered 202.
func Check(f Facts, accepted []string) []Violation {
	c := &checker{facts: f}
	books := c.books()
	for _, id := range accepted {
		_, ok := f.Sagas[id]
		c.must(ok, "I4", id, "acknowledged, and not in the database")
	}
	ids := make([]string, 0, len(f.Sagas))
	for id := range f.Sagas {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		c.saga(f.Sagas[id], books[id])
	}
	c.must(f.Forks == 0, "I8", "", "%d changes of owner do not follow the one before", f.Forks)
	for id := range f.Inbox {
		c.must(f.Trades[id].Shipped, "I8", id, "a buyer has a document of a transfer that did not ship")
	}
	for id := range f.Money {
		_, ok := f.Sagas[id]
		c.must(ok, "I7", id, "Stripe knows a saga the database does not")
	}
	for id := range f.Goods {
		_, ok := f.Sagas[id]
		c.must(ok, "I7", id, "a participant knows a saga the database does not")
	}
	return c.found
}

// a book is what one saga posted: net debits by account.
type book struct{ posted, pending map[string]int64 }

// books recomputes everything from the entries and compares it with what is
// stored.
func (c *checker) books() map[string]book {
	resolved, last, count := map[string]bool{}, map[string]int64{}, map[string]int64{}
	for _, t := range c.facts.Transactions {
		if t.Resolves != "" {
			resolved[t.Tenant+t.Resolves] = true
		}
		last[t.Tenant] = max(last[t.Tenant], t.Seq)
		count[t.Tenant]++
	}
	for tenant, n := range count {
		c.must(n == last[tenant] && c.facts.Heads[tenant] == n, "I3", "", "tenant %s has %d transactions, the last is %d, the head %d", tenant, n, last[tenant], c.facts.Heads[tenant])
	}
	sums := map[[3]string]BalanceFact{}
	sagas := map[string]book{}
	for _, t := range c.facts.Transactions {
		net := map[string]int64{}
		if sagas[t.Saga].posted == nil {
			sagas[t.Saga] = book{posted: map[string]int64{}, pending: map[string]int64{}}
		}
		for _, e := range t.Entries {
			sign := int64(1)
			if e.Side == "C" {
				sign = -1
			}
			net[e.Currency] += sign * e.Amount
			key := [3]string{t.Tenant, e.Account, e.Currency}
			b := sums[key]
			switch {
			case t.Kind != "pending":
				sagas[t.Saga].posted[e.Account] += sign * e.Amount
				if sign > 0 {
					b.DebitsPosted += e.Amount
				} else {
					b.CreditsPosted += e.Amount
				}
			case !resolved[t.Tenant+t.ID]:
				sagas[t.Saga].pending[e.Account] += e.Amount
				if sign > 0 {
					b.DebitsPending += e.Amount
				} else {
					b.CreditsPending += e.Amount
				}
			}
			sums[key] = b
		}
		for currency, n := range net {
			c.must(n == 0, "I1", t.Saga, "transaction %d differs by %d %s", t.Seq, n, currency)
		}
	}
	for _, b := range c.facts.Balances {
		want := sums[[3]string{b.Tenant, b.Account, b.Currency}]
		want.Tenant, want.Account, want.Currency = b.Tenant, b.Account, b.Currency
		c.must(b == want, "I2", "", "the balance of %s %s is %+v, its entries give %+v", b.Account, b.Currency, b, want)
	}
	return sagas
}

// saga holds one saga against the simulators' books and the ledger.
func (c *checker) saga(s SagaFact, b book) {
	if s.Type != "booking" {
		c.trade(s, b)
		return
	}
	ended := s.Status == "completed" || s.Status == "compensated" || s.Status == "rejected"
	c.must(ended, "I5", s.ID, "is %s", s.Status)
	c.must(s.Ends == 1, "I5", s.ID, "has %d terminal events", s.Ends)
	c.must(!s.After, "I5", s.ID, "said something after its end")
	completed := s.Status == "completed"
	net := int64(0)
	if completed {
		net = s.Amount
	}
	c.must(!completed || s.OpenOperations == 0, "I6", s.ID, "completed with %d open operations", s.OpenOperations)

	m := c.facts.Money[s.ID]
	c.must(m.Captures <= 1, "I7", s.ID, "captured %d times", m.Captures)
	c.must(m.Refunds <= 1, "I7", s.ID, "refunded %d times", m.Refunds)
	c.must(m.Captured-m.Refunded == net, "I7", s.ID, "%s, and Stripe has %d of %d", s.Status, m.Captured-m.Refunded, s.Amount)
	c.must(m.OpenAuthorization == 0, "I6", s.ID, "%d are still held on the card", m.OpenAuthorization)

	booked := 0
	for kind, g := range c.facts.Goods[s.ID] {
		c.must(g.Open == 0, "I6", s.ID, "%d open reservations at %s", g.Open, kind)
		c.must(g.Reserved <= 1, "I7", s.ID, "reserved %d times at %s", g.Reserved, kind)
		booked += g.Booked
	}
	want := 0
	if completed {
		want = len(s.Parts)
	}
	c.must(booked == want, "I7", s.ID, "%s with %d of %d parts booked", s.Status, booked, len(s.Parts))

	for account, n := range b.pending {
		c.must(n == 0, "I6", s.ID, "%d are pending on account %s", n, account)
	}
	c.must(b.posted[clearing] == net-m.Fees, "I7", s.ID, "the books have %d at Stripe, its own book %d", b.posted[clearing], net-m.Fees)
	c.must(b.posted[fees] == m.Fees, "I7", s.ID, "the books have fees of %d, Stripe took %d", b.posted[fees], m.Fees)
	c.must(-b.posted[revenue] == net, "I7", s.ID, "the revenue is %d, not %d", -b.posted[revenue], net)
	c.must(b.posted[deposits] == 0, "I7", s.ID, "a deposit of %d is left over", b.posted[deposits])
}
