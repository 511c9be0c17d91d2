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
)

// ErrKept means that a record's time is not over, or a legal hold keeps it.
var ErrKept = errors.New("the record is still to be kept")

// RetainTx says from which day on a document or decision is kept for six
// years, by record class: K1 the transaction, K2 the making, K3 the end of the
// investigation, K4 the end of the disposition (FD&C 582). The zero time: that
// has not come yet. The latest day counts.
func (st *Store) RetainTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, subject int64, class string, from time.Time) error {
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return err
	}
	return s.retain(ctx, subject, class, from)
}

// PurgeTx forgets the bytes of a document whose time is over; its entry stays
// in the chain. ErrKept.
func (st *Store) PurgeTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, document int64) (parts int64, err error) {
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, sqlPurgeDocument, tenant, s.id, document).Scan(&parts)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ConstraintName == "retention_is_over" {
		return 0, fmt.Errorf("%w: %s", ErrKept, refused.Message)
	}
	if err != nil {
		return 0, fmt.Errorf("custody.purge_document: %w", err)
	}
	return parts, nil
}

// LegalHoldTx keeps a document or decision, or with 0 everything, whatever its
// class says, until it is lifted. It answers the hold's number.
func (st *Store) LegalHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, subject int64, actor, reason string) (int64, error) {
	var of *int64
	if subject != 0 {
		of = &subject
	}
	return st.legalHold(ctx, tx, tenant, "legal_hold", actor, reason, map[string]any{"subject": of}, of, nil)
}

// LiftLegalHoldTx lifts a legal hold. ErrNoSuchHold.
func (st *Store) LiftLegalHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, hold int64, actor, reason string) error {
	_, err := st.legalHold(ctx, tx, tenant, "legal_hold_lifted", actor, reason, map[string]any{"hold": hold}, nil, &hold)
	return err
}

func (st *Store) legalHold(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, kind, actor, reason string, what any, subject, lift *int64) (int64, error) {
	if strings.TrimSpace(actor) == "" || strings.TrimSpace(reason) == "" {
		return 0, errors.New("a legal hold says who decided it and why")
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return 0, fmt.Errorf("encode a decision: %w", err)
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return 0, err
	}
	_, w, err := s.append(ctx, &prepared{first: &part{}, decision: &decision{kind: kind, actor: actor, reason: reason, body: raw}})
	if err != nil {
		return 0, err
	}
	var done bool
	if err := tx.QueryRow(ctx, sqlPutLegalHold, tenant, s.id, w.placed, subject, lift).Scan(&done); err != nil {
		return 0, fmt.Errorf("custody.put_legal_hold: %w", err)
	}
	if !done {
		return 0, ErrNoSuchHold
	}
	return w.placed, nil
}
