package apidb

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
)

var (
	errUnexpectedEOF = io.ErrUnexpectedEOF
	errClosed        = net.ErrClosed
)

// Saga implements api.Store.
func (s *Store) Saga(ctx context.Context, tenant uuid.UUID, id string) (api.SagaRecord, error) {
	row, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) (apiqueries.SagaRow, error) {
		return q.Saga(ctx, apiqueries.SagaParams{TenantID: tenant, SagaID: id})
	})
	if err != nil {
		return api.SagaRecord{}, classify(ctx, err)
	}
	return saga(row)
}

// Sagas implements api.Store.
func (s *Store) Sagas(ctx context.Context, tenant uuid.UUID, f api.SagaFilter) ([]api.SagaRecord, error) {
	p := apiqueries.SagasParams{
		TenantID: tenant, Status: orNull(f.Status), Type: orNull(f.Type), OrderRef: orNull(f.OrderRef),
		CreatedFrom: f.CreatedFrom, CreatedBefore: f.CreatedBefore, AfterID: orNull(f.AfterID), AtMost: int32(f.Limit),
	}
	if f.AfterID != "" {
		p.AfterAt = &f.AfterAt
	}
	rows, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) ([]apiqueries.SagasRow, error) { return q.Sagas(ctx, p) })
	if err != nil {
		return nil, classify(ctx, err)
	}
	var out []api.SagaRecord
	for _, row := range rows {
		v, err := saga(apiqueries.SagaRow(row))
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// SagaVersion implements api.Store.
func (s *Store) SagaVersion(ctx context.Context, tenant uuid.UUID, id string) (version int64, ended bool, err error) {
	row, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) (apiqueries.SagaVersionRow, error) {
		return q.SagaVersion(ctx, apiqueries.SagaVersionParams{TenantID: tenant, SagaID: id})
	})
	return row.Version, row.Ended, classify(ctx, err)
}

// Events implements api.Store.
func (s *Store) Events(ctx context.Context, tenant uuid.UUID, id string, after int64, limit int) ([]api.SagaEvent, error) {
	rows, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) ([]apiqueries.EventsRow, error) {
		return q.Events(ctx, apiqueries.EventsParams{TenantID: tenant, SagaID: id, After: after, AtMost: int32(limit)})
	})
	var out []api.SagaEvent
	for _, r := range rows {
		out = append(out, api.SagaEvent{Version: r.Version, Type: r.Type, Data: r.Data, CreatedAt: r.CreatedAt})
	}
	return out, classify(ctx, err)
}

// Approval implements api.Store.
func (s *Store) Approval(ctx context.Context, tenant uuid.UUID, id string) (api.ApprovalRecord, error) {
	row, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) (apiqueries.ApprovalRow, error) {
		return q.Approval(ctx, apiqueries.ApprovalParams{TenantID: tenant, ID: id})
	})
	if err != nil {
		return api.ApprovalRecord{}, classify(ctx, err)
	}
	return approval(apiqueries.ApprovalsRow(row))
}

// Approvals implements api.Store.
func (s *Store) Approvals(ctx context.Context, tenant uuid.UUID) ([]api.ApprovalRecord, error) {
	rows, err := one(ctx, s.pool, tenant, func(q *apiqueries.Queries) ([]apiqueries.ApprovalsRow, error) {
		return q.Approvals(ctx, tenant)
	})
	if err != nil {
		return nil, classify(ctx, err)
	}
	var out []api.ApprovalRecord
	for _, r := range rows {
		a, err := approval(r)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// one runs one statement as a tenant. The setting and the statement travel
// together and are one transaction: the server's implicit one, which ends with
// the last of what was sent.
func one[T any](ctx context.Context, pool *pgxpool.Pool, tenant uuid.UUID, run func(*apiqueries.Queries) (T, error)) (T, error) {
	var result T
	err := pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) (err error) {
		result, err = run(apiqueries.New(&together{conn: conn, tenant: tenant}))
		return err
	})
	return result, err
}

func saga(row apiqueries.SagaRow) (api.SagaRecord, error) {
	v := api.SagaRecord{
		ID: row.ID, Type: row.Type, Status: row.Status, OrderRef: row.OrderRef, Amount: row.Amount, Currency: row.Currency,
		Failure: row.Failure, Version: row.Version, Metadata: row.Metadata, CreatedAt: row.CreatedAt, UpdatedAt: row.UpdatedAt,
	}
	if err := json.Unmarshal(row.Steps, &v.Operations); err != nil {
		return api.SagaRecord{}, fmt.Errorf("read the operations of %s: %w", row.ID, err)
	}
	return v, nil
}

func approval(r apiqueries.ApprovalsRow) (api.ApprovalRecord, error) {
	a := api.ApprovalRecord{
		ID: r.ID, Action: r.Action, Subject: r.Subject, Payload: r.Payload, PayloadSHA256: r.PayloadSha256, Reason: r.Reason,
		Ticket: deref(r.Ticket), Maker: r.Maker, MadeAt: r.MadeAt, ExpiresAt: r.ExpiresAt, Amount: r.Amount, Currency: deref(r.Currency),
		Needed: int(r.Needed), Checker: deref(r.Checker), Decision: deref(r.Decision), DecidedAt: r.DecidedAt, ConsumedAt: r.ConsumedAt,
	}
	if err := json.Unmarshal(r.Decisions, &a.Decisions); err != nil {
		return api.ApprovalRecord{}, fmt.Errorf("read the decisions of %s: %w", r.ID, err)
	}
	return a, nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
