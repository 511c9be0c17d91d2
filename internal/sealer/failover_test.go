package sealer_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/sealer"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// F21: the server fails over to one that is behind, as an asynchronous standby
// or an older backup is: transactions that were acknowledged, sealed and
// witnessed are gone, and the database knows nothing of it. The checkpoint that
// was kept names the first one that is missing, before anything is posted and
// after; neither the sealer, nor the witness when the sealer has forgotten
// too, goes on as if nothing had been.
func TestF21ALostTailIsFoundByWhoKeptACheckpoint(t *testing.T) {
	t.Parallel()
	db, cluster := pgtest.NewCluster(t, "", nil)
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	f := fixture{T: t, db: db, store: postgres.New(db.Pool("app_worker")), key: key, dir: t.TempDir()}
	book := ledger.Main(db.Tenant())
	w := f.witness("witness.example/w1")
	var data string
	require.NoError(t, db.Super().QueryRow(t.Context(), `show data_directory`).Scan(&data))
	older := filepath.Join(filepath.Dir(data), "older")
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Dir(data)) })
	// restart stops the server, changes its files, and starts it.
	restart := func(files func()) {
		t.Helper()
		require.NoError(t, cluster.Stop(t.Context()))
		files()
		require.NoError(t, cluster.Ensure(t.Context()))
		f.store = postgres.New(db.Pool("app_worker"))
	}
	copied := func(from, to string) {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "cp", "-a", from, to).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	audit := func(kept ...[]byte) postgres.Report {
		t.Helper()
		cfg, err := pgx.ParseConfig(db.URL("auditor_ro"))
		require.NoError(t, err)
		report, err := postgres.Audit{Keys: []seal.PublicKey{f.key.PublicKey}, Kept: kept}.Run(context.WithoutCancel(t.Context()), cfg)
		require.NoError(t, err)
		return report
	}

	f.post(book, 300)
	require.NoError(t, f.sealer(w.Witness).Round(t.Context()))
	restart(func() { copied(data, older) })
	f.post(book, 200)
	require.NoError(t, f.sealer(w.Witness).Round(t.Context()))
	last, err := f.store.LastCheckpoint(t.Context(), book)
	require.NoError(t, err)
	opened, err := seal.Open(last.Signed, f.key.PublicKey, w.Key)
	require.NoError(t, err)
	require.Equal(t, int64(500), opened.Size)
	require.Len(t, opened.Cosigned, 1)
	var lost uuid.UUID
	require.NoError(t, db.Super().QueryRow(t.Context(), `select id from ledger.journal where seq = 301`).Scan(&lost))
	require.Empty(t, audit(last.Signed).Violations)

	restart(func() {
		require.NoError(t, os.RemoveAll(data))
		copied(older, data)
	})
	require.Empty(t, audit().Violations, "by itself the database is whole")
	_, err = postgres.New(db.Pool("app_api")).Prove(t.Context(), book, lost)
	require.ErrorIs(t, err, postgres.ErrNoTransaction)
	report := audit(last.Signed)
	require.Len(t, report.Violations, 1)
	require.Equal(t, int64(301), report.Violations[0].Seq, "the first one that is missing")
	require.Contains(t, report.Violations[0].Detail, "cut off")

	s := f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.ErrorIs(t, s.Round(t.Context()), seal.ErrInconsistent, "a sealer that starts looks at books that do not move")
	require.NoError(t, s.Round(t.Context()), "once")
	require.Equal(t, int64(1), s.Refused.Load())

	// cosigned is how many checkpoints beyond the older server's have a cosignature.
	cosigned := func() (n int) {
		t.Helper()
		require.NoError(t, db.Super().QueryRow(t.Context(), `select count(*) from ledger.cosignature where size > 300`).Scan(&n))
		return n
	}
	// Life goes on on the new primary, first shorter than what was witnessed.
	forget := func(s *sealer.Sealer) *sealer.Sealer { s.Archive = nil; return s }
	f.post(book, 1)
	s = f.sealer(sealer.NewWitness(w.URL, w.Key))
	require.ErrorIs(t, s.Round(t.Context()), seal.ErrInconsistent)
	require.Zero(t, s.Sealed.Load())
	require.Equal(t, int64(1), s.Refused.Load(), "the sealer raises the alarm")
	s = forget(f.sealer(sealer.NewWitness(w.URL, w.Key)))
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork, "and so does the witness, for a sealer that has lost its memory")
	require.Zero(t, cosigned())

	// Then longer: another history of the same length and more.
	f.post(book, 400)
	s = forget(f.sealer(sealer.NewWitness(w.URL, w.Key)))
	require.ErrorIs(t, s.Round(t.Context()), sealer.ErrFork)
	require.Zero(t, cosigned(), "no witness signs it, however long it grows")
	require.Empty(t, audit().Violations, "by itself the database is whole again")
	report = audit(last.Signed)
	require.NotEmpty(t, report.Violations)
	require.Contains(t, report.Violations[0].Detail, "another root")

	// What is still on the old primary is what was acknowledged.
	kept, err := filepath.Glob(filepath.Join(f.dir, "*", "*", "*cosigned"))
	require.NoError(t, err)
	require.Len(t, kept, 2)
	require.Contains(t, kept[1], "500")
}
