package activities

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/ledger"
)

// SagaInput is what a saga's workflow starts with; the second argument is the
// saga's plan column. Neither holds personal data: what a step needs of the
// order it reads from the Book.
type SagaInput struct {
	Tenant uuid.UUID `json:"tenant"`
	Saga   string    `json:"saga"`
}

// Mode says what a run of a saga has to do.
type Mode string

// The modes of Begin.
const (
	// ModeForward: run the flow. Steps that are settled answer from their rows.
	ModeForward Mode = "forward"
	// ModeCompensate: undo everything registered, then end.
	ModeCompensate Mode = "compensate"
	// ModeFinished: the saga is terminal; do nothing.
	ModeFinished Mode = "finished"
)

// Resume is where a run takes the saga up. Recovery is true when another run
// held the saga before: it was terminated or lost, and its steps' rows are
// what is left of it.
type Resume struct {
	Mode        Mode `json:"mode"`
	PivotPassed bool `json:"pivot_passed"`
	Recovery    bool `json:"recovery"`
}

// Failure is why a saga did not complete, as the marketplace sees it.
// DeclineCode is the card network's reason when Code is card_declined.
type Failure struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	Step        string `json:"step,omitempty"`
	DeclineCode string `json:"decline_code,omitempty"`
}

// EndStatus is a terminal status of a saga.
type EndStatus string

// The terminal statuses.
const (
	Completed   EndStatus = "completed"
	Compensated EndStatus = "compensated"
	Rejected    EndStatus = "rejected" // nothing had happened
)

// End is how a saga ends. Failure is nil when it completed; nil otherwise
// keeps the failure recorded by Compensating. Postings commit with the status.
type End struct {
	Status   EndStatus            `json:"status"`
	Failure  *Failure             `json:"failure,omitempty"`
	Postings []ledger.Transaction `json:"postings,omitempty"`
}

// The errors of a SagaBook that retrying does not heal.
var (
	// ErrEndedOtherwise answers a Finish of a saga that is terminal with
	// another status.
	ErrEndedOtherwise = errors.New("the saga has already ended with another status")
	// ErrUnsettled answers a Finish while an operation of the saga is still
	// open: settle it, or undo it, first.
	ErrUnsettled = errors.New("a step of the saga is not settled")
	// ErrApproval answers a ResolveByHand whose approval does not hold: it is
	// unknown, undecided, rejected, expired, used, or for another saga.
	ErrApproval = errors.New("the approval does not allow this resolution")
)

// SagaBook is the durable record of a saga as a whole; step.Book is that of
// its steps. Each method is one database transaction, idempotent, and may be
// retried after any error that is not one of the three above.
type SagaBook interface {
	// Begin takes the saga for the Temporal run runID. A run other than the
	// first is a recovery: past the pivot it goes forward, before it the saga
	// is cancelled with reason "workflow_lost" and compensates.
	Begin(ctx context.Context, tenant uuid.UUID, saga, runID string) (Resume, error)
	// Compensating shows that the saga is being undone and why. f may be nil
	// when the client cancelled.
	Compensating(ctx context.Context, tenant uuid.UUID, saga string, f *Failure) error
	// Attention shows that this operation cannot go on without people.
	Attention(ctx context.Context, c step.Call, op step.Op, reason string) error
	// Resumed takes the saga out of attention again: to compensating when its
	// compensation had begun, else to running.
	Resumed(ctx context.Context, tenant uuid.UUID, saga string) error
	// Finish writes the terminal status and the last postings. Finishing again
	// with the same status is a no-op.
	Finish(ctx context.Context, tenant uuid.UUID, saga string, end End) error
	// ResolveByHand settles an operation that approved people did themselves
	// and consumes the approval.
	ResolveByHand(ctx context.Context, c step.Call, op step.Op, approvalID string) error
}
