package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/report"
)

func TestAStatementRunsFromItsOpeningToItsClosing(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(400)
	for _, m := range months[:3] {
		balances, _ := l.table(report.Query{Report: report.TrialBalance, Period: m, Account: "1020"})
		rows, cover := l.table(report.Query{Report: report.AccountStatement, Period: m, Account: "1020"})
		require.Nil(t, cover.Balanced, "one account need not balance")
		for _, b := range balances {
			currency := b["currency"]
			at := func(row map[string]string, column string) int64 { return minor(t, row[column], currency) }
			var of []map[string]string
			for _, r := range rows {
				if r["currency"] == currency {
					of = append(of, r)
				}
			}
			first, last := of[0], of[len(of)-1]
			require.Equal(t, "opening", first["item"])
			require.Equal(t, "closing", last["item"])
			require.Equal(t, at(b, "opening_debit")-at(b, "opening_credit"), at(first, "balance"))
			require.Equal(t, at(b, "closing_debit")-at(b, "closing_credit"), at(last, "balance"))
			balance := at(first, "balance")
			for _, r := range of[1 : len(of)-1] {
				require.Equal(t, "entry", r["item"])
				balance += at(r, "debit") - at(r, "credit")
				require.Equal(t, balance, at(r, "balance"))
			}
			require.Equal(t, balance, at(last, "balance"))
		}
	}
}

func TestARollforwardTiesToTheTrialBalance(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(400)
	m := months[2]
	balances, _ := l.table(report.Query{Report: report.TrialBalance, Period: m})
	rows, cover := l.table(report.Query{Report: report.AccountRollforward, Period: m})
	purposes := l.truth("j.purpose = 'booking.fee' and j.period = $1", m)
	for _, b := range balances {
		currency, sign := b["currency"], int64(1)
		if b["type"] == "liability" || b["type"] == "revenue" {
			sign = -1
		}
		at := func(row map[string]string, column string) int64 { return minor(t, row[column], currency) }
		var opening, closing, moved int64
		for _, r := range rows {
			if r["account_code"] != b["account_code"] || r["currency"] != currency {
				continue
			}
			opening, closing, moved = opening+at(r, "opening"), closing+at(r, "closing"), moved+at(r, "additions")-at(r, "reductions")
			if r["purpose"] == "booking.fee" {
				key := b["account_code"] + " " + currency
				require.Equal(t, sign*(purposes[key+" D"]-purposes[key+" C"]), at(r, "additions")-at(r, "reductions"))
			}
		}
		require.Equal(t, sign*(at(b, "opening_debit")-at(b, "opening_credit")), opening)
		require.Equal(t, sign*(at(b, "closing_debit")-at(b, "closing_credit")), closing)
		require.Equal(t, closing, opening+moved)
	}
	sums := map[string]int64{}
	for _, total := range cover.Totals {
		sums[total.Currency+" "+total.Column] = total.Amount
	}
	for _, c := range []string{"usd", "jpy", "bhd"} {
		require.Equal(t, sums[c+" closing"], sums[c+" opening"]+sums[c+" additions"]-sums[c+" reductions"])
	}
}

func TestTheJournalExportHoldsWhatTheGeneralLedgerHolds(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(200)
	l.close(months[1])
	l.post(100) // what happened in a closed month counts in the third
	for _, m := range months[:3] {
		entries, a := l.table(report.Query{Report: report.GeneralLedger, Period: m})
		journal, b := l.table(report.Query{Report: report.JournalExport, Period: m})
		require.Len(t, journal, len(entries))
		require.Equal(t, a.Totals, b.Totals)
		require.True(t, *b.Balanced)
		number := int64(0)
		for _, r := range journal {
			require.Equal(t, m.Format("2006-01"), r["date"][:7], "its date is in the period, so that an ERP takes it")
			require.Equal(t, "main", r["entity"])
			next := minor(t, r["journal_no"], "jpy")
			require.GreaterOrEqual(t, next, number)
			number = next
		}
	}
}

func TestTheTrailOfAFigureIsItsWholeChain(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	unasked(t, l.db)
	hold := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1000)
	hold.Kind, hold.Reason = ledger.Pending, "a room is held"
	take := ledger.Transaction{
		ID: uuid.New(), Kind: ledger.PostPending, Resolves: hold.ID, Purpose: "booking.capture", Actor: "saga", Document: "pi_123",
		Entries: ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700).Entries,
	}
	back := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, 700)
	back.Reverses, back.Purpose, back.Actor, back.Reason, back.Approval = take.ID, "manual.correction", "key_ada", "booked twice", "apr_00000000000000000000000001"
	requirePosted(t, l.store, l.tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5))
	requirePosted(t, l.store, l.tenant, hold)
	requirePosted(t, l.store, l.tenant, take)
	requirePosted(t, l.store, l.tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 9))
	requirePosted(t, l.store, l.tenant, back)
	_, err := l.db.Super().Exec(t.Context(), `
		with asked as (
		  insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, expires_at)
		  values ($1, 'apr_00000000000000000000000001', 'ledger.journal', 's', '{}', sha256(''), 'r', 'key_ada', now() + interval '1 day') returning *
		)
		insert into app.approval_decision (tenant_id, approval_id, maker, expires_at, checker, role, decision, payload_sha256, decided_at)
		select tenant_id, id, maker, expires_at, 'key_bob', 'finance_reviewer', 'approved', payload_sha256, now() from asked`, l.tenant)
	require.NoError(t, err)

	whole, _ := l.table(report.Query{Report: report.AuditTrail, Transaction: take.ID})
	require.Len(t, whole, 2+4+2, "held; released and posted; taken back")
	relations := map[string]string{}
	for _, r := range whole {
		relations[r["txn_id"]] = r["relation"]
	}
	require.Equal(t, map[string]string{
		report.TransactionName(hold.ID): "before", report.TransactionName(take.ID): "asked", report.TransactionName(back.ID): "after",
	}, relations)
	for _, r := range whole {
		if r["account_code"] != ledger.StripeClearing {
			continue
		}
		switch r["txn_id"] + " " + r["layer"] {
		case report.TransactionName(hold.ID) + " held":
			require.Equal(t, []string{"0.00", "10.00", "a room is held"}, []string{r["prior_value"], r["new_value"], r["why"]})
		case report.TransactionName(take.ID) + " released":
			require.Equal(t, []string{"10.00", "0.00"}, []string{r["prior_value"], r["new_value"]})
		case report.TransactionName(take.ID) + " posted":
			require.Equal(t, []string{"0.05", "7.05", "pi_123"}, []string{r["prior_value"], r["new_value"], r["document"]})
		case report.TransactionName(back.ID) + " posted":
			require.Equal(t, []string{"7.14", "0.14", "key_ada", "booked twice", "key_bob"}, []string{r["prior_value"], r["new_value"], r["who"], r["why"], r["approved_by"]})
			require.Equal(t, report.TransactionName(take.ID), r["reverses"])
		default:
			t.Fatalf("unexpected %v", r)
		}
		require.Len(t, r["chain_hash"], 64)
	}
	// The same chain from any of its ends, by id or number, or one line of it.
	for _, q := range []report.Query{{Transaction: hold.ID}, {Transaction: back.ID}, {Seq: 3}} {
		q.Report = report.AuditTrail
		rows, _ := l.table(q)
		require.Len(t, rows, len(whole))
	}
	line, _ := l.table(report.Query{Report: report.AuditTrail, Transaction: back.ID, Line: 2})
	require.Len(t, line, len(whole)-1)

	ledgerRows, _ := l.table(report.Query{Report: report.GeneralLedger, Period: ledger.PeriodOf(time.Now())})
	found := 0
	for _, r := range ledgerRows {
		if r["txn_id"] == report.TransactionName(back.ID) {
			found++
			require.Equal(t, []string{"manual", back.Approval, "key_bob", report.TransactionName(take.ID)},
				[]string{r["source_type"], r["source_id"], r["approved_by"], r["reversal_of"]})
		}
		if r["txn_id"] == report.TransactionName(take.ID) {
			require.Equal(t, []string{"document", "pi_123", "pi_123"}, []string{r["source_type"], r["source_id"], r["stripe_id"]})
		}
	}
	require.Equal(t, 2, found)
}

func TestTheRecordOfExportsIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.post(3)
	e := postgres.Export{
		Query: report.Query{Report: report.TrialBalance, Period: months[0]}, Entity: "main", Format: report.CSV, RequestedBy: "k", RequestID: "req_1",
		StartedAt: time.Now(), Complete: true, Cover: report.Cover{Rows: 3},
	}
	require.NoError(t, l.reports.RecordExport(t.Context(), l.tenant, e))
	e.Complete = false
	require.NoError(t, l.reports.RecordExport(t.Context(), l.tenant, e))
	var parameters string
	require.NoError(t, l.db.Super().QueryRow(t.Context(), `select parameters::text from ledger.report_export where complete`).Scan(&parameters))
	require.JSONEq(t, `{"period":"2026-03"}`, parameters)
	for _, role := range []string{"app_api", "app_worker", "finance_ro"} {
		for _, sql := range []string{
			`update ledger.report_export set row_count = 0`, `delete from ledger.report_export`, `truncate ledger.report_export`,
			`insert into ledger.report_export (entity) values ('x')`,
		} {
			refused(t, l.db.URL(role), l.tenant, sql)
		}
	}
	other := l.db.Tenant()
	err := pgtenant.ReadTx(t.Context(), l.db.Pool("app_api"), other, func(ctx context.Context, tx pgx.Tx) error {
		var n int
		require.NoError(t, tx.QueryRow(ctx, `select count(*) from ledger.report_export`).Scan(&n))
		require.Zero(t, n, "a tenant sees its own")
		return nil
	})
	require.NoError(t, err)
	_, err = l.db.Super().Exec(t.Context(), `update ledger.report_export set row_count = 0`)
	require.Error(t, err, "not even a superuser, without breaking the guard first")
}
