package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/audit"
	"github.com/recourse/recourse/audit/postgres/internal/auditdb"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

//go:embed seal/*.sql
var sealFiles embed.FS

var sealSQL = sealpg.Load(sealFiles)

// NewSeals returns the sealer's store of audit logs. old are keys that signed
// before the present one: what they signed is continued.
func NewSeals(pool *pgxpool.Pool, old ...seal.PublicKey) *sealpg.Seals {
	return sealpg.New(pool, sealSQL, old...)
}

// Store reads audit logs: as app_api those of one tenant, as auditor_ro all.
type Store struct{ pool *pgxpool.Pool }

// New returns the store behind pool.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// ErrNoAction means that the tenant's log has no action of that sequence.
var ErrNoAction = errors.New("there is no such action")

// Actions is a page of a tenant's log, newest first: what stands below a
// sequence (0: all), of one actor or, if it is "", of everybody.
func (s *Store) Actions(ctx context.Context, tenant uuid.UUID, actor string, below int64, most int) (out []audit.Action, err error) {
	if below == 0 {
		below = 1<<63 - 1
	}
	err = pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		q := auditdb.New(tx)
		chain, err := q.ChainOf(ctx, tenant)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if actor != "" {
			rows, err := q.ActionsOf(ctx, auditdb.ActionsOfParams{ChainID: chain.ID, Actor: actor, Below: below, Most: int32(most)})
			for _, r := range rows {
				out = append(out, action(r.Seq, r.RecordedAt, r.Actor, r.Role, r.Operation, r.Path, r.RequestID, r.Remote, r.Status, r.Request, r.Answer))
			}
			return err
		}
		rows, err := q.Actions(ctx, auditdb.ActionsParams{ChainID: chain.ID, Below: below, Most: int32(most)})
		for _, r := range rows {
			out = append(out, action(r.Seq, r.RecordedAt, r.Actor, r.Role, r.Operation, r.Path, r.RequestID, r.Remote, r.Status, r.Request, r.Answer))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	return out, nil
}

// Prove makes the offline proof of an action. Errors: ErrNoAction,
// sealpg.ErrNotSealed; seal.ErrInconsistent when what is stored is not what was
// sealed.
func (s *Store) Prove(ctx context.Context, tenant uuid.UUID, seq int64) (b audit.Bundle, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		q := auditdb.New(tx)
		chain, err := q.ChainOf(ctx, tenant)
		var row auditdb.ActionRow
		if err == nil {
			row, err = q.Action(ctx, auditdb.ActionParams{ChainID: chain.ID, Seq: seq})
		}
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrNoAction
		}
		if err != nil {
			return err
		}
		prev := audit.Genesis(tenant)
		if seq > 1 {
			if len(row.Before) != 32 {
				return fmt.Errorf("%w: sequence %d is missing", seal.ErrInconsistent, seq-1)
			}
			prev = [32]byte(row.Before)
		}
		a := action(row.Seq, row.RecordedAt, row.Actor, row.Role, row.Operation, row.Path, row.RequestID, row.Remote, row.Status, row.Request, row.Answer)
		p, err := sealSQL.Prove(ctx, tx, chain.ID, seq, prev, a.AppendCanonical(nil))
		b = audit.NewBundle(tenant, &a, p)
		return err
	})
	if err != nil {
		return audit.Bundle{}, fmt.Errorf("prove action %d: %w", seq, err)
	}
	return b, nil
}

func action(seq int64, at time.Time, actor, role, operation, path, requestID, remote string, status int32, request, answer []byte) audit.Action {
	a := audit.Action{
		Seq: seq, RecordedAt: at.UTC(), Actor: actor, Role: role, Operation: operation, Path: path, RequestID: requestID, Remote: remote, Status: status,
	}
	copy(a.Request[:], request)
	copy(a.Answer[:], answer)
	return a
}
