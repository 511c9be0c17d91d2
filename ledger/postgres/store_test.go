package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

func TestTheStoreKeepsTheRules(t *testing.T) {
	t.Parallel()
	ledgertest.Conformance(t, func(t *testing.T) (ledger.Poster, uuid.UUID) {
		t.Helper()
		db := pgtest.New(t)
		t.Cleanup(func() { requireSound(t, db) })
		return postgres.New(db.Pool("app_worker")), db.Tenant()
	})
}

func TestTheStoreAgreesWithTheModel(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store := postgres.New(db.Pool("app_worker"))
	ledgertest.AgreesWithModel(t, func() (ledger.Poster, uuid.UUID) { return store, db.Tenant() },
		func(ctx context.Context, tenant uuid.UUID) (map[ledgertest.Account]ledgertest.Sums, error) {
			return sumsOf(ctx, store, ledger.Main(tenant))
		})
	requireSound(t, db)
}

// Formance's test: everything is taken back twice at the same time, through
// two processes' stores; exactly one of each pair succeeds.
func TestTakingBackTwiceAtOnceSucceedsOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Tenant()
	stores := []*postgres.Store{postgres.New(db.Pool("app_worker")), postgres.New(db.Pool("app_worker"))}
	const n = 500
	originals := make([]ledger.Transaction, n)
	for i := range originals {
		originals[i] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, int64(100+i))
	}
	requirePosted(t, stores[0], tenant, originals...)

	outcomes := race(2*n, func(i int) (ledger.Outcome, error) {
		back := ledgertest.Transfer(uuid.New(), ledger.CustomerDeposits, ledger.StripeClearing, int64(100+i%n))
		back.Reverses = originals[i%n].ID
		results, err := stores[i/n].Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{back})
		if err != nil {
			return "", err
		}
		return results[0].Outcome, nil
	})
	require.Equal(t, map[string]int{string(ledger.Created): n, string(ledger.AlreadyReversed): n}, outcomes)
	requireSound(t, db)
}

func TestResolvingTwiceAtOnceSucceedsOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, tenant := postgres.New(db.Pool("app_worker")), db.Tenant()
	const n = 40
	pending := make([]ledger.Transaction, n)
	for i := range pending {
		pending[i] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 500)
		pending[i].Kind = ledger.Pending
	}
	requirePosted(t, store, tenant, pending...)
	outcomes := race(2*n, func(i int) (ledger.Outcome, error) {
		end := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: pending[i%n].ID, Purpose: "test", Actor: "test"}
		if i < n {
			end.Kind = ledger.PostPending
			end.Entries = pending[i%n].Entries
		}
		results, err := store.Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{end})
		if err != nil {
			return "", err
		}
		return results[0].Outcome, nil
	})
	require.Equal(t, map[string]int{string(ledger.Created): n, string(ledger.PendingAlreadyResolved): n}, outcomes)
	requireSound(t, db)
}

// Writers in opposite directions over two hot accounts, through two processes'
// stores: no deadlock reaches a caller and no cent is lost.
func TestOppositeWritersDoNotDeadlock(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Tenant()
	stores := []*postgres.Store{postgres.New(db.Pool("app_worker")), postgres.New(db.Pool("app_worker"))}
	const writers = 32
	each := long(t, 20, 625)
	var mu sync.Mutex
	outcomes := map[ledger.Outcome]int{}
	failed := race(writers, func(i int) (ledger.Outcome, error) {
		from, to := ledger.StripeClearing, ledger.CustomerDeposits
		if i%2 == 0 {
			from, to = to, from
		}
		for range each {
			results, err := stores[i/2%2].Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{ledgertest.Transfer(uuid.New(), from, to, 7)})
			if err != nil {
				return "", err
			}
			mu.Lock()
			outcomes[results[0].Outcome]++
			mu.Unlock()
		}
		return "", nil
	})
	require.Equal(t, map[string]int{"": writers}, failed)
	require.Equal(t, map[ledger.Outcome]int{ledger.Created: writers * each}, outcomes)
	requireSound(t, db)
}

func TestARolledBackFirstPostingDoesNotHideThatAccountsAreMissing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pool := db.Pool("app_worker")
	store, tenant := postgres.New(pool), db.Tenant()
	changedMind := errors.New("changed my mind")
	for range 2 {
		err := pgtenant.Tx(t.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
			for range 2 {
				batch := []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)}
				if _, err := store.PostTx(ctx, tx, ledger.Main(tenant), batch); err != nil {
					return err
				}
			}
			return changedMind
		})
		require.ErrorIs(t, err, changedMind)
	}
	require.Eventually(t, func() bool {
		results, err := store.Post(t.Context(), ledger.Main(tenant), []ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)})
		return err == nil && results[0].Outcome == ledger.Created
	}, 30e9, 1e6)
	requireSound(t, db)
}

func TestWhatASagaPostedReadsBackInOrder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	store, tenant := postgres.New(db.Pool("app_worker")), db.Tenant()
	hold := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 500)
	hold.Kind, hold.SagaID, hold.Document = ledger.Pending, "sg_1", "pi_1"
	void := ledger.Transaction{ID: uuid.New(), Kind: ledger.VoidPending, Resolves: hold.ID, Purpose: "void", Actor: "saga", SagaID: "sg_1"}
	other := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	requirePosted(t, store, tenant, hold, other, void)

	got, err := store.TransactionsOfSaga(t.Context(), ledger.Main(tenant), "sg_1")
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, hold.ID, got[0].ID)
	require.Equal(t, hold.Entries, got[0].Entries)
	require.Equal(t, "pi_1", got[0].Document)
	require.Equal(t, hold.ID, got[1].Resolves)
	require.Empty(t, got[1].Entries)
	require.Equal(t, []int64{1, 3}, []int64{got[0].Seq, got[1].Seq})
}

func race(n int, do func(i int) (ledger.Outcome, error)) map[string]int {
	var mu sync.Mutex
	var wg sync.WaitGroup
	out := map[string]int{}
	start := make(chan struct{})
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			<-start
			outcome, err := do(i)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				out[fmt.Sprint(err)]++
				return
			}
			out[string(outcome)]++
		}()
	}
	close(start)
	wg.Wait()
	return out
}

func requirePosted(t *testing.T, store ledger.Poster, tenant uuid.UUID, batch ...ledger.Transaction) {
	t.Helper()
	results, err := store.Post(t.Context(), ledger.Main(tenant), batch)
	require.NoError(t, err)
	for _, r := range results {
		require.NoError(t, r.Err())
	}
}

// requireSound recomputes the books.
func requireSound(t *testing.T, db *pgtest.DB) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, db.URL("auditor_ro"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(ctx) }()
	violations, err := postgres.Verify(ctx, conn, 10)
	require.NoError(t, err)
	require.Empty(t, violations)
}
