package step

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/ledger"
)

// Op is one of the two things a step can do.
type Op string

// The operations of a step.
const (
	Do   Op = "do"
	Undo Op = "undo"
)

// Class says what may happen after a step's do fails.
type Class string

// The classes of a step. Everything before the pivot can be undone, the pivot
// decides, and what follows it is repeated until it succeeds.
const (
	Compensatable Class = "compensatable"
	Pivot         Class = "pivot"
	Retriable     Class = "retriable"
)

// Call names one step of one saga. It is the whole input of a step activity
// and holds no personal data: what the step needs it reads from the Book.
type Call struct {
	Tenant  uuid.UUID `json:"tenant"`
	Saga    string    `json:"saga"`
	Step    string    `json:"step"`
	Ordinal int       `json:"ordinal"` // place in the flow, from 1
	Class   Class     `json:"class"`
}

// Key is what a foreign call of this step carries: saga:step:op:epoch. It moves
// to a new epoch only after a proof that the old one had no effect.
func (c Call) Key(op Op, epoch int) string {
	return c.Saga + ":" + c.Step + ":" + string(op) + ":" + strconv.Itoa(epoch)
}

// Verdict is what the book says to somebody who wants to act.
type Verdict string

// The verdicts of Intend.
const (
	// Proceed: the intent is on record; act.
	Proceed Verdict = "proceed"
	// Settled: it was done (or refused, or skipped) before; do not act again.
	// Record tells how it ended.
	Settled Verdict = "settled"
	// Dangling: an undo came first; this do must have no effect.
	Dangling Verdict = "dangling"
	// Cancelled: the client asked to cancel and the saga is not past its
	// pivot; this do must not start.
	Cancelled Verdict = "cancelled"
	// NothingToUndo: there was no do, or it was refused; the undo is on record
	// as skipped.
	NothingToUndo Verdict = "nothing_to_undo"
)

// Status is where one operation of a step stands.
type Status string

// The statuses of doc.go's state machine.
const (
	Running   Status = "running"
	Succeeded Status = "succeeded"
	RefusedAs Status = "refused"
	Abandoned Status = "abandoned"
	Skipped   Status = "skipped"
	Attention Status = "attention"
)

// Record is the row of one operation.
type Record struct {
	Step    string          `json:"step"`
	Op      Op              `json:"op"`
	Status  Status          `json:"status"`
	Attempt int             `json:"attempt"`
	Epoch   int             `json:"epoch"`
	Result  json.RawMessage `json:"result,omitempty"`
	Failure *Refused        `json:"failure,omitempty"`
}

// Order is what was accepted. Amount is in minor units of Currency.
type Order struct {
	Type     string
	OrderRef string
	Amount   int64
	Currency string
	Request  json.RawMessage
}

// Intent is the answer to somebody who wants to act.
type Intent struct {
	Verdict Verdict
	// Record is this operation's row as it now stands. Attempt > 1 means that
	// an earlier attempt may have had its effect.
	Record Record
	// Done holds the do rows of the saga by step name, this one included.
	Done  map[string]Record
	Order Order
}

// Settlement is how an operation ended: Succeeded, RefusedAs (do only) or
// Skipped (undo only), what the other side answered (ids and amounts, no
// personal data), the postings it causes and what it does to the custody of
// goods. It commits whole or not at all.
type Settlement struct {
	Status   Status
	Result   any
	Failure  *Refused
	Postings []ledger.Transaction
	Custody  *dscsa.Change
}

// ErrAbandoned answers a Note or Settle of a do that an undo has overtaken.
// What the do may have done is for the undo to find and undo.
var ErrAbandoned = errors.New("an undo has overtaken this step: its outcome is not recorded")

// Book is the durable record of steps. Each method is one database
// transaction. Any error but ErrAbandoned may be retried: the methods are
// idempotent, also when a commit's outcome was not learned.
type Book interface {
	// Intend puts the intent on record before the effect and counts the
	// attempt. A Pivot's first intent also passes the saga's point of no
	// return, atomically against a cancel request.
	Intend(ctx context.Context, c Call, op Op) (Intent, error)
	// Note keeps what must be known before the next foreign call, such as the
	// id of a payment intent, in Result of the running row.
	Note(ctx context.Context, c Call, op Op, result any) error
	// NextEpoch moves a running operation to a new key after a proof that
	// nothing happened under the old one, and returns the new epoch.
	NextEpoch(ctx context.Context, c Call, op Op) (int, error)
	// Settle ends the operation: row, postings, custody and event commit
	// together. Settling again with the same status is a no-op. It answers
	// *Refused when the custody of the goods does not allow the change: then
	// nothing is settled.
	Settle(ctx context.Context, c Call, op Op, s Settlement) error
}
