package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

var sqlCheckpoints = statement("queries/checkpoints")

// EventPlace is where an event is recorded.
type EventPlace struct {
	Tenant uuid.UUID
	Seq    int64
}

// EventPlaces finds where an event is recorded, by its EPCIS id or, if id is
// "", by its sequence: at most ten places, among the tenants the role sees, or
// in one of them. An id stands for an event and for its error declaration.
func (st *Store) EventPlaces(ctx context.Context, tenant uuid.NullUUID, id string, seq int64) (out []EventPlace, err error) {
	sql, arg := sqlEventByID, any(id)
	if id == "" {
		sql, arg = sqlEventBySeq, seq
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant.UUID, func(ctx context.Context, tx pgx.Tx) error {
		out, err = collect(ctx, tx, "look for the event", sql, func(rows pgx.Rows) (p EventPlace, err error) {
			err = rows.Scan(&p.Tenant, &p.Seq)
			return p, err
		}, arg, tenant)
		return err
	})
	return out, err
}

// Prove makes the offline proof of the event under a sequence. Errors:
// ErrUnknown, sealpg.ErrNotSealed; seal.ErrInconsistent when what is stored is
// not what was sealed.
func (st *Store) Prove(ctx context.Context, tenant uuid.UUID, seq int64) (bundle proof.Bundle, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		v, prev := verified{seq: seq}, []byte(nil)
		err = tx.QueryRow(ctx, sqlEventToProve, s.id, seq).
			Scan(&bundle.EventID, &v.document, &v.ordinal, &v.eventHash, &v.body, &v.at, &v.kind, &v.content, &prev)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return fmt.Errorf("read the event: %w", err)
		}
		content, what := v.says()
		if what != "" || !slices.Equal(v.content, content[:]) || len(prev) != 32 {
			return fmt.Errorf("%w: what is stored is not what was recorded; run recourse verify", seal.ErrInconsistent)
		}
		bundle.Format, bundle.Tenant, bundle.Seq = proof.BundleFormat, tenant, seq
		bundle.Record, bundle.Content = proof.Record(seq, v.at, v.kind, content), eventBytes(v.document.Int64, v.ordinal.Int32, [32]byte(v.eventHash), v.body)
		bundle.Proof, err = sealSQL.Prove(ctx, tx, s.id, seq, [32]byte(prev), bundle.Record)
		return err
	})
	if err != nil {
		return proof.Bundle{}, fmt.Errorf("prove event %d: %w", seq, err)
	}
	return bundle, nil
}

// LastCheckpoint is the last checkpoint of a tenant's custody that a witness
// has co-signed, or its last one if none has. Errors: sealpg.ErrNotSealed.
func (st *Store) LastCheckpoint(ctx context.Context, tenant uuid.UUID) (out sealpg.Sealed, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = sealSQL.CheckpointFor(ctx, tx, s.id, 1)
		return err
	})
	return out, err
}

// Checkpoints lists the checkpoints of a tenant's custody, newest first, from
// before a size (0: from the newest).
func (st *Store) Checkpoints(ctx context.Context, tenant uuid.UUID, before int64, limit int) (out []sealpg.Sealed, err error) {
	if before == 0 {
		before = math.MaxInt64
	}
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		out, err = collect(ctx, tx, "read checkpoints", sqlCheckpoints, scanSealed, s.id, before, limit)
		return err
	})
	return out, err
}

func scanSealed(rows pgx.Rows) (c sealpg.Sealed, err error) {
	var size int64
	var signed string
	if err := rows.Scan(&size, &c.SealedAt, &signed); err != nil {
		return c, err
	}
	c.Signed, c.SealedAt = []byte(signed), c.SealedAt.UTC()
	c.Checkpoint, err = seal.Peek(c.Signed)
	return c, err
}
