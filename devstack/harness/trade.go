package harness

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// TradeFact is what the database says of the goods of one transfer or return.
type TradeFact struct {
	Of        string // of a return: the transfer
	Shipped   bool   // its facts are kept
	SHA256    string // of its document
	Packages  int
	Moved     int // changes of owner by its document
	Reserved  int
	Received  bool
	Documents int // that it sent, in custody
}

// InboxFact is what a buyer's own book says of one transfer.
type InboxFact struct {
	SHA256    string
	Documents int
}

func (f *Facts) trades(ctx context.Context, tx pgx.Tx) error {
	f.Trades = map[string]TradeFact{}
	rows, err := tx.Query(ctx, `
		select s.id, coalesce(s.request ->> 'of', ''), t.saga_id is not null, coalesce(encode(t.xml_sha256, 'hex'), ''),
		       coalesce((select sum(l.quantity) from custody.t3_line l where l.tenant_id = s.tenant_id and l.saga_id = s.id), 0),
		       (select count(*) from custody.hop h
		          join custody.event e on e.chain_id = h.chain_id and e.seq = h.event
		          join custody.document d on d.chain_id = e.chain_id and d.seq = e.document
		         where d.saga_id = s.id),
		       (select count(*) from custody.reservation r where r.saga_id = s.id),
		       exists (select from custody.receipt r where r.tenant_id = s.tenant_id and r.saga_id = s.id),
		       (select count(*) from custody.document d where d.saga_id = s.id and d.direction = 'sent')
		  from app.saga s
		  left join custody.t3 t on t.tenant_id = s.tenant_id and t.saga_id = s.id
		 where s.type in ('transfer', 'return')`)
	if err != nil {
		return fmt.Errorf("read the goods: %w", err)
	}
	var id string
	var t TradeFact
	_, err = pgx.ForEachRow(rows, []any{&id, &t.Of, &t.Shipped, &t.SHA256, &t.Packages, &t.Moved, &t.Reserved, &t.Received, &t.Documents}, func() error {
		f.Trades[id] = t
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the goods: %w", err)
	}
	err = tx.QueryRow(ctx, `
		select count(*) from custody.hop h join custody.hop before on before.chain_id = h.chain_id and before.item = h.item and before.n = h.n - 1
		 where before.to_owner <> h.from_owner`).Scan(&f.Forks)
	if err != nil {
		return fmt.Errorf("read the changes of owner: %w", err)
	}
	return nil
}

func (f *Facts) inboxes(ctx context.Context, participants string) error {
	f.Inbox = map[string]InboxFact{}
	var book struct {
		Data []struct {
			SagaID string `json:"saga_id"`
			SHA256 string `json:"sha256"`
		}
	}
	if err := fetch(ctx, participants+"/_sim/inbox", &book); err != nil {
		return err
	}
	for _, d := range book.Data {
		f.Inbox[d.SagaID] = InboxFact{SHA256: d.SHA256, Documents: f.Inbox[d.SagaID].Documents + 1}
	}
	return nil
}

const (
	payable = "2100"
	refunds = "2300"
	cash    = "1010"
)

// trade holds a transfer or a return against everybody's books: the owner has
// changed exactly if the money has.
func (c *checker) trade(s SagaFact, b book) {
	completed := s.Status == "completed"
	c.must(completed || s.Status == "compensated" || s.Status == "rejected", "I5", s.ID, "is %s", s.Status)
	c.must(s.Ends == 1, "I5", s.ID, "has %d terminal events", s.Ends)
	c.must(!s.After, "I5", s.ID, "said something after its end")
	c.must(!completed || s.OpenOperations == 0, "I6", s.ID, "completed with %d open operations", s.OpenOperations)
	for account, n := range b.pending {
		c.must(n == 0, "I6", s.ID, "%d are pending on account %s", n, account)
	}

	t, in := c.facts.Trades[s.ID], c.facts.Inbox[s.ID]
	c.must(t.Reserved == 0, "I6", s.ID, "%d units are still reserved", t.Reserved)
	c.must(t.Shipped == completed, "I8", s.ID, "%s, and shipped is %t", s.Status, t.Shipped)
	c.must(t.Received == completed, "I8", s.ID, "%s, and received is %t", s.Status, t.Received)
	if completed {
		c.must(t.Moved >= t.Packages && t.Packages > 0, "I8", s.ID, "%d packages, and %d changes of owner", t.Packages, t.Moved)
		c.must(t.Documents == 1, "I8", s.ID, "%d documents are in custody", t.Documents)
		c.must(in.Documents == 1 && in.SHA256 == t.SHA256, "I8", s.ID, "the buyer has %d documents, %s and not %s", in.Documents, in.SHA256, t.SHA256)
	} else {
		c.must(t.Moved == 0 && t.Documents == 0 && in.Documents == 0, "I8", s.ID, "%s, and %d changes of owner, %d documents kept, %d sent", s.Status, t.Moved, t.Documents, in.Documents)
	}
	if s.Type == "return" {
		c.returned(s, b, completed)
	} else {
		c.sold(s, b, completed)
	}
}

func (c *checker) sold(s SagaFact, b book, completed bool) {
	net := int64(0)
	if completed {
		net = s.Amount
	}
	m, back := c.facts.Money[s.ID], int64(0)
	for id, t := range c.facts.Trades {
		if t.Of == s.ID && c.facts.Sagas[id].Status == "completed" {
			back += c.facts.Sagas[id].Amount
		}
	}
	c.must(m.Captures <= 1, "I7", s.ID, "captured %d times", m.Captures)
	c.must(m.Captured-m.Refunded == net-back, "I7", s.ID, "%s with %d returned, and Stripe has %d of %d", s.Status, back, m.Captured-m.Refunded, s.Amount)
	c.must(m.OpenAuthorization == 0, "I6", s.ID, "%d are still held on the card", m.OpenAuthorization)
	c.balanced(s, b, map[string]int64{clearing: net - m.Fees, fees: m.Fees, cash: -net})
}

func (c *checker) returned(s SagaFact, b book, completed bool) {
	net := int64(0)
	if completed {
		net = s.Amount
	}
	c.balanced(s, b, map[string]int64{clearing: -net, payable: net})
}

// balanced holds the accounts that a saga moves against what they must have.
func (c *checker) balanced(s SagaFact, b book, want map[string]int64) {
	for _, account := range []string{clearing, deposits, revenue, fees, payable, refunds, cash} {
		c.must(b.posted[account] == want[account], "I7", s.ID, "account %s has %d and not %d", account, b.posted[account], want[account])
	}
}
