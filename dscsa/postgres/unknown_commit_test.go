package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
)

// lossy is a connection that is cut at a commit: before it goes out or after,
// by turns.
type lossy struct {
	net.Conn
	commits *atomic.Int64
}

var errCut = errors.New("the connection was cut")

func (l lossy) Write(p []byte) (int, error) {
	if !bytes.Contains(p, []byte("commit")) {
		return l.Conn.Write(p)
	}
	if l.commits.Add(1)%2 == 0 {
		_, _ = l.Conn.Write(p) // it arrives, and nobody hears of it
		buf := make([]byte, 1)
		_, _ = l.Read(buf) // it has been done when something is answered
	}
	_ = l.Close()
	return 0, errCut
}

// A capture of whose commit nobody learns what became: the same bytes again
// find it there or record it, and it is there once.
func TestAnUnknownCommitIsFoundByItsBytes(t *testing.T) {
	t.Parallel()
	c := setup(t)
	var commits atomic.Int64
	cfg, err := pgxpool.ParseConfig(c.db.URL("app_worker"))
	require.NoError(t, err)
	cfg.ConnConfig.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return lossy{conn, &commits}, err
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	store := postgres.New(pool)
	found := 0
	for range 8 {
		d := stocked(10)
		d.raw = append(d.raw, uuid.NewString()...)
		err := pgtenant.Tx(t.Context(), pool, c.tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := store.AppendTx(ctx, tx, c.tenant, d.batch(dscsa.Accept))
			return err
		})
		require.Error(t, err)
		out := c.record(t, d, dscsa.Accept)
		if out.Known {
			found++
		}
		require.True(t, c.record(t, d, dscsa.Accept).Known)
	}
	require.Equal(t, 4, found)
	var documents, events int
	require.NoError(t, c.db.Super().QueryRow(t.Context(), `select (select count(*) from custody.document), (select count(*) from custody.event)`).Scan(&documents, &events))
	require.Equal(t, 8, documents)
	require.Equal(t, 5, events, "the events are the same in all of them")
	c.verify(t)
}
