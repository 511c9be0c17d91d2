package postgres

import (
	"context"
	"math"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/pgtenant"
)

// OwnersOfLot are the GLNs of everybody who has owned something of a lot.
func (st *Store) OwnersOfLot(ctx context.Context, tenant uuid.UUID, gtin, lot string) (out []string, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "read the owners of a lot", sqlOwnersOfLot, func(rows pgx.Rows) (gln string, err error) {
			err = rows.Scan(&gln)
			return gln, err
		}, s.id, gtin, lot)
		return err
	})
	return out, err
}

// Holds are what is kept from sale, newest first, from before a hold; 0 is the
// beginning. inForce leaves out those that have been released.
func (st *Store) Holds(ctx context.Context, tenant uuid.UUID, inForce bool, before int64, limit int) (out []dscsa.Hold, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "read holds", sqlHolds, func(rows pgx.Rows) (h dscsa.Hold, err error) {
			err = rows.Scan(&h.ID, &h.Class, &h.GTIN, &h.Lot, &h.Document, &h.PlacedAt, &h.PlacedBy, &h.Reason, &h.ReleasedBy)
			return h, err
		}, s.id, before, inForce, limit)
		return err
	})
	return out, err
}

// HoldOfTx is one hold, in the caller's transaction. ErrNoSuchHold.
func (st *Store) HoldOfTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, id int64) (dscsa.Hold, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return dscsa.Hold{}, err
	}
	return s.hold(ctx, id)
}
