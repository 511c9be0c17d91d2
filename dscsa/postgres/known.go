package postgres

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// KnownTx is what custody knows of what a batch of events is about, in the
// caller's transaction: a statement for each kind of fact, however many things.
// Products and parties are the register's to add.
func (st *Store) KnownTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, q check.Query) (check.Answer, error) {
	a := check.Answer{Things: map[string]check.Thing{}, EventIDs: map[string]string{}, Hashes: map[string]bool{}}
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return a, err
	}
	units, err := st.UnitsTx(ctx, tx, tenant, q.Things)
	if err != nil {
		return a, err
	}
	made, gone, err := s.happened(ctx, units)
	if err != nil {
		return a, err
	}
	filled, err := s.filled(ctx, units)
	if err != nil {
		return a, err
	}
	for i := range units {
		u := &units[i]
		if u.Key == "" {
			continue
		}
		t := check.Thing{
			Commissioned: made[u.ID], Decommissioned: gone[u.ID], Lot: u.Lot, Expiry: u.Expiry, Parent: u.Parent,
			Holder: u.Owner, Held: heldBecause(u), Last: u.LastTime,
		}
		if c, ok := filled[u.ID]; ok {
			t.Filled = true
			t.Held = cmp.Or(t.Held, c.held)
			if t.Expiry.IsZero() || !c.expiry.IsZero() && c.expiry.Before(t.Expiry) {
				t.Expiry = c.expiry
			}
		}
		a.Things[u.Key] = t
	}
	hashes := make([][]byte, 0, len(q.Hashes))
	for _, h := range q.Hashes {
		raw, err := hex.DecodeString(h)
		if err != nil {
			return a, fmt.Errorf("the event hash %q is not hexadecimal: %w", h, err)
		}
		hashes = append(hashes, raw)
	}
	_, err = collect(ctx, tx, "look for events", sqlEventHashes, func(rows pgx.Rows) (struct{}, error) {
		var id string
		var hash []byte
		err := rows.Scan(&id, &hash)
		a.EventIDs[id] = hex.EncodeToString(hash)
		a.Hashes[hex.EncodeToString(hash)] = true
		return struct{}{}, err
	}, s.id, q.EventIDs, hashes)
	return a, err
}

// ids are the numbers of the units that are known.
func ids(units []dscsa.Unit) []int64 {
	out := make([]int64, 0, len(units))
	for i := range units {
		if units[i].Key != "" {
			out = append(out, units[i].ID)
		}
	}
	return out
}

// content is what is known of what is in a thing.
type content struct {
	expiry time.Time // the earliest; zero: none
	held   string    // why some of it is kept from sale; "": none of it is
}

// filled are the things that have something in them.
func (s *session) filled(ctx context.Context, units []dscsa.Unit) (map[int64]content, error) {
	out := map[int64]content{}
	_, err := collect(ctx, s.tx, "look what is full", sqlFilled, func(rows pgx.Rows) (struct{}, error) {
		var id int64
		var c content
		var expiry *time.Time
		err := rows.Scan(&id, &expiry, &c.held)
		if expiry != nil {
			c.expiry = *expiry
		}
		out[id] = c
		return struct{}{}, err
	}, s.id, ids(units))
	return out, err
}

func (s *session) happened(ctx context.Context, units []dscsa.Unit) (made, gone map[int64]time.Time, err error) {
	made, gone = map[int64]time.Time{}, map[int64]time.Time{}
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
	}, s.id, ids(units))
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
