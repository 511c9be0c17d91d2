package apidb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook"
)

// AddPartner implements api.Tx.
func (w *work) AddPartner(ctx context.Context, p dscsa.Partner, by string, at time.Time) error {
	return classify(ctx, tradebook.AddPartnerTx(ctx, w.tx, w.tenant, p, by, at))
}

// AddLicence implements api.Tx.
func (w *work) AddLicence(ctx context.Context, partner string, l dscsa.Licence) error {
	return classify(ctx, tradebook.AddLicenceTx(ctx, w.tx, w.tenant, partner, l))
}

// VerifyPartner implements api.Tx.
func (w *work) VerifyPartner(ctx context.Context, partner string, role dscsa.PartnerRole, by, approval string) error {
	return classify(ctx, tradebook.VerifyPartnerTx(ctx, w.tx, w.tenant, partner, role, by, approval))
}

// PendingEvidence implements api.Tx.
func (w *work) PendingEvidence(ctx context.Context, partners []string) ([]api.ApprovalRecord, error) {
	rows, err := w.q.PendingEvidence(ctx, apiqueries.PendingEvidenceParams{TenantID: w.tenant, Partners: partners})
	return pending(rows), classify(ctx, err)
}

// PendingEvidence implements api.Store.
func (s *Store) PendingEvidence(ctx context.Context, tenant uuid.UUID, partners []string) ([]api.ApprovalRecord, error) {
	rows, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) ([]apiqueries.PendingEvidenceRow, error) {
		return q.PendingEvidence(ctx, apiqueries.PendingEvidenceParams{TenantID: tenant, Partners: partners})
	})
	return pending(rows), classify(ctx, err)
}

func pending(rows []apiqueries.PendingEvidenceRow) []api.ApprovalRecord {
	out := make([]api.ApprovalRecord, len(rows))
	for i, r := range rows {
		out[i] = api.ApprovalRecord{ID: r.ID, Payload: r.Payload, Maker: r.Maker, MadeAt: r.MadeAt}
	}
	return out
}

// BindKey implements api.Tx.
func (w *work) BindKey(ctx context.Context, partner, key, by string) error {
	return classify(ctx, tradebook.BindKeyTx(ctx, w.tx, w.tenant, partner, key, by))
}

// AddProduct implements api.Tx.
func (w *work) AddProduct(ctx context.Context, p dscsa.Product, by string, at time.Time) error {
	return classify(ctx, tradebook.AddProductTx(ctx, w.tx, w.tenant, p, by, at))
}

// Partner implements api.Tx.
func (w *work) Partner(ctx context.Context, name string) (tradebook.Partner, error) {
	return partner(ctx, w.tx, w.tenant, name)
}

// Receive implements api.Tx.
func (w *work) Receive(ctx context.Context, id string, r dscsa.Receipt) (bool, error) {
	said, err := tradebook.AddReceiptTx(ctx, w.tx, w.tenant, id, r)
	return said, classify(ctx, err)
}

// Review implements api.Tx.
func (w *work) Review(ctx context.Context, id string, r activities.Review) error {
	return classify(ctx, tradebook.AddReviewTx(ctx, w.tx, w.tenant, id, r))
}

// Transfer implements api.Tx.
func (w *work) Transfer(ctx context.Context, id string) (api.TransferRecord, error) {
	row, err := w.q.Transfer(ctx, apiqueries.TransferParams{TenantID: w.tenant, SagaID: id})
	if err != nil {
		return api.TransferRecord{}, classify(ctx, err)
	}
	return transfer(id, row)
}

// Transfer implements api.Store.
func (s *Store) Transfer(ctx context.Context, tenant uuid.UUID, id string) (api.TransferRecord, error) {
	row, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) (apiqueries.TransferRow, error) {
		return q.Transfer(ctx, apiqueries.TransferParams{TenantID: tenant, SagaID: id})
	})
	if err != nil {
		return api.TransferRecord{}, classify(ctx, err)
	}
	return transfer(id, row)
}

func transfer(id string, r apiqueries.TransferRow) (api.TransferRecord, error) {
	t := api.TransferRecord{
		Type: r.Type, Status: r.Status, OrderRef: r.OrderRef, Amount: r.Amount, Currency: r.Currency, Held: r.Held, Shipped: r.Shipped,
		IntentID: r.IntentID,
	}
	if err := json.Unmarshal(r.Request, &t.Order); err != nil {
		return t, fmt.Errorf("read the order of %s: %w", id, err)
	}
	return t, nil
}

// Partner implements api.Store.
func (s *Store) Partner(ctx context.Context, tenant uuid.UUID, name string) (p tradebook.Partner, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		p, err = partner(ctx, tx, tenant, name)
		return err
	})
	return p, classify(ctx, err)
}

func partner(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, name string) (tradebook.Partner, error) {
	p, err := tradebook.PartnerTx(ctx, tx, tenant, name)
	if errors.Is(err, activities.ErrNoPartner) {
		return p, api.ErrNotFound
	}
	return p, classify(ctx, err)
}
