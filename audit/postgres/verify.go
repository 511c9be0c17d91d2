package postgres

import (
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/audit"
	"github.com/recourse/recourse/audit/postgres/internal/auditdb"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// Audit is how to verify the logs of all tenants. The zero value verifies them
// without keys.
type Audit struct {
	Keys      []seal.PublicKey  // that sealed, now and before; without any, signatures are not checked
	Witnesses []seal.PublicKey  // whose cosignatures are checked where there are any
	Kept      []seal.Checkpoint // somebody kept them, and their signatures were checked
}

// Finding is one thing wrong with a log: its sequence, chain, tree or a
// checkpoint (invariant I3 of the published list).
type Finding struct {
	Tenant string
	Seq    int64 // of the action it concerns; 0: none
	Where  string
	Detail string
}

// LogReport is what was found of one tenant's log.
type LogReport struct {
	Tenant      string `json:"tenant"`
	Actions     int64  `json:"actions"`     // whose hash was computed again
	Checkpoints int64  `json:"checkpoints"` // compared with the tree
	Root        string `json:"root"`        // of the tree of those actions, base64
	Head        string `json:"head"`        // their last hash, hex
	FirstBad    int64  `json:"first_bad_sequence"`
}

//go:embed sees_all.sql
var sqlSeesAll string

// ErrSeesNotAll means that the role sees one tenant's log, or none: what it
// does not see would pass for sound.
var ErrSeesNotAll = errors.New("this role does not see all audit logs: connect as auditor_ro")

// Audit computes every log again, action by action, and holds it against its
// head, tiles, checkpoints and what somebody kept. A log's audit ends at the
// first action that is wrong. Memory does not grow with the log. An error means
// that the audit could not be finished.
func (s *Store) Audit(ctx context.Context, a Audit) (reports []LogReport, found []Finding, err error) {
	q := auditdb.New(s.pool)
	var all bool
	if err := s.pool.QueryRow(ctx, sqlSeesAll).Scan(&all); err != nil {
		return nil, nil, fmt.Errorf("verify the audit logs: %w", err)
	}
	if !all {
		return nil, nil, ErrSeesNotAll
	}
	chains, err := q.Chains(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("verify the audit logs: %w", err)
	}
	kept := make([]*sealpg.Kept, len(a.Kept))
	for i, c := range a.Kept {
		kept[i] = &sealpg.Kept{Checkpoint: c}
	}
	for _, c := range chains {
		v := &logAudit{Audit: a, tenant: c.TenantID, id: c.ID, kept: kept}
		if err := v.run(ctx, s); err != nil {
			return reports, found, fmt.Errorf("verify the audit log of %s: %w", c.TenantID, err)
		}
		reports, found = append(reports, v.report), append(found, v.found...)
	}
	orphans, err := q.Orphans(ctx)
	if err != nil {
		return reports, found, fmt.Errorf("verify the audit logs: %w", err)
	}
	if orphans > 0 {
		found = append(found, Finding{Where: "audit", Detail: fmt.Sprintf("%d checkpoints, tiles and first actions are of logs that are not there", orphans)})
	}
	for _, k := range kept {
		if !k.Found {
			found = append(found, Finding{Seq: 1, Where: "audit checkpoint", Detail: fmt.Sprintf("the log of the kept checkpoint %s at %d is not there", k.Origin, k.Size)})
		}
	}
	return reports, found, nil
}

// logAudit verifies one tenant's log.
type logAudit struct {
	Audit

	tenant uuid.UUID
	id     int32
	kept   []*sealpg.Kept
	tree   sealpg.Tree
	report LogReport
	found  []Finding
}

func (v *logAudit) run(ctx context.Context, s *Store) error {
	v.report.Tenant = v.tenant.String()
	for _, k := range v.kept {
		k.Found = k.Found || sealpg.IsOf(k.Checkpoint, audit.Name(v.tenant))
	}
	return pgtenant.ReadTx(ctx, s.pool, v.tenant, func(ctx context.Context, tx pgx.Tx) error {
		check := &sealpg.Check{
			Tree: &v.tree, DB: tx, SQL: sealSQL, ID: v.id, Name: audit.Name(v.tenant), Keys: v.Keys, Witnesses: v.Witnesses, Kept: v.kept,
			FirstBad: func() int64 { return v.report.FirstBad },
			Breach: func(seq int64, place, format string, args ...any) {
				v.breach(seq, "audit "+place, fmt.Sprintf(format, args...))
			},
		}
		if err := check.Begin(ctx, 0); err != nil {
			return err
		}
		seq, head, err := v.chain(ctx, auditdb.New(tx), check)
		root := v.tree.Frontier.Root()
		v.report.Actions, v.report.Head, v.report.Root = seq, hex.EncodeToString(head[:]), base64.StdEncoding.EncodeToString(root[:])
		if err == nil && v.report.FirstBad == 0 {
			err = v.end(ctx, tx, check, seq, head)
		}
		v.report.Checkpoints = v.tree.Checkpoints
		return err
	})
}

// chain computes the log again up to its end, or to the first action that is
// wrong.
func (v *logAudit) chain(ctx context.Context, q *auditdb.Queries, check *sealpg.Check) (seq int64, prev [32]byte, err error) {
	prev = audit.Genesis(v.tenant)
	last := time.Time{}
	for {
		page, err := q.VerifyActions(ctx, auditdb.VerifyActionsParams{ChainID: v.id, After: seq})
		if err != nil || len(page) == 0 {
			return seq, prev, err
		}
		for _, r := range page {
			a := action(r.Seq, r.RecordedAt, r.Actor, r.Role, r.Operation, r.Path, r.RequestID, r.Remote, r.Status, r.Request, r.Answer)
			next := a.Hash(prev)
			wrong := ""
			switch {
			case a.Seq != seq+1:
				wrong = "it is missing"
			case a.RecordedAt.Before(last):
				wrong = "it is older than the one before it"
			case string(next[:]) != string(r.Hash):
				wrong = "its hash does not follow from what it says and the one before it"
			}
			if wrong != "" {
				v.breach(seq+1, fmt.Sprintf("audit action %d", seq+1), wrong)
				return seq, prev, nil
			}
			seq, prev, last = a.Seq, next, a.RecordedAt
			check.Append(next)
			if err := check.Grow(ctx); err != nil {
				return seq, prev, err
			}
		}
	}
}

// end holds the head, and what was sealed, against the last action.
func (v *logAudit) end(ctx context.Context, tx pgx.Tx, check *sealpg.Check, seq int64, head [32]byte) error {
	q := auditdb.New(tx)
	chain, err := q.Head(ctx, v.id)
	if err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	if chain.Seq != seq || string(chain.Hash) != string(head[:]) {
		v.breach(seq+1, "audit head", fmt.Sprintf("it stands at %d and the last action is %d, or its hash is another", chain.Seq, seq))
	}
	return check.End(ctx, seq)
}

func (v *logAudit) breach(seq int64, place, detail string) {
	if seq > 0 && (v.report.FirstBad == 0 || seq < v.report.FirstBad) {
		v.report.FirstBad = seq
	}
	v.found = append(v.found, Finding{Tenant: v.tenant.String(), Seq: seq, Where: place, Detail: detail})
}
