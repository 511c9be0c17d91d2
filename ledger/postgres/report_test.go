package postgres_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

// months are the periods the random books of these tests spread over, before
// the month in which the tests run.
var months = []time.Time{monthOf(2026, 3), monthOf(2026, 4), monthOf(2026, 5), monthOf(2026, 6), monthOf(2026, 7)}

func monthOf(y, m int) time.Time { return time.Date(y, time.Month(m), 1, 0, 0, 0, 0, time.UTC) }

// library is a database with a book to report on.
type library struct {
	*testing.T
	db      *pgtest.DB
	store   *postgres.Store
	reports *postgres.Store // as the API has it
	tenant  uuid.UUID
	rand    *rand.Rand
	posted  []ledger.Transaction
}

func newLibrary(t *testing.T) *library {
	t.Helper()
	db := pgtest.New(t)
	return &library{
		T: t, db: db, store: postgres.New(db.Pool("app_worker")), reports: postgres.New(db.Pool("app_api")),
		tenant: db.Tenant(), rand: rand.New(rand.NewPCG(7, 11)),
	}
}

// post puts n random transactions into the books: three currencies, months in
// no order, pending ones, and reversals.
func (l *library) post(n int) {
	l.Helper()
	accounts := []string{ledger.CashBank, ledger.StripeClearing, "1200", ledger.CustomerDeposits, ledger.BookingRevenue, ledger.ProcessorFees}
	var batch []ledger.Transaction
	for i := range n {
		at := l.rand.Perm(len(accounts))
		x := ledgertest.Transfer(uuid.New(), accounts[at[0]], accounts[at[1]], 1+l.rand.Int64N(1_000_000))
		currency := []string{"usd", "usd", "jpy", "bhd"}[l.rand.IntN(4)]
		for k := range x.Entries {
			x.Entries[k].Currency = currency
		}
		x.EffectiveOn = months[l.rand.IntN(len(months))].AddDate(0, 0, l.rand.IntN(28))
		x.Purpose = []string{"booking.capture", "booking.fee", "payout"}[l.rand.IntN(3)]
		x.Reason, x.SagaID, x.OrderRef = fmt.Sprintf("reason, \"%d\"", i), fmt.Sprintf("sg_%d", i%50), fmt.Sprintf("A-%d", i%70)
		if i%10 == 3 {
			x.Kind = ledger.Pending
		}
		if i%10 == 7 && len(batch) > 3 {
			if back := batch[len(batch)-2]; back.Kind == ledger.Posted && back.Reverses == uuid.Nil {
				x.Entries = mirror(back.Entries)
				x.Reverses = back.ID
			}
		}
		batch = append(batch, x)
		if len(batch) == 500 || i == n-1 {
			requirePosted(l.T, l.store, l.tenant, batch...)
			l.posted = append(l.posted, batch...)
			batch = nil
		}
	}
}

func mirror(entries []ledger.Entry) []ledger.Entry {
	var out []ledger.Entry
	for _, e := range entries {
		e.Side = map[ledger.Side]ledger.Side{ledger.Debit: ledger.Credit, ledger.Credit: ledger.Debit}[e.Side]
		out = append(out, e)
	}
	return out
}

// close closes the book's periods up to a month, as the ledger's owner would.
func (l *library) close(through time.Time) {
	l.Helper()
	ctx := l.Context()
	tx, err := l.db.Super().Begin(ctx)
	require.NoError(l, err)
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	for _, sql := range []string{
		`select set_config('app.tenant', '` + l.tenant.String() + `', true)`, `set local role ledger_owner`,
		`select set_config('ledger.door', 'open', true)`,
		`update ledger.book set closed_through = '` + through.Format(time.DateOnly) + `', version = version + 1`,
	} {
		_, err = tx.Exec(ctx, sql)
		require.NoError(l, err)
	}
	require.NoError(l, tx.Commit(ctx))
}

// write is a report's bytes and cover. What is not final gets a fixed time.
func (l *library) write(f report.Format, q report.Query) ([]byte, report.Cover) {
	l.Helper()
	var out bytes.Buffer
	cover, err := l.writeTo(&out, f, q)
	require.NoError(l, err)
	return out.Bytes(), cover
}

func (l *library) writeTo(w io.Writer, f report.Format, q report.Query) (cover report.Cover, err error) {
	err = l.reports.Report(l.Context(), ledger.Main(l.tenant), q, func(c report.Cover, rows iter.Seq2[[]report.Cell, error]) error {
		if !c.Final {
			c.GeneratedAt, c.GeneratedBy = time.Now(), "key_test"
		}
		cover, err = report.Write(w, f, report.Find(q.Report), c, rows)
		return err
	})
	return cover, err
}

// table reads a report back from its CSV as maps by column.
func (l *library) table(q report.Query) ([]map[string]string, report.Cover) {
	l.Helper()
	raw, cover := l.write(report.CSV, q)
	return parse(l.T, raw), cover
}

func parse(t *testing.T, raw []byte) []map[string]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comment = '#'
	all, err := r.ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			row[all[0][i]] = c
		}
		out = append(out, row)
	}
	return out
}

// minor reads an amount back.
func minor(t *testing.T, s, currency string) int64 {
	t.Helper()
	if s == "" {
		return 0
	}
	whole, part, _ := strings.Cut(s, ".")
	require.Len(t, part, ledger.MinorDigits(currency))
	var n int64
	_, err := fmt.Sscan(strings.TrimPrefix(whole, "-")+part, &n)
	require.NoError(t, err)
	if strings.HasPrefix(s, "-") {
		return -n
	}
	return n
}

// truth sums the postings themselves, with nothing of the reports' SQL.
func (l *library) truth(where string, args ...any) map[string]int64 {
	l.Helper()
	rows, err := l.db.Super().Query(l.Context(), `
		select a.code || ' ' || a.currency || ' ' || p.side, sum(p.amount)::bigint
		  from ledger.posting p join ledger.account a on a.id = p.account_id join ledger.journal j on j.seq = p.seq and j.book_id = p.book_id
		 where p.layer = 'P' and `+where+` group by 1`, args...)
	require.NoError(l, err)
	out := map[string]int64{}
	var key string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&key, &n}, func() error { out[key] = n; return nil })
	require.NoError(l, err)
	return out
}

func TestTheTrialBalanceOfEveryMonthIsTheSumOfItsPostings(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(1200)
	prior := map[string][2]string{}
	for i, m := range append(months, monthOf(2026, 8)) {
		rows, cover := l.table(report.Query{Report: report.TrialBalance, Period: m})
		opening, moved := l.truth("j.period < $1", m), l.truth("j.period = $1", m)
		require.True(t, *cover.Balanced)
		require.Len(t, rows, int(cover.Rows))
		seen := map[string]bool{}
		for _, r := range rows {
			key := r["account_code"] + " " + r["currency"]
			seen[key] = true
			at := func(column string) int64 { return minor(t, r[column], r["currency"]) }
			require.Equal(t, opening[key+" D"]-opening[key+" C"], at("opening_debit")-at("opening_credit"), key)
			require.Equal(t, moved[key+" D"], at("period_debit"), key)
			require.Equal(t, moved[key+" C"], at("period_credit"), key)
			require.Equal(t, at("opening_debit")-at("opening_credit")+at("period_debit")-at("period_credit"), at("closing_debit")-at("closing_credit"))
			require.True(t, r["closing_debit"] == ledger.FormatAmount(0, r["currency"]) || r["closing_credit"] == ledger.FormatAmount(0, r["currency"]))
			if i > 0 && prior[key] != [2]string{} {
				opening := [2]string{r["opening_debit"], r["opening_credit"]}
				require.Equal(t, prior[key], opening, "opening is the prior closing")
			}
			prior[key] = [2]string{r["closing_debit"], r["closing_credit"]}
		}
		for key := range moved {
			require.True(t, seen[key[:len(key)-2]], key)
		}
		for _, total := range cover.Totals {
			var sum int64
			for _, r := range rows {
				if r["currency"] == total.Currency {
					sum += minor(t, r[total.Column], total.Currency)
				}
			}
			require.Equal(t, sum, total.Amount)
		}
	}
}

func TestTheGeneralLedgerTiesToTheTrialBalance(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(800)
	for _, m := range months {
		balances, _ := l.table(report.Query{Report: report.TrialBalance, Period: m})
		entries, cover := l.table(report.Query{Report: report.GeneralLedger, Period: m})
		require.True(t, *cover.Balanced)
		byAccount := map[string][]map[string]string{}
		for _, e := range entries {
			require.Equal(t, m.Format("2006-01"), e["period"])
			key := e["account_code"] + " " + e["currency"]
			byAccount[key] = append(byAccount[key], e)
		}
		for _, b := range balances {
			currency := b["currency"]
			balance := minor(t, b["opening_debit"], currency) - minor(t, b["opening_credit"], currency)
			last := ""
			for _, e := range byAccount[b["account_code"]+" "+currency] {
				require.Less(t, last, e["posted_at"]+e["line"], "in the order recorded")
				last = e["posted_at"] + e["line"]
				balance += minor(t, e["debit"], currency) - minor(t, e["credit"], currency)
				require.Equal(t, balance, minor(t, e["running_balance"], currency))
			}
			require.Equal(t, minor(t, b["closing_debit"], currency)-minor(t, b["closing_credit"], currency), balance)
		}
		one, _ := l.table(report.Query{Report: report.GeneralLedger, Period: m, Account: "1020", Currency: "usd"})
		require.Equal(t, byAccount["1020 usd"], one)
	}
}

func TestARangeOfTimeIsWhatWasRecordedInIt(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(300)
	from := l.now()
	l.post(300)
	to := l.now()
	l.post(300)
	q := report.Query{Report: report.TrialBalance, From: from, To: to}
	rows, cover := l.table(q)
	require.True(t, cover.Final)
	opening, moved := l.truth("p.recorded_at < $1", from), l.truth("p.recorded_at >= $1 and p.recorded_at < $2", from, to)
	for _, r := range rows {
		key := r["account_code"] + " " + r["currency"]
		at := func(column string) int64 { return minor(t, r[column], r["currency"]) }
		require.Equal(t, opening[key+" D"]-opening[key+" C"], at("opening_debit")-at("opening_credit"), key)
		require.Equal(t, moved[key+" D"], at("period_debit"), key)
		require.Equal(t, moved[key+" C"], at("period_credit"), key)
	}
	q.Report = report.GeneralLedger
	entries, cover := l.table(q)
	require.True(t, *cover.Balanced)
	var seqs int
	require.NoError(t, l.db.Super().QueryRow(t.Context(), `select count(*) from ledger.posting where layer = 'P' and recorded_at >= $1 and recorded_at < $2`, from, to).Scan(&seqs))
	require.Len(t, entries, seqs)

	q.To = to.AddDate(1, 0, 0)
	_, cover = l.table(q)
	require.False(t, cover.Final, "more can come before that")
}

// now is a moment after everything recorded and before everything to come.
func (l *library) now() (at time.Time) {
	l.Helper()
	require.NoError(l, l.db.Super().QueryRow(l.Context(), `select max(recorded_at) + interval '1 microsecond' from ledger.journal`).Scan(&at))
	return at.UTC()
}

func TestAClosedPeriodGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(400)
	l.close(months[2])
	queries := []report.Query{
		{Report: report.TrialBalance, Period: months[2]},
		{Report: report.TrialBalance, Period: months[0]},
		{Report: report.GeneralLedger, Period: months[2]},
		{Report: report.GeneralLedger, Period: months[1], Account: "1020"},
		{Report: report.AccountStatement, Period: months[2], Account: "1020"},
		{Report: report.AccountRollforward, Period: months[2]},
		{Report: report.JournalExport, Period: months[2]},
		{Report: report.TrialBalance, From: months[0], To: l.now().Add(-time.Microsecond)},
		{Report: report.JournalExport, From: months[0], To: l.now().Add(-time.Microsecond)},
	}
	first := map[string][]byte{}
	for round := range 2 {
		for i, q := range queries {
			for _, f := range []report.Format{report.CSV, report.JSON, report.XLSX} {
				raw, cover := l.write(f, q)
				key := fmt.Sprint(i, f)
				require.True(t, cover.Final)
				if round == 0 {
					first[key] = raw
				}
				require.True(t, bytes.Equal(first[key], raw), "%s of %s as %s", q.Report, q.Period, f)
			}
		}
		l.post(200) // late items count in the next open month
	}
	_, cover := l.write(report.CSV, report.Query{Report: report.TrialBalance, Period: months[3]})
	require.False(t, cover.Final)
	requireSound(t, l.db)
}

func TestTheThreeFormsHaveOneDigest(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(200)
	for _, d := range report.Definitions() {
		q := report.Query{Report: d.Name, Period: months[1]}
		switch d.Name {
		case report.AccountStatement:
			q.Account = "1020"
		case report.AuditTrail:
			q.Period, q.Transaction = time.Time{}, l.posted[5].ID
		default:
		}
		require.NoError(t, q.Validate())
		raw, a := l.write(report.CSV, q)
		doc, b := l.write(report.JSON, q)
		_, c := l.write(report.XLSX, q)
		require.NotZero(t, a.Rows)
		require.Equal(t, a.DataSHA256, b.DataSHA256)
		require.Equal(t, a.DataSHA256, c.DataSHA256)
		require.Equal(t, a.Totals, b.Totals)
		var read struct {
			Rows  []map[string]any `json:"rows"`
			Cover struct {
				RowCount   int64  `json:"row_count"`
				DataSHA256 string `json:"data_sha256"`
				Checkpoint struct {
					Seq int64 `json:"seq"`
				} `json:"checkpoint"`
			} `json:"cover"`
		}
		require.NoError(t, json.Unmarshal(doc, &read))
		require.Len(t, read.Rows, len(parse(t, raw)))
		require.Len(t, read.Rows, int(read.Cover.RowCount))
		require.Equal(t, fmt.Sprintf("%x", a.DataSHA256), read.Cover.DataSHA256)
		require.Equal(t, a.Checkpoint.Seq, read.Cover.Checkpoint.Seq)
	}
}

func TestTheCheckpointIsTheLastTransactionCovered(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(120)
	for _, m := range months {
		_, cover := l.write(report.CSV, report.Query{Report: report.TrialBalance, Period: m})
		var seq int64
		var hash []byte
		require.NoError(t, l.db.Super().QueryRow(t.Context(),
			`select seq, hash from ledger.journal where period <= $1 order by seq desc limit 1`, m).Scan(&seq, &hash))
		require.Equal(t, seq, cover.Checkpoint.Seq)
		require.Equal(t, hash, cover.Checkpoint.Hash[:])
	}
	_, cover := l.write(report.CSV, report.Query{Report: report.TrialBalance, Period: monthOf(2026, 1)})
	require.Zero(t, cover.Checkpoint.Seq, "nothing counts in it or before")
	require.Zero(t, cover.Rows)
}

func TestWhatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	q := report.Query{Report: report.TrialBalance, Period: months[0]}
	_, err := l.writeTo(io.Discard, report.CSV, q)
	require.ErrorIs(t, err, postgres.ErrNoBook)
	l.post(5)
	q.Account = "9999"
	_, err = l.writeTo(io.Discard, report.CSV, q)
	require.ErrorIs(t, err, postgres.ErrNoAccount)
	_, err = l.writeTo(io.Discard, report.CSV, report.Query{Report: report.AuditTrail, Seq: 99})
	require.ErrorIs(t, err, postgres.ErrNoTransaction)
	foreign := postgres.New(l.db.Pool("app_api"))
	_, err = foreign.Cover(t.Context(), ledger.Main(l.db.Tenant()), report.Query{Report: report.TrialBalance, Period: months[0]})
	require.ErrorIs(t, err, postgres.ErrNoBook, "a tenant sees its own")
}

// Where books are sealed, a report is final once a checkpoint covers it, and
// names the first that does, whatever is sealed later.
func TestAFinalReportNamesItsCheckpoint(t *testing.T) {
	t.Parallel()
	b := newSealedBook(t)
	reports := postgres.New(b.db.Pool("app_api"))
	last := requirePostedAt(t, b)
	q := report.Query{Report: report.JournalExport, From: last.AddDate(-1, 0, 0), To: last}
	cover, err := reports.Cover(t.Context(), b.book, q)
	require.NoError(t, err)
	require.False(t, cover.Final, "nothing has sealed it yet")
	require.Empty(t, cover.Checkpoint.Note)
	seals := postgres.NewSeals(b.db.Pool("sealer"))
	first := b.seal(t, seals)
	requirePostedAt(t, b)
	b.seal(t, seals)
	cover, err = reports.Cover(t.Context(), b.book, q)
	require.NoError(t, err)
	require.True(t, cover.Final)
	require.Equal(t, string(first), cover.Checkpoint.Note)
}

// requirePostedAt posts one more and returns when it was recorded.
func requirePostedAt(t *testing.T, b sealedBook) time.Time {
	t.Helper()
	results, err := postgres.New(b.db.Pool("app_worker")).Post(t.Context(), b.book,
		[]ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 3)})
	require.NoError(t, err)
	require.NoError(t, results[0].Err())
	return results[0].Recorded.RecordedAt
}
