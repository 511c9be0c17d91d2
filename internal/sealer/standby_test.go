package sealer_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pglocal"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sealer"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// A pair is a primary with a standby that follows it.
type pair struct {
	*testing.T

	db, standbyDB *pgtest.DB
	primary       *pglocal.Cluster
	dir           string // of the primary
}

// waitsForStandby is how a primary has to be set so that what it acknowledges
// survives it. A standby must allow as many connections as its primary.
var waitsForStandby = map[string]string{"fsync": "off", "max_connections": "1000", "synchronous_standby_names": "*"}

// newPair copies a cluster and lets the copy follow it; from then on the
// primary acknowledges what the standby has.
func newPair(t *testing.T) pair {
	t.Helper()
	db, primary := pgtest.NewCluster(t, "", map[string]string{"full_page_writes": "on"})
	p := pair{T: t, db: db, primary: primary}
	var data string
	require.NoError(t, db.Super().QueryRow(t.Context(), `show data_directory`).Scan(&data))
	p.dir = filepath.Dir(data)
	dir, err := os.MkdirTemp("", "recourse-standby-*")
	require.NoError(t, err)
	require.NoError(t, os.Remove(dir))
	t.Cleanup(func() { _ = os.RemoveAll(dir); _ = os.RemoveAll(p.dir) })
	require.NoError(t, primary.Stop(t.Context()))
	copied := func(from, to string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	copied(p.dir, dir)
	copied(filepath.Join(dir, "data", "PG_VERSION"), filepath.Join(dir, "data", "standby.signal")) // as its owner
	p.primary = p.start(p.dir, primary.Port(), waitsForStandby)
	standby := p.start(dir, 0, map[string]string{
		"fsync": "off", "max_connections": "1000", "primary_conninfo": "host=127.0.0.1 port=" + strconv.Itoa(primary.Port()) + " user=postgres password=" + primary.Password(),
	})
	p.standbyDB = db.On(standby)
	super := db.Super()
	require.Eventually(t, func() bool {
		var state string
		return super.QueryRow(t.Context(), `select sync_state from pg_stat_replication where state = 'streaming'`).Scan(&state) == nil && state == "sync"
	}, time.Minute, 20*time.Millisecond, "the standby does not follow")
	return p
}

func (p *pair) start(dir string, port int, settings map[string]string) *pglocal.Cluster {
	p.Helper()
	c := pglocal.New(pglocal.Config{Dir: dir, Port: port, Settings: settings})
	require.Eventually(p, func() bool { return c.Ensure(p.Context()) == nil }, time.Minute, 50*time.Millisecond)
	require.NoError(p, c.DieWithProcess())
	p.Cleanup(func() { _ = c.Stop(context.WithoutCancel(p.Context())) })
	return c
}

// F20: the primary dies under load and its standby takes over with everything
// that was acknowledged. The old primary comes back and is written to by
// programs that have not heard of it.
func TestF20AfterAFailoverOneHistoryIsAcknowledged(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	book := ledger.Main(p.db.Tenant())
	old := fixture{T: t, db: p.db, store: postgres.New(p.db.Pool("app_worker")), key: key, dir: t.TempDir()}
	w := old.witness("witness.example/w1")
	old.post(book, 20)
	require.NoError(t, old.sealer(w.Witness).Round(t.Context()))

	var mu sync.Mutex
	var acknowledged []uuid.UUID
	var writers sync.WaitGroup
	pool, err := pgxpool.New(t.Context(), p.db.URL("app_worker"))
	require.NoError(t, err)
	store := postgres.New(pool)
	down, stop := context.WithCancel(t.Context())
	for range 4 {
		writers.Go(func() {
			for {
				x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 7)
				if _, err := store.Post(down, book, []ledger.Transaction{x}); err != nil {
					return
				}
				mu.Lock()
				acknowledged = append(acknowledged, x.ID)
				mu.Unlock()
			}
		})
	}
	posted := func() int { mu.Lock(); defer mu.Unlock(); return len(acknowledged) }
	require.Eventually(t, func() bool { return posted() > 200 }, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(p.primary.PID(), syscall.SIGKILL))
	began := time.Now()
	stop()
	writers.Wait()
	pool.Close()

	// The standby takes over.
	standby := p.standbyDB.Super()
	var promoted bool
	require.NoError(t, standby.QueryRow(t.Context(), `select pg_promote(true, 60)`).Scan(&promoted))
	require.True(t, promoted)
	now := old
	now.db, now.store = p.standbyDB, postgres.New(p.standbyDB.Pool("app_worker"))
	now.post(book, 1)
	t.Logf("%d acknowledged before the primary died; posting again after %s", len(acknowledged), time.Since(began).Round(time.Millisecond))
	var missing int
	require.NoError(t, standby.QueryRow(t.Context(), `
		select count(*) from unnest($1::uuid[]) as a (id) where not exists (select from ledger.journal j where j.id = a.id)`, acknowledged).Scan(&missing))
	require.Zero(t, missing, "acknowledged, and lost")
	require.NoError(t, now.sealer(sealer.NewWitness(w.URL, w.Key)).Round(t.Context()))
	require.Len(t, now.last(book, w.Key).Cosigned, 1)
	now.requireSound()

	// The old primary is back as it was: it waits for a standby that does not
	// follow it any more, and acknowledges nothing, however often it is asked.
	require.Eventually(t, func() bool { return !p.primary.Running() }, time.Minute, 20*time.Millisecond)
	back := p.start(p.dir, p.primary.Port(), waitsForStandby)
	stale := postgres.New(p.db.Pool("app_worker"))
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 9)
	for range 2 {
		patience, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := stale.Post(patience, book, []ledger.Transaction{x})
		cancel()
		require.ErrorIs(t, err, ledger.ErrOutcomeUnknown, "the old primary acknowledges")
	}

	// Told to acknowledge alone, it does: no program can know that there is
	// another. Its history is a second one, and the witness has signed the first.
	require.NoError(t, back.Stop(t.Context()))
	p.start(p.dir, p.primary.Port(), map[string]string{"fsync": "off", "max_connections": "1000"})
	alone := old
	alone.store, alone.dir = postgres.New(p.db.Pool("app_worker")), t.TempDir()
	alone.post(book, 5)
	require.ErrorIs(t, alone.sealer(sealer.NewWitness(w.URL, w.Key)).Round(t.Context()), sealer.ErrFork)
	var cosigned int
	require.NoError(t, p.db.Super().QueryRow(t.Context(), `select count(*) from ledger.cosignature where size > 20`).Scan(&cosigned))
	require.Zero(t, cosigned)
	now.post(book, 1)
	require.NoError(t, now.sealer(sealer.NewWitness(w.URL, w.Key)).Round(t.Context()), "the one that was promoted goes on")
}
