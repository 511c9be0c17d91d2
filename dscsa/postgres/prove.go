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

var (
	sqlCheckpoints     = statement("queries/checkpoints")
	sqlDecisionToProve = statement("queries/decision_to_prove")
	sqlPurgePlaces     = statement("queries/purge_places")
)

// EventPlace is where an event, or a decision, is recorded.
type EventPlace struct {
	Tenant uuid.UUID
	Seq    int64
}

// EventPlaces finds where an event is recorded, by its EPCIS id or, if id is
// "", by its sequence, which may be a decision's: at most ten places, among the
// tenants the role sees, or in one of them. An id stands for an event and for
// its error declaration.
func (st *Store) EventPlaces(ctx context.Context, tenant uuid.NullUUID, id string, seq int64) ([]EventPlace, error) {
	sql, arg := sqlEventByID, any(id)
	if id == "" {
		sql, arg = sqlEventBySeq, seq
	}
	return st.places(ctx, sql, arg, tenant)
}

// PurgePlaces is EventPlaces for the decision that tells that a document's bytes
// are gone.
func (st *Store) PurgePlaces(ctx context.Context, tenant uuid.NullUUID, document int64) ([]EventPlace, error) {
	return st.places(ctx, sqlPurgePlaces, document, tenant)
}

func (st *Store) places(ctx context.Context, sql string, arg any, tenant uuid.NullUUID) (out []EventPlace, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant.UUID, func(ctx context.Context, tx pgx.Tx) error {
		out, err = collect(ctx, tx, "look for the entry", sql, func(rows pgx.Rows) (p EventPlace, err error) {
			err = rows.Scan(&p.Tenant, &p.Seq)
			return p, err
		}, arg, tenant)
		return err
	})
	return out, err
}

// Prove makes the offline proof of the event, or the decision, under a sequence.
// Errors: ErrUnknown, sealpg.ErrNotSealed; seal.ErrInconsistent when what is stored is
// not what was sealed.
func (st *Store) Prove(ctx context.Context, tenant uuid.UUID, seq int64) (bundle proof.Bundle, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		v, prev := verified{seq: seq}, []byte(nil)
		bundle.Format = proof.BundleFormat
		err = tx.QueryRow(ctx, sqlEventToProve, s.id, seq).
			Scan(&bundle.EventID, &v.document, &v.ordinal, &v.eventHash, &v.body, &v.at, &v.kind, &v.content, &prev)
		if errors.Is(err, pgx.ErrNoRows) {
			bundle.Format = proof.DecisionFormat
			err = tx.QueryRow(ctx, sqlDecisionToProve, s.id, seq).
				Scan(&v.decided[0], &v.decided[1], &v.decided[2], &v.decision, &v.at, &v.kind, &v.content, &prev)
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrUnknown
		}
		if err != nil {
			return fmt.Errorf("read the entry: %w", err)
		}
		content, what := v.says()
		if what != "" || !slices.Equal(v.content, content[:]) || len(prev) != 32 {
			return fmt.Errorf("%w: what is stored is not what was recorded; run recourse verify", seal.ErrInconsistent)
		}
		bundle.Tenant, bundle.Seq, bundle.Record = tenant, seq, proof.Record(seq, v.at, v.kind, content)
		if v.kind == kindEvent {
			bundle.Content = eventBytes(v.document.Int64, v.ordinal.Int32, [32]byte(v.eventHash), v.body)
		} else {
			bundle.Content = proof.DecisionContent(v.decided[0].String, v.decided[1].String, v.decided[2].String, v.decision)
		}
		bundle.Proof, err = sealSQL.Prove(ctx, tx, s.id, seq, [32]byte(prev), bundle.Record)
		return err
	})
	if err != nil {
		return proof.Bundle{}, fmt.Errorf("prove entry %d: %w", seq, err)
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
