package apidb

import (
	"context"
	"time"

	custodypg "github.com/recourse/recourse/dscsa/postgres"
)

// LegalHold implements api.Tx.
func (w *work) LegalHold(ctx context.Context, document int64, by, reason string) (custodypg.LegalHold, error) {
	h, err := custodypg.New(nil).LegalHoldTx(ctx, w.tx, w.tenant, document, by, reason)
	return h, classify(ctx, err)
}

// LegalHoldOf implements api.Tx.
func (w *work) LegalHoldOf(ctx context.Context, id int64) (custodypg.LegalHold, error) {
	h, err := custodypg.New(nil).LegalHoldOfTx(ctx, w.tx, w.tenant, id)
	return h, classify(ctx, err)
}

// LiftLegalHold implements api.Tx.
func (w *work) LiftLegalHold(ctx context.Context, id int64, a custodypg.Approved) (custodypg.LegalHold, error) {
	h, err := custodypg.New(nil).LiftLegalHoldTx(ctx, w.tx, w.tenant, id, a)
	return h, classify(ctx, err)
}

// Retention implements api.Tx.
func (w *work) Retention(ctx context.Context, before time.Time) (custodypg.Retention, error) {
	r, err := custodypg.New(nil).RetentionTx(ctx, w.tx, w.tenant, before)
	return r, classify(ctx, err)
}

// OrderPurge implements api.Tx.
func (w *work) OrderPurge(ctx context.Context, a custodypg.Approved) (custodypg.Purge, error) {
	p, err := custodypg.New(nil).OrderPurgeTx(ctx, w.tx, w.tenant, a)
	return p, classify(ctx, err)
}

// Purge implements api.Tx.
func (w *work) Purge(ctx context.Context, order int64, by string) (custodypg.Purge, error) {
	p, err := custodypg.New(nil).PurgeTx(ctx, w.tx, w.tenant, order, by)
	return p, classify(ctx, err)
}
