package apidb

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// together sends the tenant and one statement in a single round trip. Without
// an explicit begin the server treats what is sent up to the next sync as one
// transaction, so the transaction-local setting holds for the statement and
// for nothing after it.
type together struct {
	conn   *pgxpool.Conn
	tenant uuid.UUID
}

var errOneStatement = errors.New("only queries travel together with their tenant")

func (t *together) send(ctx context.Context, sql string, args []any) (pgx.BatchResults, error) {
	batch := &pgx.Batch{}
	batch.Queue(`select set_config('app.tenant', $1, true)`, t.tenant.String())
	batch.Queue(sql, args...)
	results := t.conn.SendBatch(ctx, batch)
	if _, err := results.Exec(); err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return results, nil
}

// Exec is not for statements without an answer.
func (*together) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errOneStatement
}

// Query implements the generated DBTX.
func (t *together) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	results, err := t.send(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, errors.Join(err, results.Close())
	}
	return &lastRows{Rows: rows, results: results}, nil
}

// QueryRow implements the generated DBTX.
func (t *together) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return &lastRow{t: t, ctx: ctx, sql: sql, args: args}
}

// lastRows closes the batch, and with it commits, when the rows are read.
type lastRows struct {
	pgx.Rows

	results pgx.BatchResults
	closed  bool
	err     error
}

func (r *lastRows) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.Rows.Close()
	r.err = errors.Join(r.Rows.Err(), r.results.Close())
}

func (r *lastRows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

func (r *lastRows) Err() error {
	if r.closed {
		return r.err
	}
	return r.Rows.Err()
}

type lastRow struct {
	t    *together
	ctx  context.Context //nolint:containedctx // a row is scanned where it was asked for
	sql  string
	args []any
}

// Scan sends, reads and commits.
func (r *lastRow) Scan(dest ...any) error {
	results, err := r.t.send(r.ctx, r.sql, r.args)
	if err != nil {
		return err
	}
	err = results.QueryRow().Scan(dest...)
	return errors.Join(err, results.Close())
}
