package capture

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa/check"
)

// knowledge is what custody and the register know, as of the transaction in
// which a document is taken.
type knowledge struct {
	s      *Service
	tx     pgx.Tx
	tenant uuid.UUID
}

// Look implements check.Known.
func (k *knowledge) Look(ctx context.Context, q check.Query) (a check.Answer, err error) {
	if a, err = k.s.custody.KnownTx(ctx, k.tx, k.tenant, q); err != nil {
		return a, err
	}
	if a.Products, err = k.s.partners.KnownProductsTx(ctx, k.tx, k.tenant, q.Products); err != nil {
		return a, err
	}
	partners, err := k.s.partners.OfGLNsTx(ctx, k.tx, k.tenant, q.Parties)
	if err != nil {
		return a, err
	}
	a.Parties = map[string]check.Party{}
	for gln, p := range partners {
		party := check.Party{Own: p.Own, Authorized: true}
		if why := p.Unauthorised(k.s.now()); len(why) > 0 {
			party.Authorized, party.Reason = false, why[0].Message
		}
		a.Parties[gln] = party
	}
	return a, nil
}
