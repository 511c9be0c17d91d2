package capture

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/internal/pgtenant"
)

// trade adds what the register knows of a query's products and parties.
func (s *Service) trade(tenant uuid.UUID) func(context.Context, check.Query, *check.Answer) error {
	return func(ctx context.Context, q check.Query, a *check.Answer) error {
		return pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
			if a.Products, err = s.partners.KnownProductsTx(ctx, tx, tenant, q.Products); err != nil {
				return err
			}
			partners, err := s.partners.OfGLNsTx(ctx, tx, tenant, q.Parties)
			if err != nil {
				return err
			}
			for gln, p := range partners {
				party := check.Party{Own: p.Own, Authorized: true}
				if why := p.Unauthorised(s.now()); len(why) > 0 {
					party.Authorized, party.Reason = false, why[0].Message
				}
				a.Parties[gln] = party
			}
			return nil
		})
	}
}
