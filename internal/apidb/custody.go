package apidb

import (
	"context"
	"errors"

	"github.com/recourse/recourse/dscsa"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/investigation"
)

// Hold implements api.Tx.
func (w *work) Hold(ctx context.Context, o dscsa.HoldOrder) (dscsa.Hold, error) {
	h, err := custodypg.New(nil).HoldTx(ctx, w.tx, w.tenant, o)
	return h, classify(ctx, err)
}

// Investigations implements api.Tx.
func (w *work) Investigations() *investigation.Desk { return investigation.At(w.tx, w.tenant) }

// ReleaseHold implements api.Tx.
func (w *work) ReleaseHold(ctx context.Context, id int64, by, reason string) (dscsa.Hold, error) {
	store := custodypg.New(nil)
	err := store.ReleaseHoldTx(ctx, w.tx, w.tenant, id, by, reason)
	if errors.Is(err, custodypg.ErrNoSuchHold) || errors.Is(err, custodypg.ErrSamePerson) || errors.Is(err, custodypg.ErrUnderInvestigation) || errors.Is(err, custodypg.ErrNotified) {
		return dscsa.Hold{}, err
	}
	if err != nil {
		return dscsa.Hold{}, classify(ctx, err)
	}
	h, err := store.HoldOfTx(ctx, w.tx, w.tenant, id)
	return h, classify(ctx, err)
}
