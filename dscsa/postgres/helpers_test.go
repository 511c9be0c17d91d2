package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
)

// custody is one tenant's custody in a database of the test's own.
type custody struct {
	db     *pgtest.DB
	tenant uuid.UUID
	pool   *pgxpool.Pool
	store  *postgres.Store
}

func setup(tb testing.TB) *custody {
	tb.Helper()
	d := pgtest.New(tb)
	c := &custody{db: d, tenant: d.Tenant(), pool: d.Pool("app_worker")}
	c.store = postgres.New(c.pool)
	return c
}

// another is a second tenant of the same database.
func (c *custody) another() *custody {
	other := *c
	other.tenant = c.db.Tenant()
	return &other
}

func (c *custody) tx(tb testing.TB, fn func(ctx context.Context, tx pgx.Tx) error) error {
	tb.Helper()
	return pgtenant.Tx(tb.Context(), c.pool, c.tenant, fn)
}

// document is a batch of the test pack or of the test's making.
type document struct {
	name   string
	raw    []byte
	events []epcis.Event
}

func (c *custody) record(tb testing.TB, d document, verdict dscsa.Verdict) postgres.Appended {
	tb.Helper()
	var out postgres.Appended
	require.NoError(tb, c.tx(tb, func(ctx context.Context, tx pgx.Tx) (err error) {
		out, err = c.store.AppendTx(ctx, tx, c.tenant, d.batch(verdict))
		return err
	}), d.name)
	return out
}

func (d document) batch(verdict dscsa.Verdict) postgres.Batch {
	return postgres.Batch{
		Document: &dscsa.Document{Direction: dscsa.Received, Format: epcis.XML12, Sender: "0860001234107", Credential: "test", Verdict: verdict},
		Body:     bytes.NewReader(d.raw), Events: d.events,
	}
}

// pack is the folder of examples beside the repository; the test is skipped
// without it.
func pack(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	require.NoError(tb, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(dir, "..", "shared", "dscsa", "examples")
	if _, err := os.Stat(path); err != nil {
		tb.Skip("the pack of example documents is not at ../shared/dscsa/examples")
	}
	return path
}

func read(tb testing.TB, path string) document {
	tb.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(tb, err)
	return document{name: filepath.Base(path), raw: raw, events: parse(tb, raw)}
}

func parse(tb testing.TB, raw []byte) []epcis.Event {
	tb.Helper()
	r, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
	require.NoError(tb, err)
	var out []epcis.Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(tb, err)
		out = append(out, *e)
	}
}

// chain is the authored chain of the pack, in the order in which it happened.
func chain(tb testing.TB) []document {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(pack(tb), "dscsa-authored-chain", "*.xml"))
	require.NoError(tb, err)
	require.Len(tb, files, 7)
	var out []document
	for _, f := range files {
		out = append(out, read(tb, f))
	}
	return out
}
