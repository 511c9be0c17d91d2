package capture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	custody "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/query"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/capture/internal/capturedb"
	"github.com/recourse/recourse/internal/pgtenant"
)

// tradingPartner is the role of a partner's key.
const tradingPartner = "trading_partner"

// Job implements epcisapi.Repository.
func (s *Service) Job(ctx context.Context, who auth.Principal, id string) (epcisapi.Job, error) {
	key, err := uuid.Parse(id)
	if err != nil {
		return epcisapi.Job{}, epcisapi.ErrNotFound
	}
	return s.one(ctx, who.Tenant, func(q *capturedb.Queries) (capturedb.CustodyCaptureJob, error) {
		return q.Job(ctx, capturedb.JobParams{TenantID: who.Tenant, ID: key, OfKey: own(who)})
	})
}

// own is the key whose jobs a partner's key sees; nil: everybody's.
func own(who auth.Principal) *string {
	if who.Role == tradingPartner {
		return &who.KeyID
	}
	return nil
}

// taken is the job that took the bytes with this digest.
func (s *Service) taken(ctx context.Context, tenant uuid.UUID, digest [32]byte) (epcisapi.Job, error) {
	return s.one(ctx, tenant, func(q *capturedb.Queries) (capturedb.CustodyCaptureJob, error) {
		return q.TakenJob(ctx, capturedb.TakenJobParams{TenantID: tenant, Sha256: digest[:]})
	})
}

func (s *Service) one(ctx context.Context, tenant uuid.UUID, find func(*capturedb.Queries) (capturedb.CustodyCaptureJob, error)) (job epcisapi.Job, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, tenant, func(_ context.Context, tx pgx.Tx) error {
		row, err := find(capturedb.New(tx))
		if errors.Is(err, pgx.ErrNoRows) {
			return epcisapi.ErrNotFound
		}
		if err == nil {
			job, err = jobOf(row)
		}
		return err
	})
	if err != nil && !errors.Is(err, epcisapi.ErrNotFound) {
		return job, fmt.Errorf("read a capture job: %w", err)
	}
	return job, err
}

// Jobs implements epcisapi.Repository.
func (s *Service) Jobs(ctx context.Context, who auth.Principal, after string, limit int) ([]epcisapi.Job, error) {
	from := uuid.Max
	if after != "" {
		var err error
		if from, err = uuid.Parse(after); err != nil {
			return nil, epcisapi.ErrPlace
		}
	}
	var out []epcisapi.Job
	err := pgtenant.ReadTx(ctx, s.pool, who.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := capturedb.New(tx).Jobs(ctx, capturedb.JobsParams{TenantID: who.Tenant, After: from, N: int32(limit), OfKey: own(who)})
		if err != nil {
			return err
		}
		for _, row := range rows {
			job, err := jobOf(row)
			if err != nil {
				return err
			}
			out = append(out, job)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list capture jobs: %w", err)
	}
	return out, nil
}

func jobOf(row capturedb.CustodyCaptureJob) (epcisapi.Job, error) {
	job := epcisapi.Job{
		ID: row.ID.String(), CreatedAt: row.CreatedAt, FinishedAt: row.FinishedAt, Proceed: row.Proceed, Success: row.Success,
		Verdict: row.Verdict, Events: int(row.Events), EventID: row.EventID,
	}
	if err := json.Unmarshal(row.Findings, &job.Findings); err != nil {
		return job, fmt.Errorf("read a job's findings: %w", err)
	}
	return job, nil
}

// Events implements epcisapi.Repository.
func (s *Service) Events(ctx context.Context, who auth.Principal, q query.Query, after string, limit int) ([]epcisapi.Recorded, string, error) {
	var parties []string
	if who.Role == tradingPartner {
		partner, err := s.partnerOf(ctx, who)
		if err != nil || len(partner.GLNs) == 0 {
			return nil, "", err
		}
		parties = partner.GLNs
	}
	found, next, err := s.custody.Query(ctx, who.Tenant, q, parties, after, limit)
	if errors.Is(err, custody.ErrPlace) {
		return nil, "", epcisapi.ErrPlace
	}
	if err != nil {
		return nil, "", err
	}
	out := make([]epcisapi.Recorded, len(found))
	for i := range found {
		out[i] = epcisapi.Recorded{Event: &found[i].Event, RecordedAt: found[i].RecordedAt}
	}
	return out, next, nil
}

// partnerOf is the company a key speaks for; the zero one when it speaks for
// nobody.
func (s *Service) partnerOf(ctx context.Context, who auth.Principal) (p dscsa.Partner, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, who.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		p, _, err = s.partners.OfKeyTx(ctx, tx, who.Tenant, who.KeyID)
		return err
	})
	return p, err
}

// Names implements epcisapi.Repository.
func (s *Service) Names(ctx context.Context, tenant uuid.UUID, of epcisapi.Collection, after string, limit int) ([]string, error) {
	return s.custody.Names(ctx, tenant, string(of), after, limit)
}
