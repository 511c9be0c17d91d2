package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"
)

// Facts are everything the checker compares, read from the database and from
// the simulators' books.
type Facts struct {
	Sagas        map[string]SagaFact
	Money        map[string]MoneyFact            // Stripe's book by saga
	Goods        map[string]map[string]GoodsFact // the participants' book by saga and kind
	Transactions []TransactionFact
	Balances     []BalanceFact
	Heads        map[string]int64 // last sequence number by tenant
	Trades       map[string]TradeFact
	Inbox        map[string]InboxFact // the buyers' own book by saga
	Forks        int                  // changes of owner that do not follow the one before
}

// SagaFact is a saga's row.
type SagaFact struct {
	Tenant, ID, Type, Status, Currency string
	Amount                             int64
	Parts                              []string
	Ends                               int  // terminal events
	After                              bool // an event after the terminal one
	OpenOperations                     int
}

// MoneyFact is what Stripe's book says of one saga.
type MoneyFact struct {
	Authorized        int64 `json:"authorized"`
	Captured          int64 `json:"captured"`
	Refunded          int64 `json:"refunded"`
	Canceled          int64 `json:"canceled"`
	Fees              int64 `json:"fees"`
	Captures          int   `json:"captures"`
	Refunds           int   `json:"refunds"`
	OpenAuthorization int64 `json:"open_authorization"`
}

// GoodsFact is what the participants' book says of one saga and kind.
type GoodsFact struct {
	Reserved  int `json:"reserved"`
	Confirmed int `json:"confirmed"`
	Cancelled int `json:"cancelled"`
	Open      int `json:"open"`
	Booked    int `json:"booked"`
}

// TransactionFact is a ledger transaction with its entries.
type TransactionFact struct {
	Tenant, Saga, Kind, Purpose, ID, Resolves string
	Seq                                       int64
	Entries                                   []EntryFact
}

// EntryFact is one entry.
type EntryFact struct {
	Account  string `json:"account"`
	Side     string `json:"side"`
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// BalanceFact is a stored balance.
type BalanceFact struct {
	Tenant, Account, Currency                                  string
	DebitsPosted, CreditsPosted, DebitsPending, CreditsPending int64
}

// Gather reads the facts. super is a superuser's URL of the product's database.
func Gather(ctx context.Context, super, stripe, participants string) (Facts, error) {
	f := Facts{Sagas: map[string]SagaFact{}, Heads: map[string]int64{}}
	conn, err := pgx.Connect(ctx, super)
	if err != nil {
		return f, fmt.Errorf("connect to check: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		for _, read := range []func(context.Context, pgx.Tx) error{f.sagas, f.transactions, f.balances, f.heads, f.trades} {
			if err := read(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return f, err
	}
	var money struct{ Sagas map[string]MoneyFact }
	var goods struct {
		Sagas map[string]map[string]GoodsFact
	}
	if err := fetch(ctx, stripe+"/_sim/book/summary", &money); err != nil {
		return f, err
	}
	if err := fetch(ctx, participants+"/_sim/book/summary", &goods); err != nil {
		return f, err
	}
	f.Money, f.Goods = money.Sagas, goods.Sagas
	return f, f.inboxes(ctx, participants)
}

func (f *Facts) sagas(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		select s.tenant_id::text, s.id, s.type, s.status, s.currency, s.amount, array(select jsonb_array_elements_text(s.plan -> 'parts')),
		       (select count(*) from app.saga_event e where e.tenant_id = s.tenant_id and e.saga_id = s.id and e.type = 'saga.status'
		           and e.data ->> 'status' in ('completed', 'compensated', 'rejected')),
		       exists (select from app.saga_event e join app.saga_event t on t.tenant_id = e.tenant_id and t.saga_id = e.saga_id
		           where e.tenant_id = s.tenant_id and e.saga_id = s.id and e.version > t.version and t.type = 'saga.status'
		             and t.data ->> 'status' in ('completed', 'compensated', 'rejected')),
		       (select count(*) from app.saga_step o where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.finished_at is null)
		  from app.saga s`)
	if err != nil {
		return fmt.Errorf("read sagas: %w", err)
	}
	var s SagaFact
	_, err = pgx.ForEachRow(rows, []any{&s.Tenant, &s.ID, &s.Type, &s.Status, &s.Currency, &s.Amount, &s.Parts, &s.Ends, &s.After, &s.OpenOperations}, func() error {
		f.Sagas[s.ID] = s
		s.Parts = nil
		return nil
	})
	return err
}

func (f *Facts) transactions(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		select b.tenant_id::text, coalesce(j.saga_id, ''), j.kind, j.purpose, j.id::text, coalesce(j.resolves::text, ''), j.seq,
		       coalesce((select jsonb_agg(jsonb_build_object('account', a.code, 'side', p.side, 'currency', a.currency, 'amount', p.amount))
		                   from ledger.posting p join ledger.account a on a.id = p.account_id
		                  where p.book_id = j.book_id and p.recorded_at = j.recorded_at and p.layer <> 'R'), '[]')
		  from ledger.journal j join ledger.book b on b.id = j.book_id order by b.tenant_id, j.seq`)
	if err != nil {
		return fmt.Errorf("read transactions: %w", err)
	}
	var t TransactionFact
	var entries []byte
	_, err = pgx.ForEachRow(rows, []any{&t.Tenant, &t.Saga, &t.Kind, &t.Purpose, &t.ID, &t.Resolves, &t.Seq, &entries}, func() error {
		t.Entries = nil
		if err := json.Unmarshal(entries, &t.Entries); err != nil {
			return err
		}
		f.Transactions = append(f.Transactions, t)
		return nil
	})
	return err
}

func (f *Facts) balances(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		select a.tenant_id::text, a.code, a.currency, b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
		  from ledger.account a join ledger.balance b on b.account_id = a.id`)
	if err != nil {
		return fmt.Errorf("read balances: %w", err)
	}
	var b BalanceFact
	_, err = pgx.ForEachRow(rows, []any{
		&b.Tenant, &b.Account, &b.Currency, &b.DebitsPosted, &b.CreditsPosted, &b.DebitsPending, &b.CreditsPending,
	}, func() error { f.Balances = append(f.Balances, b); return nil })
	return err
}

func (f *Facts) heads(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select tenant_id::text, seq from ledger.book`)
	if err != nil {
		return fmt.Errorf("read heads: %w", err)
	}
	var tenant string
	var seq int64
	_, err = pgx.ForEachRow(rows, []any{&tenant, &seq}, func() error { f.Heads[tenant] = seq; return nil })
	return err
}

func fetch(ctx context.Context, url string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return fmt.Errorf("read a simulator's book: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read a simulator's book: %w", err)
	}
	return nil
}
