package sagabook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/sagabook/internal/bookdb"
	"github.com/recourse/recourse/ledger"
)

// Poster posts to the ledger in the transaction of the step that causes it.
type Poster interface {
	PostTx(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) ([]ledger.Result, error)
}

// Custody changes who owns goods in the transaction of the step that causes it.
// It answers *step.Refused when the goods do not allow it.
type Custody interface {
	ApplyTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, c dscsa.Change) error
}

// Book is the book of all tenants' sagas. It is safe for concurrent use.
type Book struct {
	pool    *pgxpool.Pool
	ledger  Poster
	custody Custody
}

var (
	_ step.Book           = (*Book)(nil)
	_ activities.SagaBook = (*Book)(nil)
)

// New returns the book behind pool, whose role is app_worker.
func New(pool *pgxpool.Pool, ledger Poster, custody Custody) *Book {
	return &Book{pool: pool, ledger: ledger, custody: custody}
}

// Intend implements step.Book.
func (b *Book) Intend(ctx context.Context, c step.Call, op step.Op) (step.Intent, error) {
	var intent step.Intent
	err := b.tx(ctx, c.Tenant, "intend", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		p := framed(tx, c.Tenant, c.Saga)
		ordinal := int32(c.Ordinal)
		var row bookdb.IntendDoRow
		var err error
		if op == step.Do {
			row, err = p.tellStep(c, op).query().IntendDo(ctx, bookdb.IntendDoParams{
				TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Class: string(c.Class), Ordinal: ordinal,
			})
		} else {
			var undo bookdb.IntendUndoRow
			undo, err = p.abandonDo(c).tellStep(c, op).query().IntendUndo(ctx, bookdb.IntendUndoParams{
				TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Ordinal: ordinal,
			})
			row = bookdb.IntendDoRow(undo)
		}
		if err != nil {
			return orNoSaga(err)
		}
		if row.Verdict == "finished" {
			return ErrFinished
		}
		intent = step.Intent{
			Verdict: step.Verdict(row.Verdict),
			Order: step.Order{
				Type: row.Type, OrderRef: row.OrderRef, Amount: row.Amount, Currency: row.Currency, Request: row.Request,
			},
		}
		if err := json.Unmarshal(row.Record, &intent.Record); err != nil {
			return fmt.Errorf("read the operation's row: %w", err)
		}
		if err := json.Unmarshal(row.Done, &intent.Done); err != nil {
			return fmt.Errorf("read the saga's rows: %w", err)
		}
		if op == step.Do && intent.Record.Step != "" {
			intent.Done[c.Step] = intent.Record // the rows were read before this one was written
		}
		return nil
	})
	return intent, err
}

// Note implements step.Book.
func (b *Book) Note(ctx context.Context, c step.Call, op step.Op, result any) error {
	raw, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode note: %w", err)
	}
	return b.tx(ctx, c.Tenant, "note", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		status, err := framed(tx, c.Tenant, c.Saga).query().Note(ctx, bookdb.NoteParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Op: string(op), Result: raw,
		})
		if err != nil {
			return orNoIntent(err)
		}
		return mustRun(step.Status(status))
	})
}

// NextEpoch implements step.Book.
func (b *Book) NextEpoch(ctx context.Context, c step.Call, op step.Op) (int, error) {
	var epoch int
	err := b.tx(ctx, c.Tenant, "next epoch", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		row, err := framed(tx, c.Tenant, c.Saga).query().NextEpoch(ctx, bookdb.NextEpochParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Op: string(op),
		})
		if err != nil {
			return orNoIntent(err)
		}
		epoch = int(row.Epoch)
		return mustRun(step.Status(row.Status))
	})
	return epoch, err
}

func mustRun(s step.Status) error {
	switch s {
	case step.Running:
		return nil
	case step.Abandoned:
		return step.ErrAbandoned
	default:
		return fmt.Errorf("%w: %s", ErrSettledOtherwise, s)
	}
}

// Settle implements step.Book.
func (b *Book) Settle(ctx context.Context, c step.Call, op step.Op, s step.Settlement) error {
	allowed := s.Status == step.Succeeded || op == step.Do && s.Status == step.RefusedAs || op == step.Undo && s.Status == step.Skipped
	if !allowed {
		return fmt.Errorf("%w: %s of %s as %q", ErrSettlement, op, c.Step, s.Status)
	}
	result, err := optionalJSON(s.Result)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	failure, err := optionalJSON(s.Failure)
	if err != nil {
		return fmt.Errorf("encode failure: %w", err)
	}
	return b.tx(ctx, c.Tenant, "settle", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		row, err := framed(tx, c.Tenant, c.Saga).tellStep(c, op).query().Settle(ctx, bookdb.SettleParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Op: string(op), Status: string(s.Status), Result: result, Failure: failure,
		})
		if err != nil {
			return orNoIntent(err)
		}
		if row.Moved {
			if s.Custody != nil {
				if err := b.custody.ApplyTx(ctx, tx, c.Tenant, c.Saga, *s.Custody); err != nil {
					return err
				}
			}
			return b.post(ctx, tx, c.Tenant, s.Postings)
		}
		switch step.Status(row.Status) {
		case s.Status:
			return nil // our own work, before a lost answer
		case step.Abandoned:
			return step.ErrAbandoned
		default:
			return fmt.Errorf("%w: %s", ErrSettledOtherwise, row.Status)
		}
	})
}

// post puts a step's transactions into the books, all or none.
func (b *Book) post(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, batch []ledger.Transaction) error {
	results, err := b.ledger.PostTx(ctx, tx, ledger.Main(tenant), batch)
	if err != nil {
		return err
	}
	for i, r := range results {
		if !r.Posted() {
			return &PostingError{Transaction: r.ID, Purpose: batch[i].Purpose, Outcome: string(r.Outcome)}
		}
	}
	return nil
}

// tx runs fn as the tenant and says on failure what was tried on which saga.
func (b *Book) tx(ctx context.Context, tenant uuid.UUID, what, saga string, fn func(context.Context, pgx.Tx) error) error {
	if err := pgtenant.Tx(ctx, b.pool, tenant, fn); err != nil {
		return fmt.Errorf("%s: saga %s: %w", what, saga, err)
	}
	return nil
}

func orNoSaga(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoSaga
	}
	return err
}

func orNoIntent(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoIntent
	}
	return err
}

// optionalJSON is null for a nil value of any type.
func optionalJSON[T any](v T) (json.RawMessage, error) {
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	return raw, nil
}
