package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
)

// ErrSamePerson means that what was found illegitimate is released only by
// somebody else than who put it under the hold.
var ErrSamePerson = errors.New("what was found illegitimate is released by another person than who found it")

// What an investigation keeps is released by its end, and what FDA was told of
// after FDA was asked to terminate that.
var (
	ErrUnderInvestigation = errors.New("the hold is released by the end of its investigation")
	ErrNotified           = errors.New("FDA was told of what the hold keeps and has not been asked to terminate that")
)

// HoldTx keeps things, or a lot, from sale: at once, with all that is in them
// or will be, also what no document has named yet, until a person releases
// them. A lot is a GTIN-14 and its lot number.
func (st *Store) HoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, o dscsa.HoldOrder) (dscsa.Hold, error) {
	if err := checkOrder(&o); err != nil {
		return dscsa.Hold{}, err
	}
	p := &prepared{first: &part{things: things{}}, order: &o}
	p.holding = p.first.things.all(o.Things)
	for _, key := range p.holding { // a key is a spelling too: what no document has named yet gets its GTIN from it
		if id, err := gs1.ParseKey(key); err == nil && id.Key() == key {
			p.first.things[key] = id
		}
	}
	raw, err := json.Marshal(map[string]any{"class": o.Class, "things": p.holding, "gtin": o.GTIN, "lot": o.Lot, "document": o.Document})
	if err != nil {
		return dscsa.Hold{}, fmt.Errorf("encode a decision: %w", err)
	}
	p.decision = &decision{kind: "hold", actor: o.Actor, reason: o.Reason, body: raw}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return dscsa.Hold{}, err
	}
	_, w, err := s.append(ctx, p)
	if err != nil {
		return dscsa.Hold{}, err
	}
	// The investigation, and the disposition, are still to be concluded.
	class, from := "K1", s.at.UTC().Truncate(24*time.Hour)
	switch o.Class {
	case dscsa.Suspect:
		class, from = "K3", time.Time{}
	case dscsa.Illegitimate:
		class, from = "K4", time.Time{}
	case dscsa.Recall, dscsa.Flagged:
	}
	if err := s.retain(ctx, w.placed, class, from); err != nil {
		return dscsa.Hold{}, err
	}
	return s.hold(ctx, w.placed)
}

func checkOrder(o *dscsa.HoldOrder) error {
	switch o.Class {
	case dscsa.Suspect, dscsa.Illegitimate, dscsa.Recall, dscsa.Flagged:
	default:
		return fmt.Errorf("a hold is suspect, illegitimate, recall or flagged, not %q", o.Class)
	}
	if strings.TrimSpace(o.Actor) == "" || strings.TrimSpace(o.Reason) == "" {
		return errors.New("a hold says who decided it and why")
	}
	if (o.GTIN == "") != (o.Lot == "") {
		return errors.New("a hold on a lot gives its GTIN and its lot number")
	}
	if o.GTIN != "" && !gs1.ValidGTIN(o.GTIN) {
		return fmt.Errorf("%q is not a GTIN of 14 digits with its check digit", o.GTIN)
	}
	if len(o.Things) == 0 && o.GTIN == "" {
		return errors.New("a hold names serials, containers or a lot")
	}
	return nil
}

func (s *session) hold(ctx context.Context, id int64) (dscsa.Hold, error) {
	var h dscsa.Hold
	err := s.tx.QueryRow(ctx, sqlHold, s.id, id).Scan(&h.ID, &h.Class, &h.GTIN, &h.Lot, &h.Document, &h.PlacedAt, &h.PlacedBy, &h.Reason, &h.ReleasedBy)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, ErrNoSuchHold
	}
	if err != nil {
		return h, fmt.Errorf("read a hold: %w", err)
	}
	return h, nil
}

// ReleaseHoldTx ends a hold. actor is the person, expressly authorised to do
// so (21 USC 360eee(15), FDA's Verification Systems III.B.1), which the caller
// has checked. ErrNoSuchHold, also when it has ended; ErrSamePerson;
// ErrUnderInvestigation; ErrNotified.
func (st *Store) ReleaseHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, hold int64, actor, reason string) error {
	if strings.TrimSpace(actor) == "" || strings.TrimSpace(reason) == "" {
		return errors.New("a release says who decided it and why")
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return err
	}
	h, err := s.hold(ctx, hold)
	if err != nil {
		return err
	}
	if h.ReleasedBy != "" {
		return ErrNoSuchHold
	}
	if h.Class == dscsa.Illegitimate && h.PlacedBy == actor {
		return ErrSamePerson
	}
	raw, err := json.Marshal(map[string]any{"hold": hold})
	if err != nil {
		return fmt.Errorf("encode a decision: %w", err)
	}
	_, w, err := s.append(ctx, &prepared{first: &part{}, decision: &decision{kind: "release", actor: actor, reason: reason, body: raw}})
	if err != nil {
		return err
	}
	var done bool
	err = tx.QueryRow(ctx, sqlReleaseHold, tenant, s.id, hold, w.placed).Scan(&done)
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.ConstraintName {
		case "hold_illegitimate_two_people":
			return ErrSamePerson
		case "hold_under_investigation":
			return ErrUnderInvestigation
		case "hold_notified":
			return ErrNotified
		}
	}
	if err != nil {
		return fmt.Errorf("custody.release_hold: %w", err)
	}
	if !done {
		return ErrNoSuchHold
	}
	on := s.at.UTC().Truncate(24 * time.Hour)
	switch h.Class {
	case dscsa.Suspect:
		return s.retain(ctx, hold, "K3", on)
	case dscsa.Illegitimate:
		return s.retain(ctx, hold, "K4", on)
	case dscsa.Recall, dscsa.Flagged:
	}
	return nil
}
