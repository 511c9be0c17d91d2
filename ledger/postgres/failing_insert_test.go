package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// One statement fails for one transaction, on each table in turn, in the
// middle of a trip that carries many callers: that caller learns it, nothing
// of his is left, and all the others are posted.
func TestAFailingWriteConcernsItsTransactionAlone(t *testing.T) {
	t.Parallel()
	for table, when := range map[string]string{
		"journal":      `new.id = 'VICTIM'`,
		"journal_key":  `new.id = 'VICTIM'`,
		"posting":      `new.amount = 666`,
		"balance":      `new.account_id = SUSPENSE`,
		"journal_link": `new.target = 'HOLD'`,
	} {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			super, book := db.Super(), ledger.Main(db.Tenant())
			store := postgres.New(db.Pool("app_worker"))
			hold := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.Suspense, 666)
			hold.Kind = ledger.Pending
			requirePosted(t, store, book.Tenant, hold)
			victim := ledger.Transaction{
				ID: uuid.New(), Kind: ledger.PostPending, Resolves: hold.ID, Purpose: "test", Actor: "test", Entries: hold.Entries,
			}
			var suspense string
			require.NoError(t, super.QueryRow(t.Context(), `select id::text from ledger.account where code = $1 and currency = 'usd'`, ledger.Suspense).Scan(&suspense))
			plant(t, super, table, strings.NewReplacer("VICTIM", victim.ID.String(), "SUSPENSE", suspense, "HOLD", hold.ID.String()).Replace(when))

			const others = 20
			batches := [][]ledger.Transaction{}
			for i := range others {
				if i == others/2 {
					batches = append(batches, []ledger.Transaction{victim})
				}
				batches = append(batches, []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, int64(i+1))})
			}
			results, errs := inOneTrip(t, db, store, book, batches)
			for i := range batches {
				if batches[i][0].ID == victim.ID {
					require.ErrorContains(t, errs[i], "planted")
					require.Nil(t, results[i])
					continue
				}
				require.NoError(t, errs[i])
				require.Equal(t, ledger.Created, results[i][0].Outcome)
			}
			var n int
			require.NoError(t, super.QueryRow(t.Context(), `
				select (select count(*) from ledger.journal where id = $1) + (select count(*) from ledger.journal_key where id = $1)
				     + (select count(*) from ledger.journal_link where target = $2)`, victim.ID, hold.ID).Scan(&n))
			require.Zero(t, n, "something of the victim is left")
			require.Equal(t, 1+2+others, count(t, db.URL("app_worker"), book.Tenant.String(), "ledger.journal"))
			requireSound(t, db)

			_, err := super.Exec(t.Context(), `begin; select guard.open_maintenance('a test'); drop trigger planted on ledger.`+table+`; commit`)
			require.NoError(t, err)
			requirePosted(t, store, book.Tenant, victim)
			requireSound(t, db)
		})
	}
}

// plant makes a trigger that fails when something is so.
func plant(t *testing.T, super *pgxpool.Pool, table, when string) {
	t.Helper()
	conn, err := super.Acquire(t.Context())
	require.NoError(t, err)
	defer conn.Release()
	_, err = conn.Conn().PgConn().Exec(t.Context(), `
		begin;
		select guard.open_maintenance('a test');
		create function public.planted() returns trigger language plpgsql as $$ begin raise exception 'planted'; end $$;
		create trigger planted before insert or update on ledger.`+table+` for each row when (`+when+`) execute function public.planted();
		alter table ledger.`+table+` enable always trigger planted;
		grant usage on schema public to ledger_owner;
		commit`).ReadAll()
	require.NoError(t, err)
}

// inOneTrip posts batches, each a caller's, that travel together behind two
// more: the book is locked until all of them wait.
func inOneTrip(t *testing.T, db *pgtest.DB, store *postgres.Store, book ledger.Book, batches [][]ledger.Transaction) ([][]ledger.Result, []error) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, db.SuperURL())
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tx, err := conn.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, `select from ledger.book where tenant_id = $1 for update`, book.Tenant)
	require.NoError(t, err)
	results, errs := make([][]ledger.Result, len(batches)), make([]error, len(batches))
	var wg sync.WaitGroup
	super := db.Super()
	waiting := func(n int) func() bool {
		return func() bool {
			var backends int
			err := super.QueryRow(ctx, `select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`).Scan(&backends)
			return err == nil && backends == n && store.Queued(book) == 0
		}
	}
	// Two trips are under way and wait for the book: what comes then waits for
	// them and is one trip.
	for _, n := range []int{1, 2} {
		wg.Go(func() {
			_, err := store.Post(ctx, book, []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)})
			if err != nil {
				t.Error(err)
			}
		})
		require.Eventually(t, waiting(n), 30*time.Second, time.Millisecond)
	}
	for i := range batches {
		wg.Go(func() { results[i], errs[i] = store.Post(ctx, book, batches[i]) })
	}
	require.Eventually(t, func() bool { return store.Queued(book) == len(batches) }, 30*time.Second, time.Millisecond)
	require.NoError(t, tx.Rollback(ctx))
	wg.Wait()
	return results, errs
}

// What the rules let pass and the database does not take concerns its caller
// alone, and at once: nobody waits for what cannot succeed.
func TestWhatTheDatabaseRefusesConcernsItsCallerAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	book := ledger.Main(db.Tenant())
	store := postgres.New(db.Pool("app_worker"))
	odd := map[string]func(x *ledger.Transaction){
		"a zero byte":           func(x *ledger.Transaction) { x.Reason = "a\x00b" },
		"not UTF-8":             func(x *ledger.Transaction) { x.Document = "\xff" },
		"a saga without end":    func(x *ledger.Transaction) { x.SagaID = noise(10_000) },
		"a day out of range":    func(x *ledger.Transaction) { x.EffectiveOn = time.Date(9_999_999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"a day before all days": func(x *ledger.Transaction) { x.EffectiveOn = time.Date(-9_999_999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"an end out of range": func(x *ledger.Transaction) {
			x.Kind, x.ExpiresAt = ledger.Pending, time.Date(400_000, 1, 1, 0, 0, 0, 0, time.UTC)
		},
		"an end long ago":     func(x *ledger.Transaction) { x.Kind, x.ExpiresAt = ledger.Pending, time.Unix(0, 0) },
		"by hand, unapproved": func(x *ledger.Transaction) { x.Purpose = "manual.gift" },
		"no id":               func(x *ledger.Transaction) { x.ID = uuid.Nil },
	}
	var names []string
	var batches [][]ledger.Transaction
	for name, spoil := range odd {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
		spoil(&x)
		names, batches = append(names, name, ""), append(batches, []ledger.Transaction{x},
			[]ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)})
	}
	requirePosted(t, store, book.Tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	began := time.Now()
	results, errs := inOneTrip(t, db, store, book, batches)
	for i, name := range names {
		if name == "" {
			require.NoError(t, errs[i])
			require.Equal(t, ledger.Created, results[i][0].Outcome)
			continue
		}
		require.NotErrorIs(t, errs[i], ledger.ErrOutcomeUnknown, name)
		if errs[i] == nil {
			require.False(t, results[i][0].Posted(), name)
		}
	}
	t.Log(time.Since(began))
	require.Equal(t, 1+2+len(odd), count(t, db.URL("app_worker"), book.Tenant.String(), "ledger.journal"))
	requireSound(t, db)
}

// noise does not get shorter by compression.
func noise(n int) string {
	var b strings.Builder
	for b.Len() < n {
		b.WriteString(uuid.NewString())
	}
	return b.String()
}
