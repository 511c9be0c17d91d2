package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// readings counts how often accounts are read.
type readings struct{ n atomic.Int64 }

func (*readings) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (r *readings) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if strings.Contains(data.SQL, "ledger.accounts_of(") {
		r.n.Add(1)
	}
}

func (*readings) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (*readings) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (*readings) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A writer that meets the accounts of a book one after the other has soon read
// them all, and what it has read ahead is right also when others post between.
func TestAWriterReadsAccountsAhead(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Tenant()
	const n = 300
	asOwner(t, db.Super(), tenant, fmt.Sprintf(`
		select ledger.add_accounts('%s', 'main', array_agg(code), array_agg(code), array_agg('asset'::text), array_agg('D'::text), array_agg('usd'::text), '{}', '{}')
		  from (select 'far-' || n as code from generate_series(0, %d) n) c`, tenant, n-1))
	cfg, err := pgxpool.ParseConfig(db.URL("app_api"))
	require.NoError(t, err)
	seen := &readings{}
	cfg.ConnConfig.Tracer = seen
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	store, other := postgres.New(pool), postgres.New(db.Pool("app_worker"))

	code := func(i int) string { return fmt.Sprintf("far-%d", i%n) }
	round := func(amount int64, between func(i int)) {
		for i := range n {
			requirePosted(t, store, tenant, ledgertest.Transfer(uuid.New(), code(i*7), code(i*7+1), amount))
			between(i)
		}
	}
	round(3, func(int) {})
	// With the book locked, then 64, 64, 128 and the rest ahead.
	require.LessOrEqual(t, seen.n.Load(), int64(5))
	round(5, func(i int) {
		if i%10 == 0 { // what the writer knows of balances is lost
			requirePosted(t, other, tenant, ledgertest.Transfer(uuid.New(), code(i*11), code(i*11+5), 1000))
		}
	})
	requireSound(t, db)
}
