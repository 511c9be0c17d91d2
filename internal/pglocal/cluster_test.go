package pglocal_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pglocal"
)

// dir is a folder the account postgres can reach, also when the test's own
// temporary folder is private to root.
func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "pglocal-*")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(d) })
	return filepath.Join(d)
}

func ensure(t *testing.T, cfg pglocal.Config) *pglocal.Cluster {
	t.Helper()
	cfg.Settings = map[string]string{"fsync": "off"}
	c := pglocal.New(cfg)
	require.NoError(t, c.Ensure(t.Context()))
	t.Cleanup(func() { _ = c.Stop(context.WithoutCancel(t.Context())) })
	return c
}

func scan(t *testing.T, url, sql string) (answer string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&answer))
	return answer
}

func TestAClusterSurvivesStopKillAndRestart(t *testing.T) {
	t.Parallel()
	d := dir(t)
	c := ensure(t, pglocal.Config{Dir: d})
	require.Equal(t, "on", scan(t, c.SuperURL("postgres"), "show data_checksums"))
	scan(t, c.SuperURL("postgres"), "select pg_catalog.set_config('x.y', 'z', false)")
	port := c.Port()

	require.NoError(t, c.Stop(t.Context()))
	again := ensure(t, pglocal.Config{Dir: d, Port: port})
	require.Equal(t, port, again.Port())

	pid := again.PID()
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, 20*time.Second, 20*time.Millisecond)
	third := ensure(t, pglocal.Config{Dir: d, Port: port}) // the stale pid file is repaired
	require.Equal(t, "1", scan(t, third.SuperURL("postgres"), "select 1::text"))

	second := pglocal.New(pglocal.Config{Dir: d})
	require.NoError(t, second.Ensure(t.Context())) // a running cluster is taken as it is
	require.Equal(t, third.PID(), second.PID())
}

func TestAHalfMadeClusterIsMadeAgain(t *testing.T) {
	t.Parallel()
	d := dir(t)
	require.NoError(t, os.MkdirAll(filepath.Join(d, "data", "base"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(d, "data", "PG_VERSION"), []byte("15\n"), 0o600))
	c := ensure(t, pglocal.Config{Dir: d})
	require.Equal(t, "1", scan(t, c.SuperURL("postgres"), "select 1::text"))
}

func TestAPortInUseIsNamed(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	err = pglocal.New(pglocal.Config{Dir: dir(t), Port: port}).Ensure(t.Context())
	var used pglocal.ErrPortInUse
	require.ErrorAs(t, err, &used)
	require.Contains(t, err.Error(), strconv.Itoa(port))
}

func TestAWrongPasswordIsRefused(t *testing.T) {
	t.Parallel()
	c := ensure(t, pglocal.Config{Dir: dir(t)})
	_, err := pgx.Connect(t.Context(), c.URL(pglocal.Superuser, "wrong", "postgres"))
	require.ErrorContains(t, err, "password authentication failed")
}
