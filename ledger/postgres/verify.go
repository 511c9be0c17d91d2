package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

//go:embed audit/*.sql
var auditFiles embed.FS

func auditSQL(name string) string {
	raw, err := auditFiles.ReadFile("audit/" + name + ".sql")
	if err != nil {
		panic(err) // a file of this package is missing: it does not work at all
	}
	return string(raw)
}

// Violation is one breach of an invariant of the books, by its number in the
// published list: I1 debits equal credits, I2 balances follow from the lines,
// I3 sequence, chain, tree and checkpoints are whole.
type Violation struct {
	Invariant string `json:"invariant"`
	Tenant    string `json:"tenant"`
	Entity    string `json:"entity"`
	Seq       int64  `json:"seq,omitempty"` // of the transaction it concerns; 0: none
	Where     string `json:"where"`
	Detail    string `json:"detail"`
}

// BookReport is what the audit found of one book.
type BookReport struct {
	Tenant       string `json:"tenant"`
	Entity       string `json:"entity"`
	Transactions int64  `json:"transactions"`
	Postings     int64  `json:"postings"`
	Checkpoints  int64  `json:"checkpoints"`        // compared with the tree
	Root         string `json:"root"`               // of the whole tree, base64
	Head         string `json:"head"`               // last hash of the chain, hex
	FirstBad     int64  `json:"first_bad_sequence"` // 0: none
}

// Report is the outcome of an audit.
type Report struct {
	Books      []BookReport `json:"books"`
	Violations []Violation  `json:"violations"`
	// Signatures says whether the signatures of checkpoints were checked: a key
	// was given.
	Signatures bool  `json:"signatures_checked"`
	ResumedAt  int64 `json:"resumed_transactions"` // verified by an earlier run, and trusted
}

// Audit is how to verify. The zero value verifies all books, without keys.
type Audit struct {
	Limit     int                    // of breaches of each invariant in each book; 100 when 0
	Keys      []seal.PublicKey       // that sealed, now and before; without any, signatures are not checked
	Witnesses []seal.PublicKey       // whose cosignatures are checked where there are any
	Kept      [][]byte               // checkpoints somebody kept: signed notes
	Resume    *AuditState            // where an interrupted run was
	Save      func(AuditState) error // called now and then and after each book
	Every     time.Duration          // at least this long between two; five seconds when 0
	Progress  func(book ledger.Book, n, of int64, postings int64)
}

// AuditState is an audit under way, to be kept between runs. Resuming trusts
// that what was verified has not changed since: its last hash is compared,
// nothing else of it is read again.
type AuditState struct {
	// Given is what the run was given: keys and kept checkpoints.
	Given string       `json:"given"`
	Done  []BookReport `json:"done"`
	Book  *bookState   `json:"book,omitempty"`
	// Violations found so far.
	Violations []Violation `json:"violations,omitempty"`
}

// clone keeps a state that is resumed from as it was.
func (s *bookState) clone() (out bookState, err error) {
	raw, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out, err
}

// ErrGivenOther means that an interrupted run cannot go on: what is behind it
// was held against other keys or checkpoints.
var ErrGivenOther = errors.New("the interrupted run was given other keys or checkpoints: give the same, or remove its state and begin again")

// stateForm moves when a run carries something along that it did not before.
const stateForm = 2

// given names what a run compares with.
func (a Audit) given() string {
	h := sha256.New()
	fmt.Fprintln(h, stateForm)
	for _, k := range append(slices.Clone(a.Keys), a.Witnesses...) {
		fmt.Fprintln(h, k)
	}
	for _, signed := range a.Kept {
		fmt.Fprintf(h, "%d %s\n", len(signed), signed)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// UnmarshalState reads what Save was given.
func UnmarshalState(raw []byte) (*AuditState, error) {
	var s AuditState
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("the state of the interrupted run cannot be read; remove it to begin again: %w", err)
	}
	return &s, nil
}

// Verify audits the books of every tenant and lists at most limit breaches of
// each invariant in each book. See Audit.Run.
func Verify(ctx context.Context, conn *pgx.Conn, limit int32) ([]Violation, error) {
	report, err := Audit{Limit: int(limit)}.Run(ctx, conn.Config())
	return report.Violations, err
}

// Run reads every book once, in order of its sequence, in one snapshot and in
// memory that does not grow with the number of transactions, and recomputes
// everything that is stored: hashes, sums, tree. The role must see all
// tenants: auditor_ro. Breaches are in the report; an error means that the
// audit could not be finished.
func (a Audit) Run(ctx context.Context, cfg *pgx.ConnConfig) (Report, error) {
	if a.Limit <= 0 {
		a.Limit = 100
	}
	if a.Every <= 0 {
		a.Every = 5 * time.Second
	}
	r := &auditRun{Audit: a, report: Report{Signatures: len(a.Keys) > 0, Violations: []Violation{}, Books: []BookReport{}}, saved: time.Now()}
	if a.Resume != nil && a.Resume.Given != a.given() {
		return r.report, ErrGivenOther
	}
	if a.Resume != nil {
		r.report.Books, r.report.Violations = append(r.report.Books, a.Resume.Done...), append(r.report.Violations, a.Resume.Violations...)
		for _, b := range a.Resume.Done {
			r.report.ResumedAt += b.Transactions
		}
	}
	err := r.open(ctx, cfg)
	defer r.close(context.WithoutCancel(ctx))
	if err == nil {
		err = r.all(ctx)
	}
	if err != nil {
		return r.report, fmt.Errorf("verify the ledger: %w", err)
	}
	return r.report, nil
}

// ErrSeesNotAll means that the role sees one tenant's books, or none: what it
// does not see would pass for sound.
var ErrSeesNotAll = errors.New("this role does not see every book: connect as auditor_ro")

type auditRun struct {
	Audit

	main, journal, postings *pgx.Conn // one snapshot
	report                  Report
	kept                    []*sealpg.Kept
	saved                   time.Time
}

// bookRow is a book's head as the database says.
type bookRow struct {
	ledger.Book

	id      int32
	genesis []byte
	seq     int64
	hash    []byte
	at      time.Time
}

// patience lets a long run finish.
const patience = `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; `

// inOrder keeps the planner to reading in the order of the indexes.
const inOrder = `set local enable_sort = off; set local enable_seqscan = off; set local enable_bitmapscan = off; set local jit = off; ` +
	`set local max_parallel_workers_per_gather = 0`

func (r *auditRun) open(ctx context.Context, cfg *pgx.ConnConfig) error {
	var snapshot string
	for _, c := range []**pgx.Conn{&r.main, &r.journal, &r.postings} {
		conn, err := pgx.ConnectConfig(ctx, cfg.Copy())
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		*c = conn
		begin := `begin isolation level repeatable read read only; `
		if snapshot != "" {
			begin += `set transaction snapshot '` + snapshot + `'; `
		}
		begin += patience
		if c != &r.main {
			begin += inOrder
		}
		if _, err := conn.PgConn().Exec(ctx, begin).ReadAll(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		if snapshot == "" {
			var all bool
			if err := conn.QueryRow(ctx, auditSQL("sees_all")).Scan(&all); err != nil {
				return fmt.Errorf("look at the role: %w", err)
			}
			if !all {
				return ErrSeesNotAll
			}
			if err := conn.QueryRow(ctx, `select pg_export_snapshot()`).Scan(&snapshot); err != nil {
				return fmt.Errorf("share the snapshot: %w", err)
			}
		}
	}
	return nil
}

func (r *auditRun) close(ctx context.Context) {
	for _, c := range []*pgx.Conn{r.main, r.journal, r.postings} {
		if c != nil {
			_ = c.Close(ctx)
		}
	}
}

func (r *auditRun) all(ctx context.Context) error {
	for _, signed := range r.Kept {
		c, err := r.openKept(signed)
		if err != nil {
			return err
		}
		r.kept = append(r.kept, &sealpg.Kept{Checkpoint: c})
	}
	books, err := r.books(ctx)
	if err != nil {
		return err
	}
	total := int64(0)
	for _, b := range books {
		total += b.seq
	}
	var counts map[int32]int64
	for _, b := range books {
		if r.isDone(b.Book) {
			continue
		}
		thin := b.seq*50 < total
		if thin && counts == nil {
			if counts, err = r.postingCounts(ctx); err != nil {
				return err
			}
		}
		v := newBookAudit(r, b)
		if s := r.Resume; s != nil && s.Book != nil && s.Book.Tenant == b.Tenant.String() && s.Book.Entity == b.Entity {
			if v.bookState, err = s.Book.clone(); err != nil {
				return err
			}
			r.report.ResumedAt += v.Seq
		}
		if err := v.run(ctx, thin, counts[b.id]); err != nil {
			return fmt.Errorf("book %s/%s: %w", b.Tenant, b.Entity, err)
		}
		r.report.Books = append(r.report.Books, v.bookReport())
		if err := r.save(nil); err != nil {
			return err
		}
	}
	var orphans int64
	if err := r.main.QueryRow(ctx, auditSQL("orphans")).Scan(&orphans); err != nil {
		return fmt.Errorf("look for what was sealed of no book: %w", err)
	}
	if orphans > 0 {
		r.report.Violations = append(r.report.Violations, Violation{
			Invariant: "I3", Where: "books", Detail: fmt.Sprintf("%d checkpoints and tiles are of books that are not there", orphans),
		})
	}
	for _, k := range r.kept {
		if !k.Found {
			r.report.Violations = append(r.report.Violations, Violation{
				Invariant: "I3", Seq: 1, Where: "checkpoint", Detail: fmt.Sprintf("the book of the kept checkpoint %s at %d is not there", k.Origin, k.Size),
			})
		}
	}
	return nil
}

func (r *auditRun) openKept(signed []byte) (seal.Checkpoint, error) {
	if len(r.Keys) == 0 {
		return seal.Peek(signed)
	}
	c, err := seal.OpenAny(signed, r.Keys, r.Witnesses...)
	return c.Checkpoint, err
}

func (r *auditRun) isDone(b ledger.Book) bool {
	for _, d := range r.report.Books {
		if d.Tenant == b.Tenant.String() && d.Entity == b.Entity {
			for _, k := range r.kept {
				k.Found = k.Found || sealpg.IsOf(k.Checkpoint, nameOf(b))
			}
			return true
		}
	}
	return false
}

// nameOf is the end of a book's origin.
func nameOf(b ledger.Book) string { return b.Tenant.String() + "/" + b.Entity }

func (r *auditRun) save(book *bookState) error {
	if r.Save == nil {
		return nil
	}
	r.saved = time.Now()
	return r.Save(AuditState{Given: r.given(), Done: r.report.Books, Book: book, Violations: r.report.Violations})
}

func (r *auditRun) books(ctx context.Context) ([]bookRow, error) {
	rows, err := r.main.Query(ctx, auditSQL("books"))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (b bookRow, err error) {
		err = row.Scan(&b.id, &b.Tenant, &b.Entity, &b.genesis, &b.seq, &b.hash, &b.at)
		return b, err
	})
}

func (r *auditRun) postingCounts(ctx context.Context) (map[int32]int64, error) {
	rows, err := r.main.Query(ctx, auditSQL("posting_counts"))
	if err != nil {
		return nil, err
	}
	out := map[int32]int64{}
	var book int32
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&book, &n}, func() error { out[book] = n; return nil })
	return out, err
}

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }
