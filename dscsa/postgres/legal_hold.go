package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
)

var (
	sqlLegalHolds   = statement("queries/legal_holds")
	sqlPutLegalHold = statement("door/put_legal_hold")
)

// LegalHold keeps a document, or everything, whatever its retention says.
type LegalHold struct {
	ID       int64 // the sequence of the decision
	Document int64 // 0: everything
	PlacedAt time.Time
	PlacedBy string
	Reason   string

	LiftedAt    time.Time // zero: in force
	LiftedBy    string    // who proposed it
	LiftReason  string
	LiftedUnder string // the approval
}

// Approved is what two people agreed on, as the approval has it. The database
// compares it: the approval must be used up in the same transaction.
type Approved struct {
	Approval string // its id
	Maker    string
	Checkers []string // in order of their ids
	Reason   string
	Payload  json.RawMessage
}

// decides is the decision that an approval allows: its payload, with who
// agreed.
func (a *Approved) decides(kind string) (*decision, error) {
	what := map[string]json.RawMessage{}
	if err := json.Unmarshal(a.Payload, &what); err != nil {
		return nil, fmt.Errorf("read what was approved: %w", err)
	}
	delete(what, "reason")
	id, err := json.Marshal(a.Approval)
	if err != nil {
		return nil, fmt.Errorf("encode a decision: %w", err)
	}
	by, err := json.Marshal(a.Checkers)
	if err != nil {
		return nil, fmt.Errorf("encode a decision: %w", err)
	}
	what["approval_id"], what["approved_by"] = id, by
	raw, err := json.Marshal(what)
	if err != nil {
		return nil, fmt.Errorf("encode a decision: %w", err)
	}
	return &decision{kind: kind, actor: a.Maker, reason: a.Reason, body: raw}, nil
}

// LegalHoldTx keeps a document, or with 0 everything, whatever its class says,
// until it is lifted; the hold's number is that of its entry. ErrUnknown: there
// is no such document.
func (st *Store) LegalHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, document int64, actor, reason string) (LegalHold, error) {
	if strings.TrimSpace(actor) == "" || strings.TrimSpace(reason) == "" {
		return LegalHold{}, errors.New("a legal hold says who decided it and why")
	}
	var of *int64
	if document != 0 {
		of = &document
	}
	raw, err := json.Marshal(map[string]any{"subject": of})
	if err != nil {
		return LegalHold{}, fmt.Errorf("encode a decision: %w", err)
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return LegalHold{}, err
	}
	id, err := s.decide(ctx, &decision{kind: "legal_hold", actor: actor, reason: reason, body: raw})
	if err != nil {
		return LegalHold{}, err
	}
	if _, err := tx.Exec(ctx, sqlPutLegalHold, tenant, s.id, id, of, nil); err != nil {
		if isConstraint(err, "legal_hold_document_is_there") {
			return LegalHold{}, ErrUnknown
		}
		return LegalHold{}, fmt.Errorf("custody.put_legal_hold: %w", err)
	}
	return s.legalHold(ctx, id)
}

// LiftLegalHoldTx lifts a legal hold as two people approved; the payload names
// it as hold. ErrNoSuchHold.
func (st *Store) LiftLegalHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, hold int64, a Approved) (LegalHold, error) {
	d, err := a.decides("legal_hold_lifted")
	if err != nil {
		return LegalHold{}, err
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return LegalHold{}, err
	}
	id, err := s.decide(ctx, d)
	if err != nil {
		return LegalHold{}, err
	}
	var done bool
	if err := tx.QueryRow(ctx, sqlPutLegalHold, tenant, s.id, id, nil, hold).Scan(&done); err != nil {
		return LegalHold{}, fmt.Errorf("custody.put_legal_hold: %w", err)
	}
	if !done {
		return LegalHold{}, ErrNoSuchHold
	}
	return s.legalHold(ctx, hold)
}

// decide adds one decision to the chain and answers its sequence.
func (s *session) decide(ctx context.Context, d *decision) (int64, error) {
	_, w, err := s.append(ctx, &prepared{first: &part{}, decision: d})
	if err != nil {
		return 0, err
	}
	return w.placed, nil
}

// LegalHoldOfTx is one legal hold, lifted or not, in the caller's transaction.
// ErrNoSuchHold.
func (st *Store) LegalHoldOfTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, id int64) (LegalHold, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return LegalHold{}, err
	}
	return s.legalHold(ctx, id)
}

// LegalHolds lists legal holds, newest first, from before one (0: from the
// newest); those in force alone, or all.
func (st *Store) LegalHolds(ctx context.Context, tenant uuid.UUID, inForce bool, before int64, limit int) (out []LegalHold, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "read legal holds", sqlLegalHolds, scanLegalHold, s.id, before, inForce, nil, limit)
		return err
	})
	return out, err
}

func (s *session) legalHold(ctx context.Context, id int64) (LegalHold, error) {
	list, err := collect(ctx, s.tx, "read a legal hold", sqlLegalHolds, scanLegalHold, s.id, int64(math.MaxInt64), false, id, 1)
	if err != nil {
		return LegalHold{}, err
	}
	if len(list) == 0 {
		return LegalHold{}, ErrNoSuchHold
	}
	return list[0], nil
}

func scanLegalHold(rows pgx.Rows) (h LegalHold, err error) {
	var lifted *time.Time
	err = rows.Scan(&h.ID, &h.Document, &h.PlacedAt, &h.PlacedBy, &h.Reason, &lifted, &h.LiftedBy, &h.LiftReason, &h.LiftedUnder)
	h.PlacedAt = h.PlacedAt.UTC()
	if lifted != nil {
		h.LiftedAt = lifted.UTC()
	}
	return h, err
}
