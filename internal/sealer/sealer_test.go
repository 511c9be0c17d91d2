package sealer_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sealer"
	"github.com/recourse/recourse/internal/witness"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

type fixture struct {
	*testing.T
	db    *pgtest.DB
	store *postgres.Store
	key   *seal.Key
	old   []seal.PublicKey
	dir   string
}

func setUp(t *testing.T) fixture {
	t.Helper()
	db := pgtest.New(t)
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	return fixture{T: t, db: db, store: postgres.New(db.Pool("app_worker")), key: key, dir: t.TempDir()}
}

func (f fixture) post(book ledger.Book, n int) {
	f.Helper()
	var batch []ledger.Transaction
	for range n {
		batch = append(batch, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 5))
	}
	results, err := f.store.Post(f.Context(), book, batch)
	require.NoError(f, err)
	require.NoError(f, results[0].Err())
}

func (f fixture) sealer(witnesses ...*sealer.Witness) *sealer.Sealer {
	f.Helper()
	archive, err := sealer.NewArchive(f.dir, false, nil)
	require.NoError(f, err)
	return &sealer.Sealer{
		Pool: f.db.Pool("sealer"), Key: f.key, Old: f.old, Archive: archive, Witnesses: witnesses, Log: slog.New(slog.NewTextHandler(f.Output(), nil)),
		// A process that stands still for less than nine seconds goes on leading.
		Pace: sealer.Pace{Renew: 3 * time.Second, Seal: 20 * time.Millisecond},
	}
}

// A served witness can be switched off and on.
type served struct {
	*sealer.Witness
	away atomic.Bool
}

func (f fixture) witness(name string) *served {
	f.Helper()
	key, err := seal.NewKey(name, seal.ForWitness)
	require.NoError(f, err)
	state := filepath.Join(f.TempDir(), "state.json")
	require.NoError(f, witness.Create(state, key.PublicKey))
	w, err := witness.New(witness.Config{Key: key, State: state, Logs: []seal.PublicKey{f.key.PublicKey}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(f, err)
	s := &served{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if s.away.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.ServeHTTP(rw, r)
	}))
	f.Cleanup(func() { srv.Close(); _ = w.Close() })
	s.Witness = sealer.NewWitness(srv.URL, key.PublicKey)
	return s
}

func (f fixture) last(book ledger.Book, witnesses ...seal.PublicKey) seal.Opened {
	f.Helper()
	s, err := f.store.LastCheckpoint(f.Context(), book)
	require.NoError(f, err)
	opened, err := seal.Open(s.Signed, f.key.PublicKey, witnesses...)
	require.NoError(f, err)
	return opened
}

func (f fixture) requireSound(kept ...[]byte) {
	f.Helper()
	cfg, err := pgx.ParseConfig(f.db.URL("auditor_ro"))
	require.NoError(f, err)
	report, err := postgres.Audit{Keys: append([]seal.PublicKey{f.key.PublicKey}, f.old...), Kept: kept}.Run(context.WithoutCancel(f.Context()), cfg)
	require.NoError(f, err)
	require.Empty(f, report.Violations)
}

func (f *fixture) open(book ledger.Book) {
	f.Helper()
	conn, err := pgx.Connect(f.Context(), f.db.SuperURL())
	require.NoError(f, err)
	defer func() { _ = conn.Close(context.WithoutCancel(f.Context())) }()
	_, err = conn.Exec(f.Context(), `begin; set local role ledger_owner; select ledger.open_book('`+book.Tenant.String()+`', '`+book.Entity+`'); commit`)
	require.NoError(f, err)
}

func TestEveryBookThatMovedIsSealedKeptAndCosigned(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w1, w2 := f.witness("witness.example/w1"), f.witness("witness.example/w2")
	s := f.sealer(w1.Witness, w2.Witness)
	mine, theirs := ledger.Main(f.db.Tenant()), ledger.Book{Tenant: f.db.Tenant(), Entity: "gmbh"}
	f.open(theirs)
	f.post(mine, 300)
	f.post(theirs, 3)
	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(2), s.Sealed.Load())
	require.Equal(t, int64(300), f.last(mine).Size)
	require.Equal(t, int64(3), f.last(theirs).Size)
	require.Len(t, f.last(mine, w1.Key, w2.Key).Cosigned, 2)

	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(2), s.Sealed.Load(), "a book at rest is left alone")

	w2.away.Store(true)
	f.post(mine, 700)
	require.Error(t, s.Round(t.Context()))
	require.Len(t, f.last(mine, w1.Key, w2.Key).Cosigned, 1, "one of two is there")
	require.Equal(t, int64(1000), f.last(mine).Size)
	w2.away.Store(false)
	require.NoError(t, f.sealer(w1.Witness, sealer.NewWitness(w2.URL, w2.Key)).Round(t.Context()), "a sealer that knows nothing asks for the size")
	require.Len(t, f.last(mine, w1.Key, w2.Key).Cosigned, 2, "asked again")
	require.Zero(t, s.Refused.Load())

	files, err := filepath.Glob(filepath.Join(f.dir, "*", "*", "*"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		opened, err := seal.Open(raw, f.key.PublicKey, w1.Key, w2.Key)
		require.NoError(t, err)
		if strings.HasSuffix(file, "cosigned") {
			require.Len(t, opened.Cosigned, 2)
		}
		f.requireSound(raw)
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o440), info.Mode().Perm())
	}
}

func (f fixture) asSuperuser(sql string) {
	f.Helper()
	pool := f.db.Super()
	for _, q := range []string{
		`alter event trigger guard_ddl disable`, `alter table ledger.checkpoint disable trigger user`, `alter table ledger.tile disable trigger user`,
		`alter table ledger.journal disable trigger user`, `alter table ledger.journal_2026_11 disable trigger user`, sql,
	} {
		_, err := pool.Exec(f.Context(), q)
		require.NoError(f, err, q)
	}
}

func TestASealerWhoseDatabaseForgotRemembers(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	w := f.witness("witness.example/w1")
	book := ledger.Main(f.db.Tenant())
	f.post(book, 20)
	require.NoError(t, f.sealer(w.Witness).Round(t.Context()))

	f.asSuperuser(`do $$ begin delete from ledger.checkpoint where not exists (select from ledger.cosignature); end $$`)
	_, err := f.db.Super().Exec(t.Context(), `alter table ledger.cosignature disable trigger user`)
	require.NoError(t, err)
	_, err = f.db.Super().Exec(t.Context(), `delete from ledger.cosignature`)
	require.NoError(t, err)
	_, err = f.db.Super().Exec(t.Context(), `delete from ledger.checkpoint`)
	require.NoError(t, err)
	s := f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.NoError(t, s.Round(t.Context()), "nothing was changed: it is sealed again")
	require.Equal(t, int64(20), f.last(book, w.Key).Size)

	// Another history: the file kept refuses it, and without the file the witness.
	_, err = f.db.Super().Exec(t.Context(), `delete from ledger.cosignature; delete from ledger.checkpoint; update ledger.journal set hash = sha256('x') where seq = 7`)
	require.NoError(t, err)
	s = f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.ErrorIs(t, s.Round(t.Context()), seal.ErrInconsistent)
	require.Zero(t, s.Sealed.Load())
	require.Equal(t, int64(1), s.Refused.Load())
	s.Archive = nil
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork)
	require.Equal(t, int64(2), s.Refused.Load())
	require.Empty(t, f.last(book, w.Key).Cosigned)

	// Cut, and sealed again without a memory: the witness is further.
	_, err = f.db.Super().Exec(t.Context(), `alter table ledger.book disable trigger user; delete from ledger.checkpoint; delete from ledger.journal where seq > 10;
		update ledger.book set seq = 10, hash = (select hash from ledger.journal where seq = 10)`)
	require.NoError(t, err)
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork)
	require.Equal(t, int64(3), s.Refused.Load())
}

func TestWhatWasNotKeptIsKeptLater(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	book := ledger.Main(f.db.Tenant())
	s := f.sealer()
	f.post(book, 3)
	archive := s.Archive
	s.Archive = nil
	require.NoError(t, s.Round(t.Context()))
	require.Equal(t, int64(3), f.last(book).Size)
	s.Archive = archive
	f.post(book, 1)
	require.NoError(t, s.Round(t.Context()))
	files, err := filepath.Glob(filepath.Join(f.dir, "*", "*", "*.checkpoint"))
	require.NoError(t, err)
	require.Len(t, files, 2)
}

func TestANewKeyContinuesWhatTheOldOneSigned(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	book := ledger.Main(f.db.Tenant())
	f.post(book, 20)
	require.NoError(t, f.sealer().Round(t.Context()))
	first, err := f.store.LastCheckpoint(t.Context(), book)
	require.NoError(t, err)

	old := f.key.PublicKey
	f.key, err = seal.NewKey("books.example/ledger-2", seal.ForLog)
	require.NoError(t, err)
	f.post(book, 1)
	require.ErrorIs(t, f.sealer().Round(t.Context()), seal.ErrInconsistent, "a stranger's key continues nothing")
	f.old = []seal.PublicKey{old}
	w := f.witness("witness.example/w1")
	require.NoError(t, f.sealer(w.Witness).Round(t.Context()))
	require.Equal(t, int64(21), f.last(book, w.Key).Size)
	require.Len(t, f.last(book, w.Key).Cosigned, 1)
	f.requireSound(first.Signed)
}

func TestOneOfTwoSealersWorksAndTheOtherTakesOver(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	book := ledger.Main(f.db.Tenant())
	a, b := f.sealer(), f.sealer()
	ctxA, killA := context.WithCancel(t.Context())
	ctxB, stop := context.WithCancel(t.Context())
	defer stop()
	var wg sync.WaitGroup
	f.post(book, 1)
	ended := make(chan struct{})
	wg.Go(func() { defer close(ended); a.Run(ctxA) })
	require.Eventually(t, func() bool { return a.Sealed.Load() == 1 }, 30*time.Second, time.Millisecond)
	wg.Go(func() { b.Run(ctxB) })
	for n := range 3 {
		f.post(book, 1)
		require.Eventually(t, func() bool { return a.Sealed.Load() == int64(n+2) }, 30*time.Second, time.Millisecond)
	}
	require.Zero(t, b.Sealed.Load(), "two work")

	// It dies. Ended in order it gives the lease back, so the row is made what a
	// dead process would have left.
	killA()
	<-ended
	_, err := f.db.Super().Exec(t.Context(), `update app.lease set holder = 'the dead one', expires_at = clock_timestamp() + interval '300 milliseconds'`)
	require.NoError(t, err)
	f.post(book, 1)
	require.Eventually(t, func() bool { return b.Sealed.Load() == 1 }, 30*time.Second, time.Millisecond)
	require.Equal(t, int64(4), a.Sealed.Load())
	stop()
	wg.Wait()
	require.Equal(t, int64(5), f.last(book).Size)
	f.requireSound()
}

func TestTwoSealersAtOnceDoNoHarm(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	book := ledger.Main(f.db.Tenant())
	f.post(book, 10)
	var wg sync.WaitGroup
	w := f.witness("witness.example/w1")
	var sealers []*sealer.Sealer
	for range 4 {
		sealers = append(sealers, f.sealer(sealer.NewWitness(w.URL, w.Key)))
	}
	for n := range 5 {
		for _, s := range sealers {
			wg.Go(func() { _ = s.Round(t.Context()) })
		}
		f.post(book, n+1)
		wg.Wait()
	}
	require.NoError(t, sealers[0].Round(t.Context()))
	require.Equal(t, int64(25), f.last(book).Size)
	require.Len(t, f.last(book, w.Key).Cosigned, 1)
	for _, s := range sealers {
		require.Zero(t, s.Refused.Load())
	}
	f.requireSound()
}

func TestTheArchiveOnlyAdds(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	archive, err := sealer.NewArchive(f.dir, true, func(string, error) {})
	require.NoError(t, err)
	origin := ledger.Main(uuid.New()).Origin(f.key.Name)
	c := seal.Checkpoint{Origin: origin, Size: 5, Root: seal.Leaf([32]byte{1})}
	t.Cleanup(func() { sealer.Unlock(filepath.Dir(filepath.Join(f.dir, strings.TrimPrefix(origin, f.key.Name), "x"))) })
	signed, err := seal.Sign(c, f.key)
	require.NoError(t, err)
	none, err := archive.Last(origin, []seal.PublicKey{f.key.PublicKey})
	require.NoError(t, err)
	require.Nil(t, none)
	require.NoError(t, archive.Put(c, signed))
	require.NoError(t, archive.Put(c, signed), "the same again")
	last, err := archive.Last(origin, []seal.PublicKey{f.key.PublicKey})
	require.NoError(t, err)
	require.Equal(t, &c, last)
	other := c
	other.Root = seal.Leaf([32]byte{2})
	forged, err := seal.Sign(other, f.key)
	require.NoError(t, err)
	require.ErrorIs(t, archive.Put(other, forged), seal.ErrInconsistent)
	stranger, err := seal.NewKey(f.key.Name, seal.ForLog)
	require.NoError(t, err)
	_, err = archive.Last(origin, []seal.PublicKey{stranger.PublicKey})
	require.ErrorIs(t, err, seal.ErrInconsistent)
	_, err = archive.Last("../..", []seal.PublicKey{f.key.PublicKey})
	require.Error(t, err)
	_, err = sealer.NewArchive(filepath.Join(f.dir, "nowhere"), false, nil)
	require.Error(t, err)
}
