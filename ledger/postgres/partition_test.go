package postgres_test

import (
	"context"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

func TestARowIsInThePartitionOfItsMonth(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	requirePosted(t, postgres.New(db.Pool("app_worker")), db.Tenant(), ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	require.Zero(t, misplaced(t, db.Super()))
}

// misplaced is the number of rows that are not in their month's partition.
func misplaced(t *testing.T, super *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, super.QueryRow(t.Context(), `
		select (select count(*) from ledger.posting p where p.tableoid::regclass::text <> 'ledger.posting_' || to_char(p.recorded_at at time zone 'UTC', 'YYYY_MM'))
		     + (select count(*) from ledger.journal j where j.tableoid::regclass::text <> 'ledger.journal_' || to_char(j.recorded_at at time zone 'UTC', 'YYYY_MM'))`).Scan(&n))
	return n
}

// addPartitions does what the migration job does.
func addPartitions(t *testing.T, super *pgxpool.Pool, from string, months int) (made int) {
	t.Helper()
	require.NoError(t, pgx.BeginFunc(t.Context(), super, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `select guard.open_maintenance('a test')`); err != nil {
			return err
		}
		if _, err := tx.Exec(t.Context(), `set local role ledger_owner`); err != nil {
			return err
		}
		return tx.QueryRow(t.Context(), `select ledger.add_partitions($1::text::date, $2)`, from, months).Scan(&made)
	}))
	return made
}

func TestPartitionsAreMadeOnce(t *testing.T) {
	t.Parallel()
	super := pgtest.New(t).Super()
	require.Zero(t, addPartitions(t, super, time.Now().UTC().Format(time.DateOnly), 18), "the migration job made them")
	require.Equal(t, 2*3, addPartitions(t, super, "2031-12-15", 3), "over the end of a year")
	require.Zero(t, addPartitions(t, super, "2031-12-31", 3))
	require.Equal(t, 2, addPartitions(t, super, "2032-01-01", 3))
	var bounds string
	require.NoError(t, super.QueryRow(t.Context(), `select pg_get_expr(relpartbound, oid) from pg_class where oid = 'ledger.posting_2032_02'::regclass`).Scan(&bounds))
	require.Contains(t, bounds, "2032-02-01 00:00:00+00")
	require.Contains(t, bounds, "2032-03-01 00:00:00+00")
}

// A month for which nobody made partitions goes into the default ones; that
// stops neither postings nor the job, then or later.
func TestAMonthWithoutPartitionsStopsNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super, tenant, store := db.Super(), db.Tenant(), postgres.New(db.Pool("app_worker"))
	month := time.Now().UTC().Format("_2006_01")
	conn, err := super.Acquire(t.Context())
	require.NoError(t, err)
	_, err = conn.Conn().PgConn().Exec(t.Context(), `begin; select guard.open_maintenance('a test'); drop table ledger.posting`+month+`, ledger.journal`+month+`; commit`).ReadAll()
	require.NoError(t, err)
	conn.Release()
	transfer := func() ledger.Transaction {
		return ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	}
	x := transfer()
	requirePosted(t, store, tenant, x, transfer())
	require.Equal(t, 2*2+2, misplaced(t, super))
	require.Zero(t, addPartitions(t, super, time.Now().UTC().Format(time.DateOnly), 18))
	require.Equal(t, 2, addPartitions(t, super, "2033-01-01", 1))
	results, err := store.Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{x, transfer()})
	require.NoError(t, err)
	require.Equal(t, []ledger.Outcome{ledger.Exists, ledger.Created}, []ledger.Outcome{results[0].Outcome, results[1].Outcome})
	for _, partition := range []string{"ledger.posting_rest", "ledger.journal_rest"} {
		requireDenied(t, db, tenant, partition)
	}
	requireSound(t, db)
}

// requireDenied reads past the parent.
func requireDenied(t *testing.T, db *pgtest.DB, tenant uuid.UUID, table string) {
	t.Helper()
	err := pgtenant.ReadTx(t.Context(), db.Pool("app_worker"), tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select count(*) from `+table)
		return err
	})
	require.ErrorContains(t, err, "permission denied")
}

// The balances as of a moment are those one adds up from the first line to it,
// wherever the months begin.
func TestBalancesAsOfAMomentAreTheSumsUpToIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super, tenant := db.Super(), db.Tenant()
	pool := db.Pool("finance_ro")
	requirePosted(t, postgres.New(db.Pool("app_worker")), tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	var book int32
	require.NoError(t, super.QueryRow(t.Context(), `select id from ledger.book`).Scan(&book))
	addPartitions(t, super, "2027-01-01", 4)
	var account atomic.Int64
	account.Store(1_000_000)
	rapid.Check(t, func(rt *rapid.T) {
		id := account.Add(1)
		// No two games share a microsecond.
		start := time.Date(2027, 1, 1, 0, 0, 0, int(id-1_000_000)*1000, time.UTC)
		moment := rapid.Custom(func(rt *rapid.T) time.Time {
			return start.AddDate(0, rapid.IntRange(0, 4).Draw(rt, "month"), 0).Add(time.Duration(rapid.SampledFrom([]int{-1, 0, 1, 36}).Draw(rt, "hours")) * time.Hour)
		})
		moments := rapid.SliceOfNDistinct(moment, 1, 8, time.Time.UnixMicro).Draw(rt, "moments")
		slices.SortFunc(moments, time.Time.Compare)
		type sums struct{ posted, debits, credits int64 }
		after := map[int64]sums{}
		var now sums
		err := pgtenant.Tx(t.Context(), super, tenant, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local role ledger_owner`); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `select set_config('ledger.door', 'open', true), set_config('ledger.book', $1::integer::text, true)`, book); err != nil {
				return err
			}
			for i, at := range moments {
				for line := range rapid.IntRange(1, 3).Draw(rt, "lines") {
					amount := rapid.Int64Range(1, math.MaxInt32).Draw(rt, "amount")
					side, layer := rapid.SampledFrom([]string{"D", "C"}).Draw(rt, "side"), rapid.SampledFrom([]string{"P", "H"}).Draw(rt, "layer")
					switch side + layer {
					case "DP":
						now.posted += amount
					case "CP":
						now.posted -= amount
					case "DH":
						now.debits += amount
					default:
						now.credits += amount
					}
					if _, err := tx.Exec(ctx, `insert into ledger.posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
						values ($1, $2, $3, $4, $5, $6, $7, $8, '2027-01-01', $9, $10, $11)`, at, i+2, id, amount, now.posted, now.debits, now.credits, book, line+1, side, layer); err != nil {
						return err
					}
				}
				after[at.UnixMicro()] = now
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
		err = pgtenant.ReadTx(t.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
			for range 5 {
				at := moment.Draw(rt, "as of")
				var want, got sums
				for _, m := range moments {
					if !m.After(at) {
						want = after[m.UnixMicro()]
					}
				}
				err := tx.QueryRow(ctx, `select coalesce(max(posted), 0), coalesce(max(held_debits), 0), coalesce(max(held_credits), 0) from ledger.balance_at($1, $2)`, id, at).
					Scan(&got.posted, &got.debits, &got.credits)
				if err != nil {
					return err
				}
				if got != want {
					rt.Fatalf("as of %s: %+v, not %+v", at, got, want)
				}
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}
