package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/pgtenant"
)

// ErrUnknown means that no document names the thing, or there is no such
// document.
var ErrUnknown = errors.New("there is nothing of that name in custody")

// Units are things as they stand, in the order asked for; Key is "" of one
// that no document names.
func (st *Store) Units(ctx context.Context, tenant uuid.UUID, asked []string) (out []dscsa.Unit, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, err = st.UnitsTx(ctx, tx, tenant, asked)
		return err
	})
	return out, err
}

// UnitsTx is Units in the caller's transaction.
func (st *Store) UnitsTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, asked []string) ([]dscsa.Unit, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(asked))
	for i, a := range asked {
		keys[i], _ = dscsa.KeyOf(a)
	}
	rows, err := s.items(ctx, sqlItemsByKey, keys)
	if err != nil {
		return nil, err
	}
	units, err := s.units(ctx, rows)
	if err != nil {
		return nil, err
	}
	byKey := map[string]int{}
	for i := range units {
		byKey[units[i].Key] = i
	}
	out := make([]dscsa.Unit, len(asked))
	for i, key := range keys {
		if n, ok := byKey[key]; ok {
			out[i] = units[n]
		}
	}
	return out, nil
}

// units adds holds and parents' keys.
func (s *session) units(ctx context.Context, rows []*item) ([]dscsa.Unit, error) {
	holds, err := s.holdsOver(ctx, rows)
	if err != nil {
		return nil, err
	}
	out := make([]dscsa.Unit, len(rows))
	for n, i := range rows {
		out[n] = i.unit()
		out[n].Holds = holds[i.id]
	}
	return out, s.nameParents(ctx, out)
}

func (s *session) nameParents(ctx context.Context, units []dscsa.Unit) error {
	var ids []int64
	for i := range units {
		if units[i].ParentID != 0 {
			ids = append(ids, units[i].ParentID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	keys, err := s.keys(ctx, ids)
	for i := range units {
		units[i].Parent = keys[units[i].ParentID]
	}
	return err
}

func (s *session) keys(ctx context.Context, ids []int64) (map[int64]string, error) {
	keys := map[int64]string{}
	_, err := collect(ctx, s.tx, "read items", sqlKeys, func(rows pgx.Rows) (struct{}, error) {
		var id int64
		var key string
		err := rows.Scan(&id, &key)
		keys[id] = key
		return struct{}{}, err
	}, s.id, ids)
	return keys, err
}

// LotAt is every unit of a lot as it stood at a moment, by what is known of it
// now; the zero time is now. Holds are those in force now.
func (st *Store) LotAt(ctx context.Context, tenant uuid.UUID, gtin, lot string, at time.Time) (out []dscsa.Unit, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		rows, err := s.ofLot(ctx, gtin, lot)
		if err != nil {
			return err
		}
		if !at.IsZero() {
			if rows, err = s.backTo(ctx, rows, at); err != nil {
				return err
			}
		}
		out, err = s.units(ctx, rows)
		return err
	})
	return out, err
}

// ofLot is every item of a lot, as it stands.
func (s *session) ofLot(ctx context.Context, gtin, lot string) ([]*item, error) {
	named, err := collect(ctx, s.tx, "read a lot", sqlLotEvents, func(rows pgx.Rows) ([]int64, error) {
		var members, outputs []byte
		err := rows.Scan(&members, &outputs)
		return append(unpacked(members), unpacked(outputs)...), err
	}, s.id, lot)
	if err != nil {
		return nil, err
	}
	rows, err := s.items(ctx, sqlItemsByID, slices.Concat(named...))
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(i *item) bool { return i.gtin != gtin || i.Lot != lot })
	slices.SortFunc(rows, func(a, b *item) int { return cmp.Compare(a.id, b.id) })
	return rows, nil
}

// backTo is items as they stood at a moment; what was not made yet is left
// out.
func (s *session) backTo(ctx context.Context, rows []*item, at time.Time) ([]*item, error) {
	ids := make([]int64, len(rows))
	for n, i := range rows {
		ids[n] = i.id
	}
	c, err := s.gather(ctx, ids, nil)
	if err != nil {
		return nil, err
	}
	var upTo []dscsa.Fact
	for _, f := range c.facts {
		if f.At <= at.UnixMicro() || f.Declared {
			upTo = append(upTo, f)
		}
	}
	book := dscsa.Fold(upTo)
	var out []*item
	for _, i := range rows {
		if then := book.Of(i.id); then != nil && then.LastEvent != 0 {
			i.Standing = *then
			out = append(out, i)
		}
	}
	return out, nil
}

// History is a thing as it stands, every event that concerns it in order, also
// by what it was in at the time, and its changes of owner back to the first.
// ErrUnknown.
func (st *Store) History(ctx context.Context, tenant uuid.UUID, thing string) (unit dscsa.Unit, events []dscsa.Recorded, hops []dscsa.Hop, err error) {
	key, _ := dscsa.KeyOf(thing)
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		rows, err := s.items(ctx, sqlItemsByKey, []string{key})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return ErrUnknown
		}
		units, err := s.units(ctx, rows)
		if err != nil {
			return err
		}
		unit = units[0]
		c, err := s.gather(ctx, []int64{unit.ID}, nil)
		if err != nil {
			return err
		}
		if events, err = s.events(ctx, dscsa.Concerning(c.facts, unit.ID)); err != nil {
			return err
		}
		hops, err = collect(ctx, tx, "read hops", sqlHops, func(rows pgx.Rows) (h dscsa.Hop, err error) {
			err = rows.Scan(&h.Number, &h.From, &h.To, &h.At, &h.Event)
			h.At = h.At.UTC()
			return h, err
		}, s.id, unit.ID)
		return err
	})
	return unit, events, hops, err
}

// events are whole events, in the order of seqs. Holds among them are left
// out.
func (s *session) events(ctx context.Context, seqs []int64) ([]dscsa.Recorded, error) {
	rows, err := collect(ctx, s.tx, "read events", sqlEventsBySeq, scanRecorded, s.id, seqs)
	if err != nil {
		return nil, err
	}
	at := make(map[int64]int, len(rows))
	for i := range rows {
		at[rows[i].Seq] = i
	}
	out := make([]dscsa.Recorded, 0, len(rows))
	for _, seq := range seqs {
		if i, ok := at[seq]; ok {
			out = append(out, rows[i])
		}
	}
	return out, nil
}

func scanRecorded(rows pgx.Rows) (r dscsa.Recorded, err error) {
	var hash, raw []byte
	var id string
	if err := rows.Scan(&r.Seq, &hash, &r.Document, &r.Ordinal, &id, &raw, &r.RecordedAt); err != nil {
		return r, err
	}
	if r.Event, err = decodeEvent(raw); err != nil {
		return r, err
	}
	copy(r.Hash[:], hash)
	r.RecordedAt = r.RecordedAt.UTC()
	r.EventID, r.RecordTime = id, r.RecordedAt
	return r, nil
}

// Document writes a document's bytes as they were to w (nil: none) and
// answers what is known of it. ErrUnknown.
func (st *Store) Document(ctx context.Context, tenant uuid.UUID, seq int64, w io.Writer) (doc dscsa.Document, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		list, err := collect(ctx, tx, "read documents", sqlDocument, scanDocument, s.id, seq)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return ErrUnknown
		}
		if doc = list[0]; w == nil {
			return nil
		}
		for part := int32(0); ; part++ {
			var bytes []byte
			err := tx.QueryRow(ctx, sqlDocumentPart, s.id, seq, part).Scan(&bytes)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err == nil {
				_, err = w.Write(bytes)
			}
			if err != nil {
				return fmt.Errorf("read a document: %w", err)
			}
		}
	})
	return doc, err
}

func scanDocument(rows pgx.Rows) (d dscsa.Document, err error) {
	var sha []byte
	var format string
	err = rows.Scan(&d.Seq, &sha, &d.Size, &d.Direction, &format, &d.Sender, &d.Receiver, &d.Credential, &d.Saga, &d.Verdict, &d.Findings, &d.RecordedAt)
	copy(d.SHA256[:], sha)
	d.Format, d.RecordedAt = epcis.Format(format), d.RecordedAt.UTC()
	return d, err
}
