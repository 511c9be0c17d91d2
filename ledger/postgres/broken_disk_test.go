package postgres_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// The disk is full: postings fail and say why, nothing is there by half, and
// the same store goes on once there is room.
func TestAFullDiskStopsPostingsUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("a disk of its own to fill takes root to mount")
	}
	disk, err := os.MkdirTemp("", "recourse-disk-*")
	require.NoError(t, err)
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=160m,mode=0711", "tmpfs", disk).CombinedOutput(); err != nil {
		require.NoError(t, os.Remove(disk))
		t.Skipf("a disk of its own to fill could not be mounted: %s", bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		// Lazily: a process of the server may still be on its way out.
		_ = exec.Command("umount", "-l", disk).Run()
		_ = os.Remove(disk)
	})
	db, cluster := pgtest.NewCluster(t, disk, map[string]string{"max_wal_size": "48MB", "min_wal_size": "32MB"})
	book := ledger.Main(db.Tenant())
	store := postgres.New(db.Pool("app_worker"))
	batch := func() []ledger.Transaction {
		out := make([]ledger.Transaction, 20)
		for i := range out {
			out[i] = ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
		}
		return out
	}
	requirePosted(t, store, book.Tenant, batch()...)

	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	var asked [][]ledger.Transaction
	failed := 0
	for len(asked) < 200 && failed < 5 {
		b := batch()
		asked = append(asked, b)
		_, err := store.Post(t.Context(), book, b)
		if err == nil {
			continue
		}
		failed++
		var pg *pgconn.PgError
		if errors.As(err, &pg) {
			require.Equal(t, "53100", pg.Code, "the error says what is wrong: %v", err)
			continue
		}
		require.ErrorIs(t, err, ledger.ErrOutcomeUnknown) // the server could not go on without room for its log
	}
	require.Equal(t, 5, failed, "the disk did not fill")
	t.Logf("%d calls, %d of which failed for want of room", len(asked), failed)

	require.NoError(t, os.Remove(filler))
	require.Eventually(t, func() bool { return cluster.Ensure(t.Context()) == nil }, time.Minute, 50*time.Millisecond)
	for _, b := range asked {
		results, err := store.Post(t.Context(), book, b)
		require.NoError(t, err)
		for _, r := range results {
			require.NoError(t, r.Err())
		}
	}
	require.Equal(t, 20*(1+len(asked)), count(t, db.URL("app_worker"), book.Tenant.String(), "ledger.journal"))
	requireSound(t, db)
}

// fill takes all the room there is.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size >= 512; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

// Bytes of a table's file change while the server is down: reading them is
// refused, by the page's checksum, and so is verifying the books.
func TestACorruptPageIsRefused(t *testing.T) {
	t.Parallel()
	db, cluster := pgtest.NewCluster(t, "", nil)
	ctx := t.Context()
	tenant := db.Tenant()
	store := postgres.New(db.Pool("app_worker"))
	for range 5 {
		requirePosted(t, store, tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 123456))
	}
	requireSound(t, db)
	month := time.Now().UTC().Format("_2006_01")
	for _, table := range []string{"posting" + month, "balance"} {
		super, err := pgx.Connect(ctx, db.SuperURL())
		require.NoError(t, err)
		var folder, file string
		require.NoError(t, super.QueryRow(ctx, `select current_setting('data_directory'), pg_relation_filepath(('ledger.' || $1)::regclass)`, table).Scan(&folder, &file))
		require.NoError(t, super.Close(ctx))
		require.NoError(t, cluster.Stop(ctx))
		path := filepath.Join(folder, file)
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NotEmpty(t, whole)
		broken := bytes.Clone(whole)
		broken[8192-20] ^= 0x10 // of the first row of the first page
		require.NoError(t, os.WriteFile(path, broken, 0o600))
		require.NoError(t, cluster.Ensure(ctx))

		super, err = pgx.Connect(ctx, db.SuperURL())
		require.NoError(t, err)
		_, err = super.Exec(ctx, `select md5(string_agg(x::text, '')) from ledger.`+table+` x`)
		var pg *pgconn.PgError
		require.ErrorAs(t, err, &pg, table)
		require.Equal(t, "XX001", pg.Code, table)
		require.NoError(t, super.Close(ctx))
		auditor, err := pgx.Connect(ctx, db.URL("auditor_ro"))
		require.NoError(t, err)
		violations, err := postgres.Verify(ctx, auditor, 10)
		require.True(t, err != nil || len(violations) > 0, "verifying the books does not see that %s is broken", table)
		require.NoError(t, auditor.Close(ctx))

		require.NoError(t, cluster.Stop(ctx))
		require.NoError(t, os.WriteFile(path, whole, 0o600))
		require.NoError(t, cluster.Ensure(ctx))
	}
	requireSound(t, db)
}
