package postgres_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// A thousand commits of which nobody learns what became of them, in every way
// that can happen, through the store and in callers' own transactions: each
// transaction is in the books once, and nothing else is.
func TestUnknownCommitsArePostedOnce(t *testing.T) {
	t.Parallel()
	const writers = 8
	want := int64(long(t, 60, 1000))
	db := pgtest.New(t)
	books := []ledger.Book{ledger.Main(db.Tenant()), ledger.Main(db.Tenant()), ledger.Main(db.Tenant())}
	var forced, posted, refused atomic.Int64
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(13, 1))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	w := &wire{lose: func(straight bool) loss {
		if forced.Load() >= want || draw(5) < 2 {
			return arrives
		}
		forced.Add(1)
		if l := loss(1 + draw(4)); straight || l != tooLate {
			return l
		}
		return noMatter // a commit that is late keeps its lock: see the test of it
	}}
	pool := w.pool(t, db.URL("app_worker"))
	stores := []*postgres.Store{postgres.New(pool), postgres.New(pool), postgres.New(pool)}

	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for forced.Load() < want && !t.Failed() {
				batch := make([]ledger.Transaction, 1+draw(3))
				for k := range batch {
					batch[k] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 7)
				}
				store, book := stores[i%3], books[draw(3)]
				post := store.Post
				if i%4 == 3 {
					post = inCallersTransaction(pool, store)
				}
				for !t.Failed() {
					results, err := post(t.Context(), book, batch)
					if err != nil {
						assert.NotErrorIs(t, err, context.Canceled)
						continue
					}
					for _, r := range results {
						assert.NoError(t, r.Err())
					}
					break
				}
				posted.Add(int64(len(batch)))
				for _, p := range w.held() {
					answer, err := p.arrive()
					assert.NoError(t, err)
					if refusedLate(answer) {
						refused.Add(1) // its sender had asked what became of it
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d forced, %v by kind, %d late ones refused, %d transactions", forced.Load(), w.hits, refused.Load(), posted.Load())
	require.GreaterOrEqual(t, forced.Load(), want)
	require.Positive(t, refused.Load())
	var n, debits int64
	require.NoError(t, db.Super().QueryRow(t.Context(), `
		select (select count(*) from ledger.journal), (select sum(debits_posted) from ledger.balance)`).Scan(&n, &debits))
	require.Equal(t, posted.Load(), n, "lost, or posted twice")
	require.Equal(t, 7*posted.Load(), debits)
	requireSound(t, db)
}

// refusedLate reports whether the door did not take what came too late: the
// version has moved since, or the ids are there by now.
func refusedLate(answer []byte) bool {
	return strings.Contains(string(answer), "LG003") || strings.Contains(string(answer), "journal_key_pkey")
}

// inCallersTransaction posts as a caller does that has a transaction of its own.
func inCallersTransaction(pool *pgxpool.Pool, store *postgres.Store) func(context.Context, ledger.Book, []ledger.Transaction) ([]ledger.Result, error) {
	return func(ctx context.Context, book ledger.Book, batch []ledger.Transaction) (results []ledger.Result, err error) {
		err = pgtenant.Tx(ctx, pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
			results, err = store.PostTx(ctx, tx, book, batch)
			return err
		})
		return results, err
	}
}

// A request that arrives after its sender has asked what became of it: the
// fence refuses it, whether its transaction was posted anew or never will be.
func TestARequestThatWasGivenUpIsRefused(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	book := ledger.Main(db.Tenant())
	var next atomic.Int64 // the loss of the next request that goes straight
	w := &wire{lose: func(straight bool) loss {
		if !straight {
			return arrives
		}
		return loss(next.Swap(int64(arrives)))
	}}
	store := postgres.New(w.pool(t, db.URL("app_worker")))
	transfer := func() ledger.Transaction {
		return ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	}
	requirePosted(t, store, book.Tenant, transfer())
	for range 5 {
		next.Store(int64(tooLate))
		x := transfer()
		results, err := store.Post(t.Context(), book, []ledger.Transaction{x})
		require.NoError(t, err)
		require.Equal(t, ledger.Created, results[0].Outcome)
		parcels := w.held()
		require.Len(t, parcels, 1)
		answer, err := parcels[0].arrive()
		require.NoError(t, err)
		require.True(t, refusedLate(answer), "%q", answer)
		requirePosted(t, store, book.Tenant, transfer()) // the writer goes on
	}
	require.Equal(t, 11, count(t, db.URL("app_worker"), book.Tenant.String(), "ledger.journal"))
	requireSound(t, db)
}

// A commit that is late holds the book: whoever asks what became of it waits
// and finds it.
func TestALateCommitIsFound(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	book := ledger.Main(db.Tenant())
	var first atomic.Bool
	w := &wire{lose: func(straight bool) loss {
		if !straight && first.CompareAndSwap(false, true) {
			return tooLate
		}
		return arrives
	}}
	store := postgres.New(w.pool(t, db.URL("app_worker")))
	done := make(chan struct{})
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	var results []ledger.Result
	var err error
	go func() {
		defer close(done)
		results, err = store.Post(t.Context(), book, []ledger.Transaction{x})
	}()
	var parcels []*parcel
	require.Eventually(t, func() bool { parcels = w.held(); return len(parcels) == 1 }, 30*time.Second, time.Millisecond)
	super := db.Super()
	require.Eventually(t, func() bool {
		var waiting bool
		return super.QueryRow(t.Context(), `select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())`).Scan(&waiting) == nil && waiting
	}, 30*time.Second, time.Millisecond, "nobody waits for the book")
	_, arrived := parcels[0].arrive()
	require.NoError(t, arrived)
	<-done
	require.NoError(t, err)
	require.Equal(t, ledger.Exists, results[0].Outcome)
	require.Equal(t, int64(1), results[0].Seq)
	requireSound(t, db)
}
