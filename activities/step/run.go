package step

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrDangling means that an undo came first: this do had no effect and never
// will.
var ErrDangling = errors.New("an undo came first: this step must not act")

// ErrCancelled means that the client cancelled before this do began.
var ErrCancelled = errors.New("the saga was cancelled before this step began")

// ErrStopped means that the client cancelled after an attempt of this do had
// begun: nobody knows what that did, its undo finds out.
var ErrStopped = errors.New("the saga was cancelled after this step began")

// settleTime bounds the recording of an outcome that is already a fact; it
// goes on when the attempt itself has run out of time.
const settleTime = 5 * time.Second

// Attempt is what an effect works with.
type Attempt struct {
	Call   Call
	Op     Op
	Intent Intent
	book   Book
}

// Retry reports whether an earlier attempt may have had its effect: look
// before acting again.
func (a Attempt) Retry() bool { return a.Intent.Record.Attempt > 1 }

// Key is the idempotency key of one foreign call of this attempt. The same
// call of a later attempt has the same key, until NextEpoch.
func (a Attempt) Key(call string) string {
	return a.Call.Key(a.Op, a.Intent.Record.Epoch) + ":" + call
}

// Noted reads what this operation noted, or what it settled with, into v.
// Nothing noted leaves v as it is.
func (a Attempt) Noted(v any) error { return a.Intent.Record.Read(v) }

// Note keeps what must be known before the next foreign call.
func (a Attempt) Note(ctx context.Context, v any) error { return a.book.Note(ctx, a.Call, a.Op, v) }

// NewKey moves to new keys after a proof that the old ones had no effect. The
// next attempt uses them.
func (a Attempt) NewKey(ctx context.Context) error {
	_, err := a.book.NextEpoch(ctx, a.Call, a.Op)
	return err
}

// Read decodes the record's result into v; a record without one leaves v as
// it is.
func (r Record) Read(v any) error {
	if len(r.Result) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Result, v); err != nil {
		return fmt.Errorf("read the result of %s %s: %w", r.Op, r.Step, err)
	}
	return nil
}

// Effect does or undoes something at the other side. A settlement without a
// status means Succeeded. Its errors are the four of this package, or one of
// the book.
type Effect func(ctx context.Context, a Attempt) (Settlement, error)

// Run runs one attempt of an operation and returns how it stands now. It acts
// at most once over all attempts, as doc.go says.
//
// Errors: *Refused, ErrDangling, ErrCancelled, ErrStopped and *Misuse end the
// operation's attempts; *Waiting ends this one until somebody wakes the saga;
// everything else may be tried again. A refusal of an
// undo, or of a step past the pivot, is a *Misuse: it must succeed, so people
// have to look.
func Run(ctx context.Context, book Book, c Call, op Op, effect Effect) (Record, error) {
	intent, err := book.Intend(ctx, c, op)
	if err != nil {
		return Record{}, err
	}
	switch intent.Verdict {
	case Proceed:
	case Dangling:
		return Record{}, ErrDangling
	case Cancelled:
		if intent.Record.Attempt > 0 {
			return Record{}, ErrStopped
		}
		return Record{}, ErrCancelled
	case Settled, NothingToUndo:
		if intent.Record.Status == RefusedAs && intent.Record.Failure != nil {
			return intent.Record, intent.Record.Failure
		}
		return intent.Record, nil
	default:
		return Record{}, fmt.Errorf("the book answered %q, which this program does not know", intent.Verdict)
	}

	s, err := effect(ctx, Attempt{Call: c, Op: op, Intent: intent, book: book})
	if err == nil {
		err = settle(ctx, book, c, op, &s)
	}
	refused, no := AsRefused(err)
	switch {
	case no && (op == Undo || c.Class == Retriable):
		return intent.Record, &Misuse{Code: refused.Code, Err: err}
	case no:
		s = Settlement{Status: RefusedAs, Failure: refused}
		err = settle(ctx, book, c, op, &s)
	}
	if errors.Is(err, ErrAbandoned) {
		return intent.Record, ErrDangling
	}
	if err != nil {
		return intent.Record, err
	}
	intent.Record.Status = s.Status
	if no {
		return intent.Record, refused
	}
	return intent.Record, nil
}

// settle puts an outcome on record. The book itself may refuse it: goods that
// the effect found free may not be any more.
func settle(ctx context.Context, book Book, c Call, op Op, s *Settlement) error {
	if s.Status == "" {
		s.Status = Succeeded
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return book.Settle(ctx, c, op, *s)
}
