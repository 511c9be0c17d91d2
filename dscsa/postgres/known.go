package postgres

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/internal/pgtenant"
)

// knowing answers the checks from what is stored.
type knowing struct {
	store  *Store
	tenant uuid.UUID
	trade  func(context.Context, check.Query, *check.Answer) error
}

// Look is check.Known.
func (k *knowing) Look(ctx context.Context, q check.Query) (check.Answer, error) {
	a := check.Answer{
		Things: map[string]check.Thing{}, Products: map[string]bool{}, Parties: map[string]check.Party{},
		EventIDs: map[string]string{}, Hashes: map[string]bool{},
	}
	err := pgtenant.ReadTx(ctx, k.store.pool, k.tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, k.tenant)
		if err != nil || s.id == 0 {
			return err
		}
		if err := s.thingsKnown(ctx, q.Things, &a); err != nil {
			return err
		}
		hashes := make([][]byte, 0, len(q.Hashes))
		for _, uri := range q.Hashes {
			raw, err := hex.DecodeString(strings.TrimSuffix(strings.TrimPrefix(uri, hashBefore), hashAfter))
			if err == nil {
				hashes = append(hashes, raw)
			}
		}
		_, err = collect(ctx, tx, "look for events", sqlEventsKnown, func(rows pgx.Rows) (struct{}, error) {
			var x known
			var hash []byte
			err := rows.Scan(&x.seq, &hash, &x.id, &x.declared)
			copy(x.hash[:], hash)
			if !x.declared {
				a.EventIDs[x.id], a.Hashes[madeID(x.hash)] = madeID(x.hash), true
			}
			return struct{}{}, err
		}, s.id, hashes, q.EventIDs)
		return err
	})
	if err != nil {
		return a, err
	}
	if k.trade != nil {
		return a, k.trade(ctx, q, &a)
	}
	for _, p := range q.Products {
		a.Products[p] = true
	}
	for _, p := range q.Parties {
		a.Parties[p] = check.Party{Authorized: true}
	}
	return a, nil
}

func (s *session) thingsKnown(ctx context.Context, keys []string, a *check.Answer) error {
	_, err := collect(ctx, s.tx, "look for things", sqlThingsKnown, func(rows pgx.Rows) (struct{}, error) {
		var t check.Thing
		var key string
		var made, gone pgtype.Timestamptz
		var expiry pgtype.Date
		err := rows.Scan(&key, &made, &t.Lot, &expiry, &gone, &t.Parent, &t.Filled, &t.Holder, &t.Held)
		t.Commissioned, t.Decommissioned, t.Expiry = made.Time, gone.Time, expiry.Time
		a.Things[key] = t
		return struct{}{}, err
	}, s.id, keys)
	return err
}
