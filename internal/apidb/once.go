package apidb

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// work is what a request does in the transaction of its key.
type work struct {
	q      *apiqueries.Queries
	tx     pgx.Tx
	books  *ledgerpg.Store
	tenant uuid.UUID
}

var _ api.Tx = (*work)(nil)

// Cancel implements api.Tx.
func (w *work) Cancel(ctx context.Context, id, reason string) (api.CancelOutcome, error) {
	row, err := w.q.Cancel(ctx, apiqueries.CancelParams{TenantID: w.tenant, SagaID: id, Reason: &reason})
	return api.CancelOutcome{PivotPassed: row.PivotPassed, Ended: row.Ended}, classify(ctx, err)
}

// Saga implements api.Tx.
func (w *work) Saga(ctx context.Context, id string) (api.SagaRecord, error) {
	row, err := w.q.Saga(ctx, apiqueries.SagaParams{TenantID: w.tenant, SagaID: id})
	if err != nil {
		return api.SagaRecord{}, classify(ctx, err)
	}
	return saga(row)
}

// Attention implements api.Tx.
func (w *work) Attention(ctx context.Context, id, step string) (api.Attention, error) {
	row, err := w.q.Attention(ctx, apiqueries.AttentionParams{TenantID: w.tenant, SagaID: id, Step: step})
	return api.Attention{Needed: row.Attention, StepOpen: row.Open}, classify(ctx, err)
}
