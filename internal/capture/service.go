package capture

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
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
	"github.com/recourse/recourse/internal/pgtenant"
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
	began := s.now().UTC()
	id, err := uuid.NewV7()
	if err != nil {
		return epcisapi.Job{}, fmt.Errorf("name the job: %w", err)
	}
	read, err := readDocument(sub.Document, began)
	if err != nil {
		return epcisapi.Job{}, fmt.Errorf("read the document: %w", err)
	}
	var job epcisapi.Job
	err = pgtenant.Tx(ctx, s.pool, who.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		job = epcisapi.Job{ID: id.String(), CreatedAt: began, Proceed: sub.Proceed}
		if err := s.sender(ctx, tx, who, read); err != nil {
			return err
		}
		report, err := s.examine(ctx, tx, who.Tenant, read)
		if err != nil {
			return err
		}
		document, err := s.keep(ctx, tx, who, sub, digest, read, report, &job)
		if err != nil {
			return err
		}
		job.FinishedAt = s.now().UTC()
		return s.put(ctx, tx, who, digest, document, job)
	})
	if once := new(pgconn.PgError); errors.As(err, &once) && (once.ConstraintName == "capture_job_once" || once.ConstraintName == "document_once") {
		return s.taken(ctx, who.Tenant, digest) // somebody else took the same bytes meanwhile
	}
	if err != nil {
		return epcisapi.Job{}, fmt.Errorf("capture: %w", err)
	}
	return job, nil
}

// keep records what can be taken and fills in the job.
func (s *Service) keep(ctx context.Context, tx pgx.Tx, who auth.Principal, sub epcisapi.Submission, digest [32]byte, read *document, report check.Report, job *epcisapi.Job) (int64, error) {
	job.Verdict = string(report.Verdict)
	for _, f := range report.Findings {
		job.Findings = append(job.Findings, epcisapi.Finding{Rule: f.Rule, Severity: string(f.Severity), Where: f.Where, Message: f.Message})
	}
	events := read.events
	job.Success = report.Verdict != check.Reject
	if !job.Success {
		if events = read.sound(report); !sub.Proceed || len(events) == 0 {
			return 0, nil
		}
	}
	findings, err := json.Marshal(job.Findings)
	if err != nil {
		return 0, fmt.Errorf("encode findings: %w", err)
	}
	verdict := dscsa.Accept
	if report.Verdict != check.Accept {
		verdict = dscsa.Flag
	}
	appended, err := s.custody.AppendTx(ctx, tx, who.Tenant, custody.Batch{
		Document: &dscsa.Document{
			SHA256: digest, Size: int64(len(sub.Document)), Direction: dscsa.Received, Format: read.doc.Format, Sender: read.sender(),
			Receiver: read.receiver(), Credential: who.KeyID, Verdict: verdict, Findings: string(findings),
		},
		Body: read.body(), Events: values(events),
	})
	if err != nil {
		return 0, err
	}
	for _, r := range appended.Reused {
		job.Findings = append(job.Findings, epcisapi.Finding{
			Rule: "event-id-reused", Severity: "error", Where: fmt.Sprintf("event %d", r.Ordinal),
			Message: "the event ID " + r.EventID + " stands for another event already; give this one an ID of its own",
		})
		job.Success = false
		verdict = dscsa.Flag
	}
	if job.Verdict != string(check.Reject) {
		job.Verdict = string(verdict)
	}
	job.Events = appended.Stored
	if len(events) > 0 {
		job.EventID = events[0].EventID
	}
	return appended.Document, nil
}

func values(events []*epcis.Event) []epcis.Event {
	out := make([]epcis.Event, len(events))
	for i, e := range events {
		out[i] = *e
	}
	return out
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
