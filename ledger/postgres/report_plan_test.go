package postgres_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

// A big book: transactions of two lines each between one of 200 customers'
// accounts and one of ten others, spread over four months of recording. They
// are written as the ledger's owner, set by set, because it is the plans that
// matter here and not the chain.
const bigBook = 120_000

func newBigLibrary(t *testing.T) *library {
	t.Helper()
	db := pgtest.New(t)
	l := &library{T: t, db: db, store: postgres.New(db.Pool("app_worker")), reports: postgres.New(db.Pool("app_api")), tenant: db.Tenant()}
	ctx := t.Context()
	addPartitions(t, db.Super(), "2026-11-01", 5) // also when these months are over
	tx, err := db.Super().Begin(ctx)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, sql := range []string{
		`select set_config('app.tenant', '` + l.tenant.String() + `', true)`, `set local role ledger_owner`,
		`select * from ledger.lock_book('` + l.tenant.String() + `', 'main', false)`,
		`select ledger.add_accounts('` + l.tenant.String() + `', 'main', array_agg(c), array_agg(c), array_agg('asset'::text), array_agg('D'::text), array_agg('usd'::text), '{}', '{}')
		   from (select 'big' || g::text from generate_series(0, 9) g union all select 'c' || g from generate_series(0, 199) g) x (c)`,
		`select set_config('ledger.door', 'open', true), set_config('ledger.book', (select id from ledger.book)::text, true)`,
		`insert into ledger.journal (seq, recorded_at, id, book_id, effective_on, period, kind, purpose, actor, reason, saga_id, order_ref, hash)
		 select t.seq, t.at, gen_random_uuid(), b.id, t.at::date, date_trunc('month', t.at at time zone 'UTC')::date, 'posted', 'p' || t.seq % 5, 'saga', 'r',
		        'sg_' || t.seq / 5, 'A-' || t.seq / 5, sha256(int8send(t.seq))
		   from (select g::bigint as seq, timestamptz '2026-11-01 00:00:00Z' + g * interval '80 seconds' as at from generate_series(1, ` + fmt.Sprint(bigBook) + `) g) t, ledger.book b`,
		`insert into ledger.journal_key (seq, recorded_at, id, book_id) select j.seq, j.recorded_at, j.id, j.book_id from ledger.journal j`,
		`insert into ledger.posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
		 select t.recorded_at, t.seq, a.id, 7, 7 * row_number() over (partition by a.id order by t.seq), 0, 0, a.book_id, t.period, 1, 'D', 'P'
		   from ledger.journal t join ledger.account a on a.code = 'c' || (t.seq * 31) % 200
		 union all
		 select t.recorded_at, t.seq, a.id, 7, -7 * row_number() over (partition by a.id order by t.seq), 0, 0, a.book_id, t.period, 2, 'C', 'P'
		   from ledger.journal t join ledger.account a on a.code = 'big' || t.seq % 10`,
		`update ledger.balance b set debits_posted = s.d, credits_posted = s.c
		   from (select account_id, coalesce(sum(amount) filter (where side = 'D'), 0) as d, coalesce(sum(amount) filter (where side = 'C'), 0) as c
		           from ledger.posting group by 1) s where s.account_id = b.account_id`,
		`update ledger.book set seq = ` + fmt.Sprint(bigBook) + `, recorded_at = (select max(recorded_at) from ledger.journal)`,
	} {
		_, err = tx.Exec(ctx, sql)
		require.NoError(t, err, sql)
	}
	require.NoError(t, tx.Commit(ctx))
	_, err = db.Super().Exec(ctx, `vacuum analyze ledger.journal, ledger.posting, ledger.account, ledger.journal_key, ledger.balance`)
	require.NoError(t, err)
	return l
}

// Of an empty partition a scan is as good as an index.
var onTheBooks = regexp.MustCompile(`Seq Scan on (journal|posting)_(2026_1[12]|2027_0[12])`)

// plan is how the database goes about a statement of the API's role.
func (l *library) plan(sql string, args ...any) string {
	l.Helper()
	tx, err := l.db.Pool("app_api").Begin(l.Context())
	require.NoError(l, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(l.Context())) }()
	_, err = tx.Exec(l.Context(), `select set_config('app.tenant', $1, true)`, l.tenant.String())
	require.NoError(l, err)
	var lines []string
	for range 2 { // the first time it also reads the catalogue
		rows, err := tx.Query(l.Context(), "explain (analyze, buffers, costs off, timing off) "+sql, args...)
		require.NoError(l, err)
		lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(l, err)
	}
	return strings.Join(lines, "\n")
}

var buffers = regexp.MustCompile(`Buffers: shared hit=(\d+)(?: read=(\d+))?`)

// blocks is how many blocks a plan touched.
func blocks(t *testing.T, plan string) (n int) {
	t.Helper()
	m := buffers.FindStringSubmatch(plan)
	require.NotNil(t, m, plan)
	for _, s := range m[1:] {
		var k int
		_, _ = fmt.Sscan(s, &k)
		n += k
	}
	return n
}

// What people and programs ask all day finds its rows by an index, however
// long the book is.
func TestHotQueriesReadNoWholeTable(t *testing.T) {
	t.Parallel()
	l := newBigLibrary(t)
	var book int32
	var account int64
	var id uuid.UUID
	require.NoError(t, l.db.Super().QueryRow(t.Context(), `select id, book_id from ledger.account where code = 'c7'`).Scan(&account, &book))
	require.NoError(t, l.db.Super().QueryRow(t.Context(), `select id from ledger.journal where seq = 5000`).Scan(&id))
	from, to := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	period := pgtype.Date{Time: from, Valid: true}
	none := pgtype.Date{}
	whole := l.plan(postgres.EntriesSQL, book, from, to, period, "", "")
	require.NotRegexp(t, onTheBooks, whole, "the whole ledger goes account by account")
	require.Contains(t, whole, "Incremental Sort", "and its first row does not wait for the last")
	for name, q := range map[string]struct {
		sql  string
		args []any
		most int // blocks
	}{
		"statement of a month":     {postgres.EntriesSQL, []any{book, from, to, period, "c7", "usd"}, 3000},
		"statement of a time":      {postgres.EntriesSQL, []any{book, from, to, none, "c7", "usd"}, 3000},
		"opening of one account":   {postgres.BalancesSQL, []any{book, from, to, none, "c7", "usd"}, 2000},
		"a page of an account":     {postgres.PageSQL, []any{book, "c7", "usd", from, 0, 101}, 2000},
		"transactions of a saga":   {postgres.OfSagaSQL, []any{l.tenant, "main", "sg_1000"}, 600},
		"transactions of an order": {postgres.OfOrderSQL, []any{l.tenant, "main", "A-1000"}, 600},
		"a transaction":            {postgres.OfIDSQL, []any{l.tenant, "main", id}, 200},
		"audit trail":              {postgres.TrailSQL, []any{book, id, 0, 0}, 600},
		"balance at a moment":      {`select * from ledger.balance_at($1, $2)`, []any{account, from}, 60},
	} {
		plan := l.plan(q.sql, q.args...)
		t.Logf("%s: %d blocks", name, blocks(t, plan))
		if found := onTheBooks.FindString(plan); found != "" || blocks(t, plan) > q.most {
			t.Errorf("%s: %s, %d blocks:\n%s", name, found, blocks(t, plan), plan)
		}
	}
	l.readAll()
}

// readAll reads big reports whole, and says how long that took.
func (l *library) readAll() {
	l.Helper()
	t := l.T
	q := report.Query{Report: report.GeneralLedger, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)}
	start := time.Now()
	c, err := l.writeTo(io.Discard, report.CSV, q)
	require.NoError(t, err)
	require.EqualValues(t, 2*bigBook, c.Rows)
	require.True(t, *c.Balanced)
	t.Logf("%d rows in %s", c.Rows, time.Since(start).Round(time.Millisecond))
	for _, name := range []report.Name{report.TrialBalance, report.AccountRollforward, report.JournalExport} {
		start = time.Now()
		q := report.Query{Report: name, Period: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		c, err = l.writeTo(io.Discard, report.CSV, q)
		require.NoError(t, err)
		t.Logf("%s: %d rows in %s", name, c.Rows, time.Since(start).Round(time.Millisecond))
	}
}

var endOfTests = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)

// counting counts the statements a pool sends.
type counting struct{ n atomic.Int64 }

func (c *counting) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

func (*counting) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A list of a hundred takes as many statements as a list of one, and a report
// of many accounts as many as one of few.
func TestTheNumberOfStatementsDoesNotGrow(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	cfg, err := pgxpool.ParseConfig(l.db.URL("app_api"))
	require.NoError(t, err)
	counter := &counting{}
	cfg.ConnConfig.Tracer = counter
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	l.reports = postgres.New(pool)
	count := func() map[string]int64 {
		out := map[string]int64{}
		measure := func(name string, do func()) {
			before := counter.n.Load()
			do()
			out[name] = counter.n.Load() - before
		}
		for _, d := range report.Definitions() {
			q := report.Query{Report: d.Name, From: months[0], To: endOfTests}
			switch d.Name {
			case report.AccountStatement:
				q.Account = "1020"
			case report.AuditTrail:
				q = report.Query{Report: d.Name, Seq: 1}
			default:
			}
			measure(string(d.Name), func() {
				_, err := l.writeTo(io.Discard, report.CSV, q)
				require.NoError(t, err)
			})
		}
		book := ledger.Main(l.tenant)
		measure("entries", func() {
			_, err := l.reports.Entries(t.Context(), book, postgres.Page{Account: "1020", Limit: 100})
			require.NoError(t, err)
		})
		measure("of order", func() {
			_, err := l.reports.TransactionsOfOrder(t.Context(), book, "A-1")
			require.NoError(t, err)
		})
		measure("of saga", func() {
			_, err := l.reports.TransactionsOfSaga(t.Context(), book, "sg_1")
			require.NoError(t, err)
		})
		return out
	}
	requirePosted(t, l.store, l.tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	one := count()
	l.post(300)
	require.Equal(t, one, count())
	for name, n := range one {
		require.LessOrEqual(t, n, int64(11), "%s: begin and end, the part of the book, its checkpoint, the account, cursors", name)
	}
	require.LessOrEqual(t, one["entries"], int64(5), "begin, tenant, book, page, commit")
}
