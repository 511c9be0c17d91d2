package tenancy

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// A Tier says from which amount on an action of a tenant needs how many people
// to approve it, 1 or 2. FromAmount is minor units of Currency.
type Tier struct {
	Tenant     string // by name
	Action     string
	Currency   string
	FromAmount int64
	Checkers   int
}

// ErrNoTenant means that no tenant has that name.
var ErrNoTenant = errors.New("no tenant has this name")

// PutTier stores a tier, replacing one from the same amount on. What has been
// proposed already keeps the number it was given.
func PutTier(ctx context.Context, conn *pgx.Conn, t Tier) error {
	err := asOwner(ctx, conn, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			insert into app.approval_tier (tenant_id, action, currency, from_amount, checkers)
			select id, $2, $3, $4, $5 from app.tenant where name = $1
			on conflict on constraint approval_tier_pkey do update set checkers = excluded.checkers`,
			t.Tenant, t.Action, t.Currency, t.FromAmount, t.Checkers)
		if err == nil && tag.RowsAffected() == 0 {
			return ErrNoTenant
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the tier: %w", err)
	}
	return nil
}
