package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
	custody "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/capture/internal/capturedb"
)

// Service takes documents of all tenants. It is safe for concurrent use.
type Service struct {
	pool     *pgxpool.Pool
	custody  *custody.Store
	partners Partners
	now      func() time.Time
}

// Partners is the register of trading partners and products.
type Partners interface {
	// OfKeyTx is the partner as which a credential sends; found is false of a
	// credential that is nobody's.
	OfKeyTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, keyID string) (p dscsa.Partner, found bool, err error)
	// OfGLNsTx are the partners of some GLNs, by GLN.
	OfGLNsTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, glns []string) (map[string]dscsa.Partner, error)
	// MeetTx puts companies down that nobody has met, unverified.
	MeetTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, keyID string, companies []dscsa.Partner, at time.Time) error
	// KnownProductsTx are those of some GTINs that are registered.
	KnownProductsTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, gtins []string) (map[string]bool, error)
}

var _ epcisapi.Repository = (*Service)(nil)

// New returns a service on a pool of role app_api.
func New(pool *pgxpool.Pool, store *custody.Store, partners Partners, now func() time.Time) *Service {
	return &Service{pool: pool, custody: store, partners: partners, now: now}
}

// Capture implements epcisapi.Repository.
func (s *Service) Capture(ctx context.Context, who auth.Principal, sub epcisapi.Submission) (epcisapi.Job, error) {
	digest := sha256.Sum256(sub.Document)
	if job, err := s.taken(ctx, who.Tenant, digest); err == nil || !errors.Is(err, epcisapi.ErrNotFound) {
		return job, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return epcisapi.Job{}, fmt.Errorf("name the job: %w", err)
	}
	job := epcisapi.Job{ID: id.String(), CreatedAt: s.now().UTC(), Proceed: sub.Proceed}
	var said seen
	var met []dscsa.Partner
	_, err = s.custody.Capture(ctx, who.Tenant, custody.Capture{
		Body: bytes.NewReader(sub.Document), SHA256: digest, Most: epcisapi.MaxEvents, Credential: who.KeyID, Proceed: sub.Proceed, Each: said.event, Trade: s.trade(who.Tenant), Now: s.now,
		Parties: func(ctx context.Context, doc *epcis.Document) (string, string, error) {
			senders, receiver := said.parties(doc)
			met = said.met(doc)
			return strings.Join(senders[:min(1, len(senders))], ""), receiver, s.sender(ctx, who, senders)
		},
		With: func(ctx context.Context, tx pgx.Tx, c *custody.Captured) error {
			if c.Known {
				return errKnown
			}
			s.tell(&job, c)
			if c.Document > 0 && who.Role == "operator" {
				if err := s.partners.MeetTx(ctx, tx, who.Tenant, who.KeyID, met, s.now()); err != nil {
					return err
				}
			}
			return s.put(ctx, tx, who, digest, c.Document, job)
		},
	})
	if many := new(custody.TooManyError); errors.As(err, &many) {
		return epcisapi.Job{}, epcisapi.ErrTooMany
	}
	once := new(pgconn.PgError)
	if errors.Is(err, errKnown) || errors.As(err, &once) && (once.ConstraintName == "capture_job_once" || once.ConstraintName == "document_once") {
		return s.taken(ctx, who.Tenant, digest) // somebody else took the same bytes meanwhile
	}
	if err != nil {
		return epcisapi.Job{}, fmt.Errorf("capture: %w", err)
	}
	return job, nil
}

// errKnown ends a transaction that would take what is there.
var errKnown = errors.New("the document is there")

// tell fills in how a capture went.
func (s *Service) tell(job *epcisapi.Job, c *custody.Captured) {
	for _, f := range c.Report.Findings {
		job.Findings = append(job.Findings, epcisapi.Finding{Rule: f.Rule, Severity: string(f.Severity), Where: f.Where, Message: f.Message})
	}
	for _, r := range c.Reused {
		job.Findings = append(job.Findings, epcisapi.Finding{
			Rule: "event-id-reused", Severity: "error", Where: fmt.Sprintf("event %d", r.Ordinal),
			Message: "the event ID " + r.EventID + " stands for another event already; give this one an ID of its own",
		})
	}
	job.Verdict, job.Events = string(c.Report.Verdict), c.Stored
	job.Success = c.Report.Verdict != check.Reject && len(c.Reused) == 0
	job.EventID = c.First
	job.FinishedAt = s.now().UTC()
}

func (s *Service) put(ctx context.Context, tx pgx.Tx, who auth.Principal, digest [32]byte, document int64, job epcisapi.Job) error {
	findings, err := json.Marshal(job.Findings)
	if err != nil {
		return fmt.Errorf("encode findings: %w", err)
	}
	if job.Findings == nil {
		findings = []byte("[]")
	}
	id, err := uuid.Parse(job.ID)
	if err != nil {
		return fmt.Errorf("the job's id: %w", err)
	}
	p := capturedb.PutJobParams{
		TenantID: who.Tenant, ID: id, CreatedAt: job.CreatedAt, FinishedAt: job.FinishedAt, Events: int32(job.Events), Proceed: job.Proceed,
		Success: job.Success, Sha256: digest[:], Verdict: job.Verdict, Credential: who.KeyID, EventID: job.EventID, Findings: findings,
	}
	if document > 0 {
		p.Document = &document
	}
	if err := capturedb.New(tx).PutJob(ctx, p); err != nil {
		return fmt.Errorf("put the job down: %w", err)
	}
	return nil
}
