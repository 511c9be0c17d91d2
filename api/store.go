package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/tradebook"
	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/ledger/proof"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

// The errors of a Store that handlers tell apart. Any other is a 500.
var (
	// ErrNotFound: there is no such object in this tenant.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the database does not answer, or not in time.
	ErrUnavailable = errors.New("the database is not available")
	// ErrBusy: another request holds this idempotency key just now.
	ErrBusy = errors.New("the key is in use")
	// ErrSamePerson: who proposes does not decide, and nobody decides twice.
	ErrSamePerson = errors.New("the maker cannot be the checker")
	// ErrNotAllowed: the key's role, as it is now, does not do this.
	ErrNotAllowed = errors.New("the key's role does not allow this")
	// ErrAlreadyProposed: another proposal about the same is open.
	ErrAlreadyProposed = errors.New("a proposal about this is open")
	// ErrApproverLostRole: who approved could not do so now.
	ErrApproverLostRole = errors.New("an approver may no longer approve")
	// ErrApprovalChanged: the payload is not the one that was decided about.
	ErrApprovalChanged = errors.New("the payload is not what was approved")
	// ErrTakesTwo: a second person has to agree first.
	ErrTakesTwo = errors.New("it takes two people")
	// ErrReturnsExceed: the returns of a transfer would give back more than it
	// cost.
	ErrReturnsExceed = errors.New("the returns give back more than the transfer cost")
	// ErrDecided: it was decided, used, or is too old.
	ErrDecided = errors.New("it is decided or too old")
)

// OrderRefTakenError answers an order whose reference has a saga already.
type OrderRefTakenError struct{ Saga string }

func (e *OrderRefTakenError) Error() string { return "the order reference belongs to saga " + e.Saga }

// A TakenError answers something that is on record already.
type TakenError struct{ Code, Detail string }

func (e *TakenError) Error() string { return e.Detail }

// A Once is a request under an idempotency key. At is now; the key is kept
// until Expires. Who asks for which operation on which path, and from where,
// goes into the audit log with the answer.
type Once struct {
	Tenant      uuid.UUID
	Key         string
	Fingerprint [32]byte
	RequestID   string
	At          time.Time
	Expires     time.Time

	Actor, Role, Operation, Path, Remote string
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

// An ApprovalRecord is what one person proposes and others decide. Amount and
// Currency are those of a payload with entries in one currency.
type ApprovalRecord struct {
	ID, Action, Subject, Reason, Ticket, Maker string
	Payload                                    json.RawMessage
	PayloadSHA256                              []byte
	MadeAt, ExpiresAt                          time.Time
	Amount                                     *int64
	Currency                                   string
	Needed                                     int // people who have to approve
	Decisions                                  []Decision
	Checker, Decision                          string // the last one's, when it is decided
	DecidedAt, ConsumedAt                      *time.Time
}

// A Decision is one person's word. Role is the checker's at that moment.
type Decision struct {
	Checker   string    `json:"checker"`
	Role      string    `json:"role"`
	Decision  string    `json:"decision"`
	DecidedAt time.Time `json:"decided_at"`
}

// A Proposal is an approval to be: the database gives it its times, its hash
// and the number of people it needs.
type Proposal struct {
	ID, Action, Subject, Reason, Ticket string
	Payload                             json.RawMessage
}

// Store is where everything is kept. Every method is one transaction.
type Store interface {
	// Accept records an order under its key. It returns the stored answer if
	// the key was used before, *OrderRefTakenError if the order was, and
	// ErrReturnsExceed if a return asks for more than its transfer has left.
	Accept(ctx context.Context, o Once, s NewSaga, a Answer) (*Stored, error)
	// Once runs fn under a key and stores its answer with what fn did, or
	// returns the stored answer of an earlier request.
	Once(ctx context.Context, o Once, fn func(ctx context.Context, tx Tx) (Answer, error)) (Answer, *Stored, error)

	Saga(ctx context.Context, tenant uuid.UUID, id string) (SagaRecord, error)
	Sagas(ctx context.Context, tenant uuid.UUID, f SagaFilter) ([]SagaRecord, error)
	SagaVersion(ctx context.Context, tenant uuid.UUID, id string) (version int64, ended bool, err error)
	Events(ctx context.Context, tenant uuid.UUID, id string, after int64, limit int) ([]SagaEvent, error)

	// Partner finds a company by id or GLN, Transfer a transfer or return.
	Partner(ctx context.Context, tenant uuid.UUID, name string) (tradebook.Partner, error)
	Transfer(ctx context.Context, tenant uuid.UUID, id string) (TransferRecord, error)
	// PendingEvidence is Tx.PendingEvidence as a transaction of its own.
	PendingEvidence(ctx context.Context, tenant uuid.UUID, partners []string) ([]ApprovalRecord, error)

	PutTicket(ctx context.Context, who auth.Principal, saga string, digest [32]byte, expires time.Time) error
	RedeemTicket(ctx context.Context, digest [32]byte) (tenant uuid.UUID, saga, keyID string, err error)

	Approval(ctx context.Context, tenant uuid.UUID, id string) (ApprovalRecord, error)
	Approvals(ctx context.Context, tenant uuid.UUID) ([]ApprovalRecord, error)
}

// Tx is what a request may do in the transaction of its key.
type Tx interface {
	RecordsTx

	// Cancel keeps the wish to cancel, unless the saga has passed its pivot or
	// ended.
	Cancel(ctx context.Context, id, reason string) (CancelOutcome, error)
	Saga(ctx context.Context, id string) (SagaRecord, error)
	// Attention tells whether a step of a saga is for people to decide.
	Attention(ctx context.Context, saga, step string) (Attention, error)
	// AddPartner, AddLicence, BindKey and AddProduct add to the register. Errors:
	// *TakenError when something of it is there already; AddLicence: ErrTakesTwo
	// of a licence that lets the company trade and has no approval.
	AddPartner(ctx context.Context, p dscsa.Partner, by string, at time.Time) error
	AddLicence(ctx context.Context, partner string, l dscsa.Licence) error
	// VerifyPartner records that a company is verified and has a role, as an
	// approval says that was consumed in this transaction.
	VerifyPartner(ctx context.Context, partner string, role dscsa.PartnerRole, by, approval string) error
	// PendingEvidence is what is proposed about companies: ID, Payload, Maker
	// and MadeAt of each proposal that can still be decided.
	PendingEvidence(ctx context.Context, partners []string) ([]ApprovalRecord, error)
	BindKey(ctx context.Context, partner, key, by string) error
	AddProduct(ctx context.Context, p dscsa.Product, by string, at time.Time) error
	Partner(ctx context.Context, name string) (tradebook.Partner, error)
	Transfer(ctx context.Context, id string) (TransferRecord, error)
	// Receive records what the buyer received; said is false when it had said so
	// before. Review records what people decided about a held order.
	Receive(ctx context.Context, id string, r dscsa.Receipt) (said bool, err error)
	Review(ctx context.Context, id string, r activities.Review) error
	// Hold keeps goods from sale, ReleaseHold ends that. Errors:
	// custodypg.ErrNoSuchHold, custodypg.ErrSamePerson.
	Hold(ctx context.Context, o dscsa.HoldOrder) (dscsa.Hold, error)
	ReleaseHold(ctx context.Context, id int64, by, reason string) (dscsa.Hold, error)
	// Investigations is where people work on suspect product.
	Investigations() *investigation.Desk
	// Propose records what who proposes. Errors: ErrNotAllowed,
	// ErrAlreadyProposed.
	Propose(ctx context.Context, who auth.Principal, p Proposal) error
	// Decide records what who says and reports whether that decides it.
	// Errors: ErrSamePerson, ErrNotAllowed, ErrDecided.
	Decide(ctx context.Context, who auth.Principal, id, decision string) (decided bool, err error)
	Approval(ctx context.Context, id string) (ApprovalRecord, error)

	// Try runs fn and takes back what it did when it fails; the transaction
	// goes on.
	Try(ctx context.Context, fn func(ctx context.Context) error) error
	// Consume uses an approval up for its payload as it was read. Errors:
	// ErrApproverLostRole, ErrApprovalChanged, ErrDecided.
	Consume(ctx context.Context, a ApprovalRecord) error
	// Apply does to the chart of accounts or to a period what a consumed
	// approval says. Errors: *LedgerRefusedError.
	Apply(ctx context.Context, approval string) error
	Post(ctx context.Context, book ledger.Book, t ledger.Transaction) (ledger.Result, error)
	// Recorded reads a transaction of the books, ErrNotFound if there is none.
	Recorded(ctx context.Context, book ledger.Book, id uuid.UUID) (t *ledger.Recorded, reversed bool, err error)
	Accounts(ctx context.Context, book ledger.Book, f ledgerpg.AccountFilter) ([]ledgerpg.AccountState, error)
	// PeriodRefusal says in words why a period cannot be moved; empty when it
	// can.
	PeriodRefusal(ctx context.Context, book ledger.Book, period time.Time, event string) (string, error)
	Period(ctx context.Context, book ledger.Book, period time.Time) (ledgerpg.PeriodState, error)
}

// A LedgerRefusedError is the books' own no, in words for people.
type LedgerRefusedError struct{ Detail string }

func (e *LedgerRefusedError) Error() string { return e.Detail }

// CancelOutcome is what became of a wish to cancel.
type CancelOutcome struct{ PivotPassed, Ended bool }

// Attention is what people have to know before they decide about a step.
type Attention struct{ Needed, StepOpen bool }

// Books is what the ledger shows.
type Books interface {
	ledger.Poster

	TrialBalance(ctx context.Context, book ledger.Book, currency string) ([]ledgerpg.Balance, error)
	TransactionsOfSaga(ctx context.Context, book ledger.Book, saga string) ([]*ledger.Recorded, error)

	Accounts(ctx context.Context, book ledger.Book, f ledgerpg.AccountFilter) ([]ledgerpg.AccountState, error)
	BalanceAt(ctx context.Context, book ledger.Book, account int64, at time.Time) (ledgerpg.BalanceAt, error)
	Periods(ctx context.Context, book ledger.Book) ([]ledgerpg.PeriodState, error)
	PeriodHistory(ctx context.Context, book ledger.Book, period time.Time) (ledgerpg.PeriodHistory, error)
	Reports
	LastCheckpoint(ctx context.Context, book ledger.Book) (sealpg.Sealed, error)
	Prove(ctx context.Context, book ledger.Book, id uuid.UUID) (proof.Bundle, error)
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
	// WakeSaga tells a waiting step that there is news for it.
	WakeSaga(ctx context.Context, saga, step string) error
}
