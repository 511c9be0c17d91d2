package sagabook

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/sagabook/internal/bookdb"
)

// Begin implements activities.SagaBook.
func (b *Book) Begin(ctx context.Context, tenant uuid.UUID, saga, runID string) (activities.Resume, error) {
	var resume activities.Resume
	err := b.tx(ctx, tenant, "begin", saga, func(ctx context.Context, tx pgx.Tx) error {
		row, err := framed(tx, tenant, saga).tellStatus(tenant, saga).query().Begin(ctx, bookdb.BeginParams{
			TenantID: tenant, SagaID: saga, RunID: runID,
		})
		resume = activities.Resume{Mode: activities.Mode(row.Mode), PivotPassed: row.PivotPassed, Recovery: row.Recovery}
		return orNoSaga(err)
	})
	return resume, err
}

// Compensating implements activities.SagaBook.
func (b *Book) Compensating(ctx context.Context, tenant uuid.UUID, saga string, f *activities.Failure) error {
	failure, err := optionalJSON(f)
	if err != nil {
		return fmt.Errorf("encode failure: %w", err)
	}
	return b.tx(ctx, tenant, "compensating", saga, func(ctx context.Context, tx pgx.Tx) error {
		_, err := framed(tx, tenant, saga).tellStatus(tenant, saga).query().Compensating(ctx, bookdb.CompensatingParams{
			TenantID: tenant, SagaID: saga, Failure: failure,
		})
		return orNoSaga(err)
	})
}

// Attention implements activities.SagaBook.
func (b *Book) Attention(ctx context.Context, c step.Call, op step.Op, reason string) error {
	failure, err := optionalJSON(step.Refused{Code: "needs_attention", Message: reason})
	if err != nil {
		return fmt.Errorf("encode reason: %w", err)
	}
	return b.tx(ctx, c.Tenant, "attention", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		_, err := framed(tx, c.Tenant, c.Saga).tellAttention(c, op).query().Attention(ctx, bookdb.AttentionParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Op: string(op), Failure: failure,
		})
		return orNoSaga(err)
	})
}

// Resumed implements activities.SagaBook.
func (b *Book) Resumed(ctx context.Context, tenant uuid.UUID, saga string) error {
	return b.tx(ctx, tenant, "resume", saga, func(ctx context.Context, tx pgx.Tx) error {
		_, err := framed(tx, tenant, saga).tellStatus(tenant, saga).query().Resumed(ctx, bookdb.ResumedParams{TenantID: tenant, SagaID: saga})
		return orNoSaga(err)
	})
}

// Finish implements activities.SagaBook.
func (b *Book) Finish(ctx context.Context, tenant uuid.UUID, saga string, end activities.End) error {
	failure, err := optionalJSON(end.Failure)
	if err != nil {
		return fmt.Errorf("encode failure: %w", err)
	}
	return b.tx(ctx, tenant, "finish", saga, func(ctx context.Context, tx pgx.Tx) error {
		row, err := framed(tx, tenant, saga).tellStatus(tenant, saga).query().Finish(ctx, bookdb.FinishParams{
			TenantID: tenant, SagaID: saga, Status: string(end.Status), Failure: failure,
		})
		switch {
		case err != nil:
			return orNoSaga(err)
		case row.Finished && row.Status == string(end.Status):
			return nil // our own work, before a lost answer
		case row.Finished:
			return fmt.Errorf("%w: %s", activities.ErrEndedOtherwise, row.Status)
		case row.Unsettled:
			return activities.ErrUnsettled
		default:
			return b.post(ctx, tx, tenant, end.Postings)
		}
	})
}

// ResolveByHand implements activities.SagaBook.
func (b *Book) ResolveByHand(ctx context.Context, c step.Call, op step.Op, approvalID string) error {
	return b.tx(ctx, c.Tenant, "resolve by hand", c.Saga, func(ctx context.Context, tx pgx.Tx) error {
		row, err := framed(tx, c.Tenant, c.Saga).tellStep(c, op).query().ResolveByHand(ctx, bookdb.ResolveByHandParams{
			TenantID: c.Tenant, SagaID: c.Saga, Step: c.Step, Op: string(op), ApprovalID: approvalID,
		})
		switch {
		case err != nil:
			return orNoIntent(err)
		case row.Moved || row.Settled && row.ByHand == approvalID:
			return nil
		case row.Settled:
			return fmt.Errorf("%w: %s", ErrSettledOtherwise, row.Status)
		default:
			return activities.ErrApproval
		}
	})
}
