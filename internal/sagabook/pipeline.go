package sagabook

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/sagabook/internal/bookdb"
)

// A pipeline sends one query together with the statements that frame it in a
// single round trip: before it the saga's lock, after it the event. It serves
// the generated queries as their DBTX, for one query.
type pipeline struct {
	tx            pgx.Tx
	before, after recorder
}

// framed starts a pipeline with the lock of the saga.
func framed(tx pgx.Tx, tenant uuid.UUID, saga string) *pipeline {
	p := &pipeline{tx: tx}
	p.before.do(func(q *bookdb.Queries) error {
		return q.Lock(context.Background(), bookdb.LockParams{TenantID: tenant, SagaID: saga})
	})
	return p
}

// tellStep ends the pipeline with the event of an operation.
func (p *pipeline) tellStep(c step.Call, op step.Op) *pipeline {
	p.after.do(tell("saga.step", c.Tenant, c.Saga, c.Step, op))
	return p
}

// tellStatus ends the pipeline with the event of the saga's status.
func (p *pipeline) tellStatus(tenant uuid.UUID, saga string) *pipeline {
	p.after.do(tell("saga.status", tenant, saga, "", ""))
	return p
}

// tellAttention ends the pipeline with the event of a status that an
// operation caused.
func (p *pipeline) tellAttention(c step.Call, op step.Op) *pipeline {
	p.after.do(tell("saga.status", c.Tenant, c.Saga, c.Step, op))
	return p
}

// abandonDo puts the first half of an undo's intent, and its event, before the
// query.
func (p *pipeline) abandonDo(c step.Call) *pipeline {
	p.before.do(func(q *bookdb.Queries) error {
		return q.AbandonDo(context.Background(), bookdb.AbandonDoParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Ordinal: int32(c.Ordinal),
		})
	})
	p.before.do(tell("saga.step", c.Tenant, c.Saga, c.Step, step.Do))
	return p
}

func tell(kind string, tenant uuid.UUID, saga, name string, op step.Op) func(*bookdb.Queries) error {
	return func(q *bookdb.Queries) error {
		return q.Tell(context.Background(), bookdb.TellParams{
			Type: kind, TenantID: tenant, SagaID: saga, Step: name, Op: string(op),
		})
	}
}

// query is the one query of the pipeline, typed.
func (p *pipeline) query() *bookdb.Queries { return bookdb.New(p) }

// QueryRow sends everything; the row's Scan reads all answers.
func (p *pipeline) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	batch := &pgx.Batch{}
	for _, s := range p.before {
		batch.Queue(s.sql, s.args...)
	}
	batch.Queue(sql, args...)
	for _, s := range p.after {
		batch.Queue(s.sql, s.args...)
	}
	return &framedRow{results: p.tx.SendBatch(ctx, batch), before: len(p.before), after: len(p.after)}
}

// errNotFramed: only queries that answer with one row can be framed.
var errNotFramed = errors.New("a pipeline carries one query with one row")

// Exec is not for a pipeline.
func (p *pipeline) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errNotFramed
}

// Query is not for a pipeline.
func (p *pipeline) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errNotFramed
}

type framedRow struct {
	results       pgx.BatchResults
	before, after int
}

func (r *framedRow) Scan(dest ...any) error {
	err := r.scan(dest)
	return errors.Join(err, r.results.Close())
}

func (r *framedRow) scan(dest []any) error {
	for range r.before {
		if _, err := r.results.Exec(); err != nil {
			return err
		}
	}
	if err := r.results.QueryRow().Scan(dest...); err != nil {
		return err
	}
	for range r.after {
		if _, err := r.results.Exec(); err != nil {
			return err
		}
	}
	return nil
}

type statement struct {
	sql  string
	args []any
}

// A recorder is a DBTX that keeps the statements it is given for a batch.
type recorder []statement

// do records what fn executes.
func (r *recorder) do(fn func(*bookdb.Queries) error) {
	if err := fn(bookdb.New(r)); err != nil {
		panic(err) // a recorder fails only for a query that is not :exec
	}
}

func (r *recorder) Exec(_ context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	*r = append(*r, statement{sql, args})
	return pgconn.CommandTag{}, nil
}

func (r *recorder) Query(context.Context, string, ...any) (pgx.Rows, error) {
	return nil, errNotFramed
}

func (r *recorder) QueryRow(context.Context, string, ...any) pgx.Row { return noRow{} }

type noRow struct{}

func (noRow) Scan(...any) error { return errNotFramed }
