package ledgerbench

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/devstack/benchdb"
	"github.com/recourse/recourse/ledger"
)

// accounts of the uniform shape; the hot shape's first one is in every transfer.
const accounts = 10_000

// A server is a private Postgres with the product's schema, a tenant with its
// accounts, and the baseline's tables beside them.
type server struct {
	*benchdb.Server

	tenant uuid.UUID
	pool   *pgxpool.Pool // as app_worker
}

func start(ctx context.Context) (_ *server, err error) {
	s := &server{}
	if s.Server, err = benchdb.Start(ctx); err != nil {
		return nil, err
	}
	if s.tenant, err = s.Tenant(ctx); err == nil {
		if err = s.Do(ctx, func(conn *pgx.Conn) error { return s.prepare(ctx, conn) }); err == nil {
			s.pool, err = s.Pool(ctx, "app_worker", 16)
		}
	}
	if err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *server) stop() {
	s.pool.Close()
	s.Stop()
}

// prepare opens the accounts in the tenant's first book and makes the
// baseline's tables.
func (s *server) prepare(ctx context.Context, conn *pgx.Conn) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, s.tenant.String())
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `set local role ledger_owner`); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			select ledger.add_accounts($1, 'main', array_agg(code), array_agg(code), array_agg('asset'::text), array_agg('D'::text), array_agg('usd'::text), '{}', '{}')
			  from (select 'bench-' || n as code from generate_series(0, $2 - 1) n) c`, s.tenant, accounts)
		return err
	})
	if err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	if _, err := conn.Exec(ctx, baselineSchema); err != nil {
		return fmt.Errorf("make the baseline's tables: %w", err)
	}
	if _, err := conn.Exec(ctx, `vacuum analyze`); err != nil {
		return fmt.Errorf("analyze: %w", err)
	}
	return nil
}

// transfer of the product: one posted transaction with two entries.
func transfer(debit, credit int, amount int64) ledger.Transaction {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New()
	}
	return ledger.Transaction{
		ID: id, Kind: ledger.Posted, Purpose: "bench.transfer", Actor: "bench", Reason: "a measurement",
		Entries: []ledger.Entry{
			{Account: code(debit), Side: ledger.Debit, Amount: amount, Currency: "usd"},
			{Account: code(credit), Side: ledger.Credit, Amount: amount, Currency: "usd"},
		},
	}
}

var codes = func() []string {
	out := make([]string, accounts)
	for i := range out {
		out[i] = fmt.Sprintf("bench-%d", i)
	}
	return out
}()

func code(n int) string { return codes[n] }
