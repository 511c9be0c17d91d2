package postgres

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa/proof"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// Audit is how to verify custody of all tenants. The zero value verifies it
// without keys.
type Audit struct {
	Keys      []seal.PublicKey  // that sealed, now and before; without any, signatures are not checked
	Witnesses []seal.PublicKey  // whose cosignatures are checked where there are any
	Kept      []seal.Checkpoint // somebody kept them, and their signatures were checked
}

// Finding is one thing wrong, by the number of its invariant in the published
// list: I3 sequence, chain, tree and checkpoints are whole, I8 items stand and
// have changed owners as the facts say.
type Finding struct {
	Invariant string
	Tenant    string
	Seq       int64 // of the entry it concerns; 0: none
	Where     string
	Detail    string
}

// ChainReport is what the audit found of one tenant's chain.
type ChainReport struct {
	Tenant      string `json:"tenant"`
	Entries     int64  `json:"entries"`     // that were held against their facts
	Items       int64  `json:"items"`       // that were folded again
	Checkpoints int64  `json:"checkpoints"` // compared with the tree
	Root        string `json:"root"`        // of the tree of those entries, base64
	Head        string `json:"head"`        // their last hash, hex
	FirstBad    int64  `json:"first_bad_sequence"`
}

// ErrSeesNotAll means that the role sees one tenant's custody, or none: what it
// does not see would pass for sound.
var ErrSeesNotAll = errors.New("this role does not see all custody: connect as auditor_ro")

// Audit is Verify for every tenant the way the books are audited: what is
// stored is also held against checkpoints, tiles and what somebody kept. The
// store's role must be auditor_ro. A tenant's audit ends at the first entry
// that is wrong. An error means that the audit could not be finished.
func (st *Store) Audit(ctx context.Context, a Audit) (reports []ChainReport, found []Finding, err error) {
	var all bool
	if err := st.pool.QueryRow(ctx, sqlSeesAll).Scan(&all); err != nil {
		return nil, nil, fmt.Errorf("verify custody: %w", err)
	}
	if !all {
		return nil, nil, ErrSeesNotAll
	}
	rows, err := st.pool.Query(ctx, sqlChains)
	if err != nil {
		return nil, nil, fmt.Errorf("verify custody: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, nil, fmt.Errorf("verify custody: %w", err)
	}
	kept := make([]*sealpg.Kept, len(a.Kept))
	for i, c := range a.Kept {
		kept[i] = &sealpg.Kept{Checkpoint: c}
	}
	for _, tenant := range tenants {
		v := &chainAudit{Audit: a, tenant: tenant, kept: kept}
		if err := v.run(ctx, st); err != nil {
			return reports, found, fmt.Errorf("verify custody of %s: %w", tenant, err)
		}
		reports, found = append(reports, v.report), append(found, v.found...)
	}
	var orphans int64
	if err := st.pool.QueryRow(ctx, sqlOrphans).Scan(&orphans); err != nil {
		return reports, found, fmt.Errorf("verify custody: %w", err)
	}
	if orphans > 0 {
		found = append(found, Finding{Invariant: "I3", Where: "custody", Detail: fmt.Sprintf("%d checkpoints, tiles and first entries are of chains that are not there", orphans)})
	}
	for _, k := range kept {
		if !k.Found {
			found = append(found, Finding{
				Invariant: "I3", Seq: 1, Where: "custody checkpoint", Detail: fmt.Sprintf("the chain of the kept checkpoint %s at %d is not there", k.Origin, k.Size),
			})
		}
	}
	return reports, found, nil
}

// chainAudit verifies one tenant's chain.
type chainAudit struct {
	Audit

	tenant uuid.UUID
	kept   []*sealpg.Kept
	tree   sealpg.Tree
	report ChainReport
	found  []Finding
}

func (v *chainAudit) run(ctx context.Context, st *Store) error {
	v.report.Tenant = v.tenant.String()
	for _, k := range v.kept {
		k.Found = k.Found || sealpg.IsOf(k.Checkpoint, proof.Name(v.tenant))
	}
	err := pgtenant.ReadTx(ctx, st.pool, v.tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, v.tenant)
		if err != nil {
			return err
		}
		s.tree = &sealpg.Check{
			Tree: &v.tree, DB: tx, SQL: sealSQL, ID: s.id, Name: proof.Name(v.tenant), Keys: v.Keys, Witnesses: v.Witnesses, Kept: v.kept,
			FirstBad: func() int64 { return v.report.FirstBad },
			Breach: func(seq int64, place, format string, args ...any) {
				v.breach("I3", seq, "custody "+place, fmt.Sprintf(format, args...))
			},
		}
		if err := s.tree.Begin(ctx, 0); err != nil {
			return err
		}
		seq, head, err := s.verifyChain(ctx)
		v.report.Entries, v.report.Head = seq, hex.EncodeToString(head[:])
		if err != nil {
			return err
		}
		if err := s.tree.End(ctx, seq); err != nil {
			return err
		}
		v.report.Items, err = s.verifyItems(ctx)
		return err
	})
	root := v.tree.Frontier.Root()
	v.report.Checkpoints, v.report.Root = v.tree.Checkpoints, base64.StdEncoding.EncodeToString(root[:])
	var fault *Fault
	switch {
	case errors.As(err, &fault) && fault.Item != "":
		v.breach("I8", 0, "custody item "+fault.Item, fault.What)
	case errors.As(err, &fault):
		v.breach("I3", fault.Seq, fmt.Sprintf("custody entry %d", fault.Seq), fault.What)
	default:
		return err
	}
	return nil
}

func (v *chainAudit) breach(invariant string, seq int64, place, detail string) {
	if seq > 0 && (v.report.FirstBad == 0 || seq < v.report.FirstBad) {
		v.report.FirstBad = seq
	}
	v.found = append(v.found, Finding{Invariant: invariant, Tenant: v.tenant.String(), Seq: seq, Where: place, Detail: detail})
}

// grow carries an entry that was verified into the audit's tree.
func (s *session) grow(ctx context.Context, hash [32]byte) error {
	if s.tree == nil {
		return nil
	}
	s.tree.Append(hash)
	return s.tree.Grow(ctx)
}
