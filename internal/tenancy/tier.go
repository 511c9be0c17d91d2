package tenancy

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Tier says from which amount on an action of a tenant needs how many people
// to approve it, 1 or 2. FromAmount is minor units of Currency.
type Tier struct {
	Tenant     uuid.UUID
	Action     string
	Currency   string
	FromAmount int64
	Checkers   int
}

// PutTier stores a tier, replacing one from the same amount on. What has been
// proposed already keeps the number it was given.
func PutTier(ctx context.Context, conn *pgx.Conn, t Tier) error {
	err := asOwner(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into app.approval_tier (tenant_id, action, currency, from_amount, checkers)
			values ($1, $2, $3, $4, $5)
			on conflict on constraint approval_tier_pkey do update set checkers = excluded.checkers`,
			t.Tenant, t.Action, t.Currency, t.FromAmount, t.Checkers)
		return err
	})
	if err != nil {
		return fmt.Errorf("store the tier: %w", err)
	}
	return nil
}
