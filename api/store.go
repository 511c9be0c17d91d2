package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/seal"
)

// The errors of a Store that handlers tell apart. Any other is a 500.
var (
	// ErrNotFound: there is no such object in this tenant.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the database does not answer, or not in time.
	ErrUnavailable = errors.New("the database is not available")
	// ErrBusy: another request holds this idempotency key just now.
	ErrBusy = errors.New("the key is in use")
	// ErrSamePerson: who proposes does not decide.
	ErrSamePerson = errors.New("the maker cannot be the checker")
)

// OrderRefTakenError answers an order whose reference has a saga already.
type OrderRefTakenError struct{ Saga string }

func (e *OrderRefTakenError) Error() string { return "the order reference belongs to saga " + e.Saga }

// A Once is a request under an idempotency key. At is now; the key is kept
// until Expires.
type Once struct {
	Tenant      uuid.UUID
	Key         string
	Fingerprint [32]byte
	RequestID   string
	At          time.Time
	Expires     time.Time
}

// Stored is the first answer under a key.
type Stored struct {
	Answer

	Fingerprint [32]byte
	RequestID   string
	Expires     time.Time
}

// A NewSaga is an order to be accepted. Request holds personal data; Plan does not.
type NewSaga struct {
	ID, Type, OrderRef, Currency string
	Amount                       int64
	Request, Plan, Metadata      json.RawMessage
	CreatedBy                    string
}

// A SagaRecord is a saga's row with its operations.
type SagaRecord struct {
	ID, Type, Status, OrderRef, Currency string
	Amount, Version                      int64
	Failure, Metadata                    json.RawMessage
	CreatedAt, UpdatedAt                 time.Time
	Operations                           []Operation
}

// An Operation is the do or undo of a step.
type Operation struct {
	Step       string          `json:"step"`
	Op         string          `json:"op"`
	Ordinal    int             `json:"ordinal"`
	Status     string          `json:"status"`
	Attempt    int             `json:"attempt"`
	StartedAt  time.Time       `json:"started_at"`
	FinishedAt *time.Time      `json:"finished_at"`
	Failure    json.RawMessage `json:"failure"`
}

// A SagaEvent is one change of a saga; Version is the saga's after it.
type SagaEvent struct {
	Version   int64
	Type      string
	Data      json.RawMessage
	CreatedAt time.Time
}

// A SagaFilter selects sagas. Zero fields do not filter. After is where the
// page before ended.
type SagaFilter struct {
	Status, Type, OrderRef     string
	CreatedFrom, CreatedBefore *time.Time
	AfterID                    string
	AfterAt                    time.Time
	Limit                      int
}

// An ApprovalRecord is what one person proposes and another decides.
type ApprovalRecord struct {
	ID, Action, Subject, Reason, Maker string
	Payload                            json.RawMessage
	MadeAt, ExpiresAt                  time.Time
	Checker, Decision                  string
	DecidedAt, ConsumedAt              *time.Time
}

// Store is where everything is kept. Every method is one transaction.
type Store interface {
	// Accept records an order under its key. It returns the stored answer if
	// the key was used before, and *OrderRefTakenError if the order was.
	Accept(ctx context.Context, o Once, s NewSaga, a Answer) (*Stored, error)
	// Once runs fn under a key and stores its answer with what fn did, or
	// returns the stored answer of an earlier request.
	Once(ctx context.Context, o Once, fn func(ctx context.Context, tx Tx) (Answer, error)) (Answer, *Stored, error)

	Saga(ctx context.Context, tenant uuid.UUID, id string) (SagaRecord, error)
	Sagas(ctx context.Context, tenant uuid.UUID, f SagaFilter) ([]SagaRecord, error)
	SagaVersion(ctx context.Context, tenant uuid.UUID, id string) (version int64, ended bool, err error)
	Events(ctx context.Context, tenant uuid.UUID, id string, after int64, limit int) ([]SagaEvent, error)

	PutTicket(ctx context.Context, who auth.Principal, saga string, digest [32]byte, expires time.Time) error
	RedeemTicket(ctx context.Context, digest [32]byte) (tenant uuid.UUID, saga, keyID string, err error)

	Approval(ctx context.Context, tenant uuid.UUID, id string) (ApprovalRecord, error)
	Approvals(ctx context.Context, tenant uuid.UUID) ([]ApprovalRecord, error)
}

// Tx is what a request may do in the transaction of its key.
type Tx interface {
	// Cancel keeps the wish to cancel, unless the saga has passed its pivot or
	// ended.
	Cancel(ctx context.Context, id, reason string) (CancelOutcome, error)
	Saga(ctx context.Context, id string) (SagaRecord, error)
	// Attention tells whether a step of a saga is for people to decide.
	Attention(ctx context.Context, saga, step string) (Attention, error)
	Propose(ctx context.Context, a ApprovalRecord) error
	// Decide writes the decision; it reports false when it came too late.
	Decide(ctx context.Context, id, checker, decision string, at time.Time) (bool, error)
	Approval(ctx context.Context, id string) (ApprovalRecord, error)
}

// CancelOutcome is what became of a wish to cancel.
type CancelOutcome struct{ PivotPassed, Ended bool }

// Attention is what people have to know before they decide about a step.
type Attention struct{ Needed, StepOpen, Proposed bool }

// Books is what the ledger shows.
type Books interface {
	TrialBalance(ctx context.Context, book ledger.Book, currency string) ([]ledgerpg.Balance, error)
	TransactionsOfSaga(ctx context.Context, book ledger.Book, saga string) ([]*ledger.Recorded, error)
	LastCheckpoint(ctx context.Context, book ledger.Book) (ledgerpg.Sealed, error)
	Prove(ctx context.Context, book ledger.Book, id uuid.UUID) (seal.Bundle, error)
}

// Watcher wakes those who wait for a saga. A wake-up says nothing but: look.
type Watcher interface {
	Watch(tenant uuid.UUID, saga string) (woken <-chan struct{}, stop func())
}

// Orchestrator reaches a running saga. Both are hints: the database decides.
type Orchestrator interface {
	// CancelSaga wakes the saga to see that it was cancelled.
	CancelSaga(ctx context.Context, saga string) error
	// ResolveSaga tells the saga what people have decided.
	ResolveSaga(ctx context.Context, saga, approval, step, action string) error
}
