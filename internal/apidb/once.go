package apidb

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
)

// work is what a request does in the transaction of its key.
type work struct {
	q      *apiqueries.Queries
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
	return api.Attention{Needed: row.Attention, StepOpen: row.Open, Proposed: row.Proposed}, classify(ctx, err)
}

// Propose implements api.Tx.
func (w *work) Propose(ctx context.Context, a api.ApprovalRecord) error {
	digest := payloadDigest(a.Payload)
	return classify(ctx, w.q.PutApproval(ctx, apiqueries.PutApprovalParams{
		TenantID: w.tenant, ID: a.ID, Action: a.Action, Subject: a.Subject, Payload: a.Payload, PayloadSha256: digest[:],
		Reason: a.Reason, Maker: a.Maker, MadeAt: a.MadeAt, ExpiresAt: a.ExpiresAt,
	}))
}

// Decide implements api.Tx.
func (w *work) Decide(ctx context.Context, id, checker, decision string, at time.Time) (bool, error) {
	n, err := w.q.DecideApproval(ctx, apiqueries.DecideApprovalParams{
		TenantID: w.tenant, ID: id, Checker: checker, Decision: decision, DecidedAt: at,
	})
	return n == 1, classify(ctx, err)
}

// Approval implements api.Tx.
func (w *work) Approval(ctx context.Context, id string) (api.ApprovalRecord, error) {
	row, err := w.q.Approval(ctx, apiqueries.ApprovalParams{TenantID: w.tenant, ID: id})
	return approval(apiqueries.ApprovalsRow(row)), classify(ctx, err)
}
