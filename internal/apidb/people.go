package apidb

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// closeTime is how long closing a period may take to add it up: longer than
// any other statement of the API's role.
const closeTime = "60s"

// Propose implements api.Tx.
func (w *work) Propose(ctx context.Context, who auth.Principal, p api.Proposal) error {
	outcome, err := w.q.Propose(ctx, apiqueries.ProposeParams{
		TenantID: w.tenant, KeyID: who.KeyID, SecretSha256: who.Proof[:], ID: p.ID, Action: p.Action, Subject: p.Subject,
		Payload: p.Payload, Reason: p.Reason, Ticket: orNull(p.Ticket),
	})
	if err != nil {
		return classify(ctx, err)
	}
	switch outcome {
	case "proposed":
		return nil
	case "not_allowed":
		return api.ErrNotAllowed
	case "already_proposed":
		return api.ErrAlreadyProposed
	default:
		return fmt.Errorf("app.propose answered %q", outcome)
	}
}

// Decide implements api.Tx.
func (w *work) Decide(ctx context.Context, who auth.Principal, id, decision string) (bool, error) {
	outcome, err := w.q.Decide(ctx, apiqueries.DecideParams{
		TenantID: w.tenant, KeyID: who.KeyID, SecretSha256: who.Proof[:], ID: id, Decision: decision,
	})
	if err != nil {
		return false, classify(ctx, err)
	}
	switch outcome {
	case "approved", "rejected":
		return true, nil
	case "counted":
		return false, nil
	case "not_found":
		return false, api.ErrNotFound
	case "already_decided":
		return false, api.ErrDecided
	case "not_allowed":
		return false, api.ErrNotAllowed
	case "decided_before":
		return false, api.ErrSamePerson
	default:
		return false, fmt.Errorf("app.decide answered %q", outcome)
	}
}

// Approval implements api.Tx.
func (w *work) Approval(ctx context.Context, id string) (api.ApprovalRecord, error) {
	row, err := w.q.Approval(ctx, apiqueries.ApprovalParams{TenantID: w.tenant, ID: id})
	if err != nil {
		return api.ApprovalRecord{}, classify(ctx, err)
	}
	return approval(apiqueries.ApprovalsRow(row))
}

// Try implements api.Tx with a savepoint.
func (w *work) Try(ctx context.Context, fn func(ctx context.Context) error) error {
	inner, err := w.tx.Begin(ctx)
	if err != nil {
		return classify(ctx, err)
	}
	if err := fn(ctx); err != nil {
		if back := inner.Rollback(context.WithoutCancel(ctx)); back != nil {
			return errors.Join(err, classify(ctx, back))
		}
		return err
	}
	return classify(ctx, inner.Commit(ctx))
}

// Consume implements api.Tx. The hash is taken of the bytes that were read and
// are about to be carried out.
func (w *work) Consume(ctx context.Context, a api.ApprovalRecord) error {
	digest := sha256.Sum256(a.Payload)
	outcome, err := w.q.ConsumeApproval(ctx, apiqueries.ConsumeApprovalParams{
		TenantID: w.tenant, ID: a.ID, Action: a.Action, PayloadSha256: digest[:],
	})
	if err != nil {
		return classify(ctx, err)
	}
	switch outcome {
	case "consumed":
		return nil
	case "not_found":
		return api.ErrNotFound
	case "already_used", "not_approved", "expired":
		return api.ErrDecided
	case "changed":
		return api.ErrApprovalChanged
	case "approver_lost_role":
		return api.ErrApproverLostRole
	default:
		return fmt.Errorf("app.consume_approval answered %q", outcome)
	}
}

// Apply implements api.Tx.
func (w *work) Apply(ctx context.Context, id string) error {
	if _, err := w.tx.Exec(ctx, `select set_config('statement_timeout', $1, true)`, closeTime); err != nil {
		return classify(ctx, err)
	}
	_, err := w.q.ApplyApproved(ctx, apiqueries.ApplyApprovedParams{TenantID: w.tenant, ID: id})
	return classify(ctx, err)
}

// Post implements api.Tx.
func (w *work) Post(ctx context.Context, book ledger.Book, t ledger.Transaction) (ledger.Result, error) {
	results, err := w.books.PostTx(ctx, w.tx, book, []ledger.Transaction{t})
	if err != nil {
		return ledger.Result{}, classify(ctx, err)
	}
	return results[0], nil
}

// Recorded implements api.Tx.
func (w *work) Recorded(ctx context.Context, book ledger.Book, id uuid.UUID) (*ledger.Recorded, bool, error) {
	t, reversed, err := ledgerpg.RecordedTx(ctx, w.tx, book, id)
	return t, reversed, classify(ctx, err)
}

// Accounts implements api.Tx.
func (w *work) Accounts(ctx context.Context, book ledger.Book, f ledgerpg.AccountFilter) ([]ledgerpg.AccountState, error) {
	found, err := ledgerpg.AccountsTx(ctx, w.tx, book, f)
	return found, classify(ctx, err)
}

// PeriodRefusal implements api.Tx.
func (w *work) PeriodRefusal(ctx context.Context, book ledger.Book, period time.Time, event string) (string, error) {
	refusal, err := w.q.PeriodRefusal(ctx, apiqueries.PeriodRefusalParams{TenantID: book.Tenant, Entity: book.Entity, Period: period, Event: event})
	if errors.Is(err, pgx.ErrNoRows) {
		return "these books have not been opened yet: nothing was posted", nil
	}
	return refusal, classify(ctx, err)
}

// Period implements api.Tx.
func (w *work) Period(ctx context.Context, book ledger.Book, period time.Time) (ledgerpg.PeriodState, error) {
	state, err := ledgerpg.PeriodTx(ctx, w.tx, book, period)
	return state, classify(ctx, err)
}
