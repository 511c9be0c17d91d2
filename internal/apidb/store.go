// Package apidb keeps what the API accepts and shows, in Postgres as app_api.
//
// Every method is one transaction of one tenant. An accept, and every request
// under an idempotency key, commits the key with its answer and its action in
// the audit log together with what the answer tells of; of a commit whose outcome was not learned the repeated
// request finds the answer, or does it for the first time.
package apidb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb/internal/apiqueries"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// Store implements api.Store.
type Store struct {
	pool  *pgxpool.Pool
	books *ledgerpg.Store // posts in the transaction of a decision
}

var _ api.Store = (*Store)(nil)

// New returns the store behind pool, whose role is app_api.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool, books: ledgerpg.New(pool)} }

// patience bounds an accept, and onceTime any other request under a key; the
// database's own limits are shorter, but for closing a period.
const (
	patience = 12 * time.Second
	onceTime = 70 * time.Second
)

// classify says what an error means to the API. What the database itself did
// not answer, or answered because it is starting, stopping or full, may be
// repeated.
func classify(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	var refused *api.LedgerRefusedError
	switch {
	case err == nil, errors.Is(err, api.ErrNotFound), errors.Is(err, api.ErrSamePerson), errors.Is(err, api.ErrBusy):
		return err
	case errors.As(err, &refused):
		return err
	case errors.Is(err, pgx.ErrNoRows), errors.Is(err, ledgerpg.ErrNoPeriod):
		return api.ErrNotFound
	case errors.As(err, &pg):
		return classifyPg(pg, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return err
	case pgconn.Timeout(err), pgconn.SafeToRetry(err), isTransport(err):
		return fmt.Errorf("%w: %w", api.ErrUnavailable, err)
	default:
		return err
	}
}

func classifyPg(pg *pgconn.PgError, err error) error {
	switch {
	case pg.Code == "55P03" || pg.Code == "40P01": // lock_timeout, deadlock: somebody else holds it
		return fmt.Errorf("%w: %w", api.ErrBusy, err)
	case pg.ConstraintName == "partner_gln_once":
		return &api.TakenError{Code: "gln_taken", Detail: "A GLN belongs to another company."}
	case pg.ConstraintName == "partner_evidence_approved":
		return fmt.Errorf("%w: %w", api.ErrTakesTwo, err)
	case pg.ConstraintName == "product_pkey":
		return &api.TakenError{Code: "product_known", Detail: "The product is on record already."}
	case pg.ConstraintName == "partner_key_once":
		return &api.TakenError{Code: "key_bound", Detail: "The key speaks for a company already."}
	case pg.ConstraintName == "book_is_open":
		return fmt.Errorf("%w: %w", ledger.ErrNoBook, err)
	case pg.Code == "LG001": // the books' own no
		return fmt.Errorf("%w: %w", &api.LedgerRefusedError{Detail: pg.Message}, err)
	case pg.ConstraintName == "approval_two_people", pg.ConstraintName == "approval_decision_two_people":
		return fmt.Errorf("%w: %w", api.ErrSamePerson, err)
	}
	switch pg.Code[:2] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return fmt.Errorf("%w: %w", api.ErrUnavailable, err)
	}
	if pg.Code == "25006" { // read-only: a standby, or a primary that is stepping down
		return fmt.Errorf("%w: %w", api.ErrUnavailable, err)
	}
	return err
}

// isTransport reports whether the connection, not the database, failed.
func isTransport(err error) bool {
	var connect *pgconn.ConnectError
	var network interface{ Timeout() bool }
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, pgx.ErrTxClosed) ||
		errors.Is(err, errUnexpectedEOF) || errors.Is(err, errClosed)
}

// Accept implements api.Store. It is one round trip.
func (s *Store) Accept(ctx context.Context, o api.Once, n api.NewSaga, a api.Answer) (*api.Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	headers, err := json.Marshal(a.Header)
	if err != nil {
		return nil, fmt.Errorf("encode headers: %w", err)
	}
	accepted, err := one(ctx, s.pool, o.Tenant, func(q *apiqueries.Queries) (bool, error) {
		return q.Accept(ctx, apiqueries.AcceptParams{
			TenantID: o.Tenant, Key: o.Key, Fingerprint: o.Fingerprint[:], SagaID: &n.ID, RequestID: o.RequestID, Status: int32(a.Status),
			Headers: headers, Body: a.Body, CreatedAt: o.At, ExpiresAt: o.Expires, Type: n.Type, OrderRef: n.OrderRef,
			Amount: n.Amount, Currency: n.Currency, Request: n.Request, Plan: n.Plan, Metadata: n.Metadata, CreatedBy: n.CreatedBy,
			Role: o.Role, Operation: o.Operation, Path: o.Path, Remote: o.Remote,
		})
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "saga_order_ref_once" {
		return s.takenOrReplayed(ctx, o, n)
	}
	if errors.As(err, &pg) && pg.ConstraintName == "return_within_price" {
		return nil, api.ErrReturnsExceed
	}
	if err != nil {
		return nil, classify(ctx, err)
	}
	if accepted {
		return nil, nil
	}
	return s.stored(ctx, o)
}

// takenOrReplayed finds the saga that has the order reference.
func (s *Store) takenOrReplayed(ctx context.Context, o api.Once, n api.NewSaga) (*api.Stored, error) {
	var id string
	err := pgtenant.ReadTx(ctx, s.pool, o.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		id, err = apiqueries.New(tx).SagaOfOrder(ctx, apiqueries.SagaOfOrderParams{TenantID: o.Tenant, Type: n.Type, OrderRef: n.OrderRef})
		return err
	})
	if err != nil {
		return nil, classify(ctx, err)
	}
	return nil, &api.OrderRefTakenError{Saga: id}
}

// Once implements api.Store.
func (s *Store) Once(ctx context.Context, o api.Once, fn func(ctx context.Context, t api.Tx) (api.Answer, error)) (api.Answer, *api.Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, onceTime)
	defer cancel()
	var a api.Answer
	used := false
	err := pgtenant.Tx(ctx, s.pool, o.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		q := apiqueries.New(tx)
		_, err := q.BeginOnce(ctx, apiqueries.BeginOnceParams{
			TenantID: o.Tenant, Key: o.Key, Fingerprint: o.Fingerprint[:], RequestID: o.RequestID, CreatedAt: o.At, ExpiresAt: o.Expires,
		})
		if errors.Is(err, pgx.ErrNoRows) {
			used = true
			return nil
		}
		if err != nil {
			return err
		}
		if a, err = fn(ctx, &work{q: q, tx: tx, books: s.books, tenant: o.Tenant}); err != nil {
			return err
		}
		headers, err := json.Marshal(a.Header)
		if err != nil {
			return fmt.Errorf("encode headers: %w", err)
		}
		_, err = q.FinishOnce(ctx, apiqueries.FinishOnceParams{
			TenantID: o.Tenant, Key: o.Key, Status: int32(a.Status), Headers: headers, Body: a.Body,
			Actor: o.Actor, Role: o.Role, Operation: o.Operation, Path: o.Path, Remote: o.Remote,
		})
		return err
	})
	if err != nil {
		return api.Answer{}, nil, classify(ctx, err)
	}
	if !used {
		return a, nil, nil
	}
	stored, err := s.stored(ctx, o)
	return api.Answer{}, stored, err
}

func (s *Store) stored(ctx context.Context, o api.Once) (*api.Stored, error) {
	row, err := one(ctx, s.pool, o.Tenant, func(q *apiqueries.Queries) (apiqueries.StoredRow, error) {
		return q.Stored(ctx, apiqueries.StoredParams{TenantID: o.Tenant, Key: o.Key})
	})
	if err != nil {
		return nil, classify(ctx, err)
	}
	out := &api.Stored{
		Answer:      api.Answer{Status: int(row.Status), Header: map[string]string{}, Body: row.Body},
		Fingerprint: [32]byte(row.Fingerprint), RequestID: row.RequestID, Expires: row.ExpiresAt,
	}
	if err := json.Unmarshal(row.Headers, &out.Header); err != nil {
		return nil, fmt.Errorf("read stored headers: %w", err)
	}
	return out, nil
}

// PutTicket implements api.Store.
func (s *Store) PutTicket(ctx context.Context, who auth.Principal, saga string, digest [32]byte, expires time.Time) error {
	_, err := one(ctx, s.pool, who.Tenant, func(q *apiqueries.Queries) (string, error) {
		return q.PutTicket(ctx, apiqueries.PutTicketParams{
			TokenSha256: digest[:], TenantID: who.Tenant, SagaID: saga, KeyID: who.KeyID, ExpiresAt: expires,
		})
	})
	return classify(ctx, err)
}

// RedeemTicket implements api.Store. Whose ticket it is, is what it answers.
func (s *Store) RedeemTicket(ctx context.Context, digest [32]byte) (tenant uuid.UUID, saga, keyID string, err error) {
	row, err := apiqueries.New(s.pool).RedeemTicket(ctx, digest[:])
	return row.TenantID, row.SagaID, row.KeyID, classify(ctx, err)
}
