package postgres

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// KnownTx is what custody knows of things and event ids, in the caller's
// transaction: a statement for each kind of fact, however many things.
func (st *Store) KnownTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, things, eventIDs []string) (map[string]check.Thing, map[string]string, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return nil, nil, err
	}
	units, err := st.UnitsTx(ctx, tx, tenant, things)
	if err != nil {
		return nil, nil, err
	}
	made, gone, err := s.happened(ctx, units)
	if err != nil {
		return nil, nil, err
	}
	out := map[string]check.Thing{}
	for i := range units {
		u := &units[i]
		if u.Key == "" {
			continue
		}
		out[u.Key] = check.Thing{
			Commissioned: made[u.ID], Decommissioned: gone[u.ID], Lot: u.Lot, Expiry: u.Expiry, Parent: u.Parent, Holder: u.Owner,
			Held: heldBecause(u), Last: u.LastTime,
		}
	}
	hashes := map[string]string{}
	if len(eventIDs) > 0 {
		_, err = collect(ctx, tx, "look for event ids", sqlEventHashes, func(rows pgx.Rows) (struct{}, error) {
			var id string
			var hash []byte
			err := rows.Scan(&id, &hash)
			hashes[id] = hex.EncodeToString(hash)
			return struct{}{}, err
		}, s.id, eventIDs)
	}
	return out, hashes, err
}

func (s *session) happened(ctx context.Context, units []dscsa.Unit) (made, gone map[int64]time.Time, err error) {
	made, gone = map[int64]time.Time{}, map[int64]time.Time{}
	var ids []int64
	for i := range units {
		if units[i].Key != "" {
			ids = append(ids, units[i].ID)
		}
	}
	if len(ids) == 0 {
		return made, gone, nil
	}
	_, err = collect(ctx, s.tx, "look when things were made", sqlHappened, func(rows pgx.Rows) (struct{}, error) {
		var id int64
		var first, last *time.Time
		err := rows.Scan(&id, &first, &last)
		if first != nil {
			made[id] = *first
		}
		if last != nil {
			gone[id] = *last
		}
		return struct{}{}, err
	}, s.id, ids)
	return made, gone, err
}

// heldBecause is why a unit is kept from sale, "" when it is not.
func heldBecause(u *dscsa.Unit) string {
	switch {
	case len(u.Holds) > 0:
		return string(u.Holds[0].Class)
	case u.ConflictWhy != "":
		return u.ConflictWhy
	default:
		return u.Blocked
	}
}

// EventHash is the hash under which an event is kept, in hexadecimal.
func EventHash(e *epcis.Event) (string, error) {
	h, err := eventHash(e)
	return hex.EncodeToString(h[:]), err
}
