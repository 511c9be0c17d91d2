package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
)

// ErrNotReserved means that the saga has reserved nothing, or given it up.
var ErrNotReserved = errors.New("the saga has reserved nothing")

// look opens custody of a tenant for reading in a transaction. A tenant
// without a chain has an empty one, number 0.
func look(ctx context.Context, tx pgx.Tx, tenant uuid.UUID) (*session, error) {
	s := &session{tx: tx, tenant: tenant}
	var hash []byte
	err := tx.QueryRow(ctx, sqlChain, tenant).Scan(&s.id, &s.seq, &hash, &s.last, &s.at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("read custody: %w", err)
	}
	copy(s.hash[:], hash)
	return s, nil
}

// lot is what is meant by some things: each by itself and all that is in it.
type lot struct {
	named []*item // as asked for
	all   []*item // named ones and what is in them, once each
	full  map[int64]bool
}

// resolve finds things and what is in them. *dscsa.Refused names the first
// that is unknown.
func (s *session) resolve(ctx context.Context, asked []string) (*lot, error) {
	keys := make([]string, len(asked))
	for i, a := range asked {
		keys[i], _ = dscsa.KeyOf(a)
	}
	rows, err := s.items(ctx, sqlItemsByKey, keys)
	if err != nil {
		return nil, err
	}
	byKey := make(map[string]*item, len(rows))
	for _, i := range rows {
		byKey[i.key] = i
	}
	l := &lot{full: map[int64]bool{}}
	seen := map[int64]bool{}
	var ids []int64
	for n, key := range keys {
		i := byKey[key]
		if i == nil || i.LastEvent == 0 {
			return nil, &dscsa.Refused{Code: dscsa.UnitUnknown, Unit: asked[n], Message: "no document names it"}
		}
		if !seen[i.id] {
			seen[i.id] = true
			l.named, l.all, ids = append(l.named, i), append(l.all, i), append(ids, i.id)
		}
	}
	inside, err := s.items(ctx, sqlItemsWithin, ids)
	if err != nil {
		return nil, err
	}
	for _, i := range inside {
		if !seen[i.id] {
			seen[i.id] = true
			l.all = append(l.all, i)
		}
	}
	for _, i := range l.all {
		if i.Parent != 0 {
			l.full[i.Parent] = true
		}
	}
	return l, nil
}

// isPackage reports whether an item is what is sold, not what holds it.
func (l *lot) isPackage(i *item) bool { return i.gtin != "" && !l.full[i.id] }

// sellable refuses what cannot go, with the first of it.
func (s *session) sellable(ctx context.Context, l *lot, seller string, today time.Time) error {
	holds, err := s.holdsOver(ctx, l.all)
	if err != nil {
		return err
	}
	var first *dscsa.Refused
	for _, i := range l.all {
		u := i.unit()
		u.Holds = holds[i.id]
		code, why := dscsa.Sellable(&u, seller, today, l.isPackage(i))
		switch {
		case code == "":
		case first == nil:
			first = &dscsa.Refused{Code: code, Unit: i.key, Message: why}
		default:
			first.Others++
		}
	}
	if first != nil {
		return first
	}
	for _, i := range l.named {
		if i.gtin == "" && !l.full[i.id] {
			return &dscsa.Refused{Code: dscsa.UnitUnknown, Unit: i.key, Message: "nothing is known to be in it"}
		}
	}
	return nil
}

func (s *session) holdsOver(ctx context.Context, list []*item) (map[int64][]dscsa.Hold, error) {
	ids := make([]int64, len(list))
	for n, i := range list {
		ids[n] = i.id
	}
	out := map[int64][]dscsa.Hold{}
	_, err := collect(ctx, s.tx, "read holds", sqlHoldsInForce, func(rows pgx.Rows) (struct{}, error) {
		var on int64
		var h dscsa.Hold
		err := rows.Scan(&on, &h.ID, &h.Class, &h.GTIN, &h.Lot, &h.Document, &h.PlacedAt, &h.PlacedBy, &h.Reason)
		out[on] = append(out[on], h)
		return struct{}{}, err
	}, s.id, ids)
	return out, err
}

// ReserveTx promises things to a saga, in the caller's transaction: serials or
// containers in any spelling. The seller must own every unit, and none may be
// kept from sale, expired on the day today or promised elsewhere; else
// *dscsa.Refused, and nothing is left of it. Again with the same things
// changes nothing.
func (st *Store) ReserveTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga, seller string, asked []string, today time.Time) (dscsa.Reservation, error) {
	if len(asked) == 0 {
		return dscsa.Reservation{}, errors.New("name at least one serial or container")
	}
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return dscsa.Reservation{}, err
	}
	l, err := s.resolve(ctx, asked)
	if err != nil {
		return dscsa.Reservation{}, err
	}
	seller = dscsa.PartyOf(seller)
	if err := s.sellable(ctx, l, seller, today); err != nil {
		return dscsa.Reservation{}, err
	}
	if err := s.reserve(ctx, l, saga, seller); err != nil {
		return dscsa.Reservation{}, err
	}
	return s.reservation(ctx, l, saga, seller)
}

// reserve takes all or, leaving no trace, nothing.
func (s *session) reserve(ctx context.Context, l *lot, saga, seller string) error {
	ids := make([]int64, len(l.all))
	for n, i := range l.all {
		ids[n] = i.id
	}
	part, err := s.tx.Begin(ctx)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	taken, err := collect(ctx, part, "custody.reserve", sqlReserve, func(rows pgx.Rows) (int64, error) {
		var id int64
		return id, rows.Scan(&id)
	}, s.tenant, saga, seller, ids)
	if err == nil && len(taken) == 0 {
		return part.Commit(ctx)
	}
	if rollback := part.Rollback(context.WithoutCancel(ctx)); rollback != nil {
		return errors.Join(err, fmt.Errorf("reserve: %w", rollback))
	}
	if err != nil {
		return err
	}
	for _, i := range l.all {
		if i.id == taken[0] {
			return &dscsa.Refused{Code: dscsa.UnitReserved, Unit: i.key, Message: "it is reserved for another order", Others: len(taken) - 1}
		}
	}
	return fmt.Errorf("custody.reserve refused item %d, which was not asked for", taken[0])
}

func (s *session) reservation(ctx context.Context, l *lot, saga, seller string) (dscsa.Reservation, error) {
	out := dscsa.Reservation{Saga: saga, Seller: seller}
	for _, i := range l.named {
		out.Named = append(out.Named, i.unit())
	}
	for _, i := range l.all {
		if l.isPackage(i) {
			out.Units = append(out.Units, i.unit())
		}
	}
	slices.SortFunc(out.Units, func(a, b dscsa.Unit) int { return cmp.Compare(a.ID, b.ID) })
	return out, errors.Join(s.nameParents(ctx, out.Named), s.nameParents(ctx, out.Units))
}

// ReservedTx is what a saga has reserved, as it stands now: Named are the
// outermost things. ErrNotReserved when that is nothing.
func (st *Store) ReservedTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string) (dscsa.Reservation, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return dscsa.Reservation{}, err
	}
	l, seller, err := s.reserved(ctx, saga)
	if err != nil {
		return dscsa.Reservation{}, err
	}
	return s.reservation(ctx, l, saga, seller)
}

func (s *session) reserved(ctx context.Context, saga string) (*lot, string, error) {
	rows, err := s.items(ctx, sqlReserved, saga)
	if err != nil {
		return nil, "", err
	}
	if len(rows) == 0 {
		return nil, "", ErrNotReserved
	}
	var seller string
	if err := s.tx.QueryRow(ctx, sqlReservedSeller, s.id, saga).Scan(&seller); err != nil {
		return nil, "", fmt.Errorf("read a reservation: %w", err)
	}
	l := &lot{all: rows, full: map[int64]bool{}}
	mine := map[int64]bool{}
	for _, i := range rows {
		mine[i.id] = true
	}
	for _, i := range rows {
		if !mine[i.Parent] {
			l.named = append(l.named, i)
		} else {
			l.full[i.Parent] = true
		}
	}
	return l, seller, nil
}

// ReleaseTx gives up what a saga has reserved, also when that is nothing.
func (st *Store) ReleaseTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string) error {
	if _, err := tx.Exec(ctx, sqlUnreserve, tenant, saga); err != nil {
		return fmt.Errorf("custody.unreserve: %w", err)
	}
	return nil
}

// ShipTx is the pivot of a transfer: in the caller's transaction it locks
// custody, checks everything ReserveTx checked again, records the T3 document
// with its events, which move the units from the seller to the buyer, and
// consumes the reservation. *dscsa.Refused when a unit can no longer go;
// ErrNotReserved. The same document again changes nothing.
func (st *Store) ShipTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, sh Shipment, today time.Time) (Appended, error) {
	sh.Document.Saga, sh.Document.Direction = sh.Saga, dscsa.Sent
	p, err := prepare(Batch{Document: &sh.Document, Body: sh.Body, Events: sh.Events})
	if err != nil {
		return Appended{}, err
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return Appended{}, err
	}
	l, seller, err := s.reserved(ctx, sh.Saga)
	if errors.Is(err, ErrNotReserved) {
		var seq int64
		if tx.QueryRow(ctx, sqlDocumentKnown, s.id, p.document.SHA256[:]).Scan(&seq) == nil {
			return Appended{Document: seq, Known: true}, nil
		}
	}
	if err != nil {
		return Appended{}, err
	}
	if err := s.sellable(ctx, l, seller, today); err != nil {
		return Appended{}, err
	}
	out, w, err := s.append(ctx, p)
	if err != nil {
		return out, err
	}
	if out.Known {
		return out, errors.New("the document of the shipment has been recorded before, for other goods")
	}
	buyer := dscsa.PartyOf(sh.Buyer)
	for _, i := range l.all {
		after := w.book.Of(i.id)
		if after == nil || after.State != dscsa.InTransit || after.Owner != buyer || after.Hops <= i.Hops {
			return out, &dscsa.Refused{Code: dscsa.NotHolder, Unit: i.key, Message: "the shipment does not move it from the seller to the buyer: another event contradicts it or comes after it"}
		}
	}
	if err := s.retain(ctx, out.Document, "K1", shippedOn(sh.Events, s.at)); err != nil {
		return out, err
	}
	return out, st.ReleaseTx(ctx, tx, tenant, sh.Saga)
}

// shippedOn is the date of the transaction a document tells of: that of its
// last shipment, else the day it is recorded.
func shippedOn(events []epcis.Event, recorded time.Time) time.Time {
	var on time.Time
	for i := range events {
		if e := &events[i]; e.BizStep == "shipping" && e.EventTime.After(on) {
			on = e.EventTime
		}
	}
	if on.IsZero() {
		on = recorded
	}
	return on.UTC().Truncate(24 * time.Hour)
}
