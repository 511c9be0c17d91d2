package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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
	Keys      []seal.PublicKey       // that sealed, now and before; without any, signatures are not checked
	Witnesses []seal.PublicKey       // whose cosignatures are checked where there are any
	Kept      []seal.Checkpoint      // somebody kept them, and their signatures were checked
	Resume    *AuditState            // where an interrupted run was
	Save      func(AuditState) error // called now and then and after each chain
	Every     time.Duration          // at least this long between two; five seconds when 0
	Progress  func(tenant uuid.UUID, entries, ofEntries, items, ofItems int64)
}

// AuditState is an audit under way, to be kept between runs. Resuming trusts
// that what was verified has not changed since: its last hash is compared,
// nothing else of it is read again. What was recorded since is verified.
type AuditState struct {
	Given string        `json:"given"` // what the run was given: keys and kept checkpoints
	Done  []ChainReport `json:"done"`
	Chain *chainState   `json:"chain,omitempty"`
	Found []Finding     `json:"found,omitempty"` // of the chains that are done
}

// chainState is one chain's audit under way.
type chainState struct {
	verifiedTo
	sealpg.Tree

	Tenant   uuid.UUID `json:"tenant"`
	FirstBad int64     `json:"first_bad"`
	Found    []Finding `json:"found,omitempty"`
}

// ErrGivenOther means that an interrupted run cannot go on: what is behind it
// was held against other keys or checkpoints.
var ErrGivenOther = errors.New("the interrupted run was given other keys or checkpoints: give the same, or remove its state and begin again")

// given names what a run compares with.
func (a *Audit) given() string {
	h := sha256.New()
	for _, k := range append(slices.Clone(a.Keys), a.Witnesses...) {
		fmt.Fprintln(h, k)
	}
	for _, c := range a.Kept {
		fmt.Fprintln(h, c.Origin, c.Size, c.Root)
	}
	return hex.EncodeToString(h.Sum(nil))
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
	Purged      int64  `json:"purged"`      // documents whose bytes are gone, as entries say
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
// that is wrong. An error means that the audit could not be finished:
// ErrSeesNotAll, ErrGivenOther, Save's, or the database's.
func (st *Store) Audit(ctx context.Context, a Audit) (reports []ChainReport, found []Finding, err error) {
	if a.Every <= 0 {
		a.Every = 5 * time.Second
	}
	resumed := AuditState{}
	if a.Resume != nil {
		if resumed = *a.Resume; resumed.Given != a.given() {
			return nil, nil, ErrGivenOther
		}
	}
	reports, found = slices.Clone(resumed.Done), slices.Clone(resumed.Found)
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
		v := &chainAudit{Audit: a, tenant: tenant, kept: kept, saved: time.Now()}
		for _, k := range kept {
			k.Found = k.Found || sealpg.IsOf(k.Checkpoint, proof.Name(tenant))
		}
		if slices.ContainsFunc(reports, func(r ChainReport) bool { return r.Tenant == tenant.String() }) {
			continue
		}
		v.keep = func(under *chainState) error {
			if a.Save == nil {
				return nil
			}
			v.saved = time.Now()
			return a.Save(AuditState{Given: a.given(), Done: reports, Chain: under, Found: found})
		}
		if resumed.Chain != nil && resumed.Chain.Tenant == tenant {
			if v.from, err = resumed.Chain.clone(); err != nil {
				return reports, found, err
			}
		}
		if err := v.run(ctx, st); err != nil {
			return reports, found, fmt.Errorf("verify custody of %s: %w", tenant, err)
		}
		reports, found = append(reports, v.report), append(found, v.found...)
		if err := v.keep(nil); err != nil {
			return reports, found, err
		}
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

// clone keeps a state that is resumed from as it was.
func (s *chainState) clone() (*chainState, error) {
	out := &chainState{}
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the interrupted run: %w", err)
	}
	return out, nil
}

// chainAudit verifies one tenant's chain.
type chainAudit struct {
	Audit

	tenant uuid.UUID
	kept   []*sealpg.Kept
	from   *chainState // where an interrupted run was; nil: at the beginning
	keep   func(*chainState) error
	saved  time.Time
	tree   sealpg.Tree
	report ChainReport
	found  []Finding
}

// atRest lets a long run finish: its transaction is one snapshot.
const atRest = `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0`

func (v *chainAudit) run(ctx context.Context, st *Store) error {
	v.report.Tenant = v.tenant.String()
	err := pgtenant.ReadTx(ctx, st.pool, v.tenant, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, atRest); err != nil {
			return fmt.Errorf("let it take its time: %w", err)
		}
		s, err := look(ctx, tx, v.tenant)
		if err != nil {
			return err
		}
		c := newVerifier(s)
		if v.from != nil {
			c.at, v.tree, v.report.FirstBad, v.found = v.from.verifiedTo, v.from.Tree, v.from.FirstBad, v.from.Found
		}
		c.mark = func(ctx context.Context) error { return v.marked(ctx, c) }
		c.tree = &sealpg.Check{
			Tree: &v.tree, DB: tx, SQL: sealSQL, ID: s.id, Name: proof.Name(v.tenant), Keys: v.Keys, Witnesses: v.Witnesses, Kept: v.kept,
			FirstBad: func() int64 { return v.report.FirstBad },
			Breach: func(seq int64, place, format string, args ...any) {
				v.breach("I3", seq, "custody "+place, fmt.Sprintf(format, args...))
			},
		}
		if err := c.tree.Begin(ctx, c.at.Seq); err != nil {
			return err
		}
		err = c.chain(ctx)
		v.report.Entries, v.report.Head, v.report.Purged = c.at.Seq, hex.EncodeToString(c.at.Hash), c.at.Purged
		if err != nil {
			return err
		}
		if err := c.tree.End(ctx, c.at.Seq); err != nil {
			return err
		}
		err = c.items(ctx)
		v.report.Items = c.at.Items
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
	f := Finding{Invariant: invariant, Tenant: v.tenant.String(), Seq: seq, Where: place, Detail: detail}
	if !slices.Contains(v.found, f) { // a run that goes on meets the end of the chain again
		v.found = append(v.found, f)
	}
}

// marked tells where the run is and keeps it now and then.
func (v *chainAudit) marked(ctx context.Context, c *verifier) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if v.Progress != nil {
		v.Progress(v.tenant, c.at.Seq, c.seq, c.at.Items, c.last)
	}
	if time.Since(v.saved) < v.Every {
		return nil
	}
	return v.keep(&chainState{verifiedTo: c.at, Tree: v.tree, Tenant: v.tenant, FirstBad: v.report.FirstBad, Found: v.found})
}
