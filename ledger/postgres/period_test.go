package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

func on(day string) ledger.Transaction {
	t := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 100)
	t.EffectiveOn, _ = time.Parse(time.DateOnly, day)
	return t
}

// periodOf is the month a transaction counts in, and the day it kept.
func (o *office) periodOf(id uuid.UUID) (period, day string) {
	o.Helper()
	require.NoError(o, o.sup.QueryRow(o.Context(),
		`select to_char(period, 'YYYY-MM'), to_char(effective_on, 'YYYY-MM-DD') from ledger.journal where id = $1`, id).Scan(&period, &day))
	return period, day
}

func (o *office) states() map[string]string {
	o.Helper()
	list, err := o.store.Periods(o.Context(), ledger.Main(o.tenant))
	require.NoError(o, err)
	out := map[string]string{}
	for _, p := range list {
		out[p.Period.Format("2006-01")] = fmt.Sprint(p.State, " ", p.Version)
	}
	return out
}

func TestPeriodsMoveInOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	require.ErrorContains(t, o.move("close", "2026-01"), "nothing was posted")
	requirePosted(t, o.store, o.tenant, on("2026-01-15"), on("2026-02-10"))
	now := time.Now().UTC()
	require.ErrorContains(t, o.move("close", now.Format("2006-01")), "is not over")
	require.ErrorContains(t, o.move("soft_close", now.AddDate(1, 0, 0).Format("2006-01")), "is not over")
	require.ErrorContains(t, o.move("close", "2025-12"), "nothing was posted before 2026-01")
	require.ErrorContains(t, o.move("close", "2026-02"), "2026-01 comes first")
	require.ErrorContains(t, o.move("reopen", "2026-01"), "is not closed")

	require.NoError(t, o.move("soft_close", "2026-01"))
	require.ErrorContains(t, o.move("soft_close", "2026-01"), "soft-closed already")
	late := on("2026-01-31")
	requirePosted(t, o.store, o.tenant, late)
	period, day := o.periodOf(late.ID)
	require.Equal(t, []string{"2026-02", "2026-01-31"}, []string{period, day}, "a program's posting is too late for a soft-closed period")
	id := uuid.New()
	approval := o.approved("ledger.journal", "adjust", payload(id, 465, "2026-01-31"))
	require.NoError(t, o.postApproved(manual(id, 465, "2026-01-31", approval)))
	period, _ = o.periodOf(id)
	require.Equal(t, "2026-01", period, "an approved one is not")

	require.NoError(t, o.move("close", "2026-01"))
	require.NoError(t, o.move("close", "2026-02"), "a soft close may be left out")
	require.ErrorContains(t, o.move("close", "2026-02"), "closed already")
	require.ErrorContains(t, o.move("reopen", "2026-01"), "2026-02 was closed after it")
	require.Equal(t, "closed 1", o.states()["2026-01"])
	require.Equal(t, "open 0", o.states()["2026-03"])
	require.Equal(t, "open 0", o.states()[now.Format("2006-01")])

	require.NoError(t, o.move("reopen", "2026-02"))
	require.Equal(t, "reopened 1", o.states()["2026-02"])
	fix := on("2026-02-11")
	requirePosted(t, o.store, o.tenant, fix)
	period, _ = o.periodOf(fix.ID)
	require.Equal(t, "2026-02", period)
	require.NoError(t, o.move("close", "2026-02"))
	h, err := o.store.PeriodHistory(t.Context(), ledger.Main(o.tenant), month("2026-02"))
	require.NoError(t, err)
	require.Equal(t, 2, h.Version)
	var events []string
	for _, e := range h.Events {
		events = append(events, fmt.Sprint(e.Event, " ", e.Version))
	}
	require.Equal(t, []string{"closed 1", "reopened 1", "closed 2"}, events)
	totals := map[string]int64{}
	for _, x := range h.Totals {
		totals[fmt.Sprint(x.Version, " ", x.Code)] = x.Debits + x.Credits
	}
	require.Equal(t, map[string]int64{"1 1020": 200, "1 2010": 200, "2 1020": 300, "2 2010": 300}, totals, "both versions are kept")
	_, err = o.store.PeriodHistory(t.Context(), ledger.Main(o.tenant), month("2019-01"))
	require.ErrorIs(t, err, postgres.ErrNoPeriod)
	for _, sql := range []string{`update ledger.period_total set debits = 0`, `delete from ledger.period_event`, `truncate ledger.period_total`} {
		_, err := o.sup.Exec(t.Context(), sql)
		require.Error(t, err, sql)
	}
	requireSound(t, o.db)
}

func month(m string) time.Time { t, _ := time.Parse("2006-01", m); return t }

// F80: the days on which a month ends, and what closing there does. A date is
// the caller's, UTC; no clock or zone decides the period.
func TestF80EveryDayIsInOnePeriod(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	cases := map[string]string{
		"2023-12-31": "2023-12", "2024-01-01": "2024-01", "2024-02-28": "2024-02", "2024-02-29": "2024-02", "2024-03-01": "2024-03",
		"2024-03-10": "2024-03", "2024-03-31": "2024-03", "2024-04-01": "2024-04", "2024-10-27": "2024-10", "2024-11-03": "2024-11",
		"2024-12-31": "2024-12", "2025-01-01": "2025-01", "2025-02-28": "2025-02", "2025-03-01": "2025-03",
	}
	for day, want := range cases {
		x := on(day)
		requirePosted(t, o.store, o.tenant, x)
		period, kept := o.periodOf(x.ID)
		require.Equal(t, []string{want, day}, []string{period, kept})
	}
	// Closing at each boundary: the last day is too late from then on, the next
	// is not.
	for m := month("2023-12"); !m.After(month("2025-02")); m = m.AddDate(0, 1, 0) {
		require.NoError(t, o.move("close", m.Format("2006-01")))
		next := m.AddDate(0, 1, 0)
		last, first := on(next.AddDate(0, 0, -1).Format(time.DateOnly)), on(next.Format(time.DateOnly))
		requirePosted(t, o.store, o.tenant, last, first)
		for _, x := range []ledger.Transaction{last, first} {
			period, kept := o.periodOf(x.ID)
			require.Equal(t, []string{next.Format("2006-01"), x.EffectiveOn.Format(time.DateOnly)}, []string{period, kept})
		}
	}
	o.requirePeriodsTie()
}

// F81: periods are closed, reopened and closed again while eight writers post
// into them. Every transaction is in exactly one period, the one that was next
// at its place in the book; what was frozen is the sum of what was there.
func TestF81ClosingWhilePosting(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := month("2025-12")
	requirePosted(t, o.store, o.tenant, on("2025-12-01"))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	stores := []*postgres.Store{postgres.New(o.db.Pool("app_worker")), postgres.New(o.db.Pool("app_worker"))}
	asked := make([]map[uuid.UUID]string, 8)
	for i := range asked {
		asked[i] = map[uuid.UUID]string{}
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var batch []ledger.Transaction
				for range 1 + rand.IntN(4) {
					batch = append(batch, on(first.AddDate(0, rand.IntN(10), rand.IntN(28)).Format(time.DateOnly)))
				}
				results, err := stores[i%2].Post(t.Context(), ledger.Main(o.tenant), batch)
				if err != nil {
					t.Errorf("post: %v", err)
					return
				}
				for k, r := range results {
					if r.Posted() {
						asked[i][batch[k].ID] = batch[k].EffectiveOn.Format(time.DateOnly)
					}
				}
			}
		})
	}
	adjustments := map[uuid.UUID]string{}
	func() {
		defer wg.Wait()
		defer close(stop)
		for m := first; m.Before(month("2026-09")); m = m.AddDate(0, 1, 0) {
			name := m.Format("2006-01")
			if m.Month()%2 == 0 {
				require.NoError(t, o.move("soft_close", name))
				id, day := uuid.New(), m.Format(time.DateOnly)
				adjustment := manual(id, 5, day, o.approved("ledger.journal", name, payload(id, 5, day)))
				require.NoError(t, o.postApproved(adjustment))
				period, _ := o.periodOf(id)
				require.Equal(t, name, period, "an approved adjustment goes into a soft-closed period")
				adjustments[id] = day
			}
			require.NoError(t, o.move("close", name))
			if m.Month()%3 == 0 {
				require.NoError(t, o.move("reopen", name))
				require.NoError(t, o.move("close", name))
			}
		}
	}()

	// None is lost, none is there twice, each kept its day.
	want := map[uuid.UUID]string{}
	for _, m := range append(asked, adjustments) {
		for id, day := range m {
			want[id] = day
		}
	}
	rows, err := o.sup.Query(t.Context(), `select id, to_char(effective_on, 'YYYY-MM-DD') from ledger.journal where seq > 1`)
	require.NoError(t, err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var id uuid.UUID
		var day string
		require.NoError(t, rows.Scan(&id, &day))
		require.Equal(t, want[id], day)
		n++
	}
	require.NoError(t, rows.Err())
	require.Len(t, want, n)
	var late int
	require.NoError(t, o.sup.QueryRow(t.Context(), `select count(*) from ledger.journal where period > date_trunc('month', effective_on)`).Scan(&late))
	t.Logf("%d transactions while 9 periods were closed, %d of them too late for theirs", n, late)
	require.Positive(t, late)
	o.requirePeriodsTie()
	requireSound(t, o.db)
}

// requirePeriodsTie replays the periods' events by their place in the book and
// holds every transaction and every frozen total against them, without using
// anything the ledger's own functions computed.
func (o *office) requirePeriodsTie() {
	o.Helper()
	for name, sql := range map[string]string{
		// Where a transaction counts: its month, or the first one open to it then.
		"transactions in the wrong period": `
			select count(*) from ledger.journal j
			 where j.period <> greatest(date_trunc('month', j.effective_on)::date, coalesce((
			   select case e.event when 'reopened' then e.period else (e.period + interval '1 month')::date end
			     from ledger.period_event e where e.book_id = j.book_id and e.seq < j.seq and (e.event <> 'soft_closed' or j.approval_id is null)
			    order by e.id desc limit 1), '-infinity'))`,
		"lines in another period than their transaction": `
			select count(*) from ledger.posting p join ledger.journal j on j.book_id = p.book_id and j.seq = p.seq where j.period <> p.period`,
		"frozen totals that were not there": `
			select count(*) from (
			  select e.book_id, e.period, e.version, p.account_id,
			         coalesce(sum(p.amount) filter (where p.side = 'D'), 0) as d, coalesce(sum(p.amount) filter (where p.side = 'C'), 0) as c
			    from ledger.period_event e join ledger.posting p on p.book_id = e.book_id and p.period = e.period and p.layer = 'P' and p.seq <= e.seq
			   where e.event = 'closed' group by 1, 2, 3, 4) x
			  full join ledger.period_total t using (book_id, period, version, account_id)
			 where (x.d, x.c) is distinct from (t.debits, t.credits)`,
		"lines that came after the last closing": `
			select count(*) from ledger.posting p join ledger.book b on b.id = p.book_id
			 where p.period <= b.closed_through
			   and p.seq > (select max(e.seq) from ledger.period_event e where e.book_id = b.id and e.period = p.period and e.event = 'closed')`,
		"accounts whose periods do not add up to their balance": `
			select count(*) from (select account_id, sum(case side when 'D' then amount else -amount end) as net from ledger.posting where layer = 'P' group by 1) x
			  join ledger.balance b using (account_id) where x.net <> b.debits_posted - b.credits_posted`,
	} {
		var n int
		require.NoError(o, o.sup.QueryRow(context.WithoutCancel(o.Context()), sql).Scan(&n), name)
		require.Zero(o, n, name)
	}
}
