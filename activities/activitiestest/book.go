// Package activitiestest is the world of a saga in memory: its book, the card
// processor and the participants, with faults that can be planted at every
// call. It is what flows are simulated against, thousands of times in virtual
// time; the real book, simulators and processor are tested elsewhere.
package activitiestest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/google/uuid"
	"go.temporal.io/sdk/temporal"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
)

// ErrDead is what the book answers after its worker was killed. It is not
// retried, so that a killed run ends instead of waiting for its book for ever.
var ErrDead = temporal.NewNonRetryableApplicationError("the worker is dead", "dead", nil)

// Book is one saga's book, with the rules of package step's state machine. Its
// fields may be read once the saga has ended.
type Book struct {
	mu     sync.Mutex
	Tenant uuid.UUID
	Saga   string
	Order  step.Order
	Ledger *ledgertest.Model
	Goods  *Goods // what changes of custody are applied to; nil: there are none

	Status    string
	Failure   *activities.Failure
	Ends      int      // terminal states written
	Undone    []string // steps in the order their undo settled; those with nothing to undo are left out
	Attended  int      // times the saga was in attention
	runs      int
	cancelled bool
	pivot     bool
	undoing   bool
	dead      bool
	rows      map[string]*step.Record
	never     map[string]bool // do rows written by an undo that came first
}

var (
	_ step.Book           = (*Book)(nil)
	_ activities.SagaBook = (*Book)(nil)
)

// NewBook returns the book of one accepted booking.
func NewBook(order activities.BookingOrder) (*Book, error) {
	return newBook("booking", order.OrderRef, order.Total(), order.Currency, order)
}

// NewTransferBook returns the book of one accepted transfer, or return.
func NewTransferBook(kind string, order activities.TransferOrder, goods *Goods) (*Book, error) {
	b, err := newBook(kind, order.OrderRef, order.Price, order.Currency, order)
	if err == nil {
		b.Goods = goods
	}
	return b, err
}

func newBook(kind, ref string, amount int64, currency string, order any) (*Book, error) {
	request, err := json.Marshal(order)
	if err != nil {
		return nil, fmt.Errorf("encode the order: %w", err)
	}
	return &Book{
		Tenant: uuid.MustParse("00000000-0000-4000-8000-000000000001"), Saga: "sg_test", Ledger: ledgertest.NewModel(),
		Order: step.Order{Type: kind, OrderRef: ref, Amount: amount, Currency: currency, Request: request},
		rows:  map[string]*step.Record{}, never: map[string]bool{}, Status: "pending",
	}, nil
}

// Cancel is the client's request; it reports whether it came in time.
func (b *Book) Cancel() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pivot || b.Ends > 0 {
		return false
	}
	b.cancelled = true
	return true
}

// Kill makes every later call fail, as if the worker were gone. Revive ends it.
func (b *Book) Kill() { b.set(true) }

// Revive is the next worker.
func (b *Book) Revive() { b.set(false) }

func (b *Book) set(dead bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dead = dead
}

func (b *Book) enter() (func(), error) {
	b.mu.Lock()
	if b.dead {
		b.mu.Unlock()
		return nil, ErrDead
	}
	return b.mu.Unlock, nil
}

func key(name string, op step.Op) string { return name + " " + string(op) }

// Intend implements step.Book.
func (b *Book) Intend(_ context.Context, c step.Call, op step.Op) (step.Intent, error) {
	leave, err := b.enter()
	if err != nil {
		return step.Intent{}, err
	}
	defer leave()
	intent := step.Intent{Order: b.Order}
	if op == step.Do {
		intent.Verdict = b.intendDo(c)
	} else if intent.Verdict, err = b.intendUndo(c); err != nil {
		return intent, err
	}
	if row := b.rows[key(c.Step, op)]; row != nil {
		intent.Record = *row
	}
	intent.Done = map[string]step.Record{}
	for _, row := range b.rows {
		if row.Op == step.Do {
			intent.Done[row.Step] = *row
		}
	}
	return intent, nil
}

func (b *Book) intendDo(c step.Call) step.Verdict {
	row := b.rows[key(c.Step, step.Do)]
	stop := b.cancelled && !b.pivot
	switch {
	case row != nil && row.Status == step.Abandoned:
		return step.Dangling
	case row != nil && row.Status != step.Running:
		return step.Settled
	case b.Ends > 0:
		return step.Dangling
	case row != nil && stop && c.Class == step.Compensatable:
		return step.Cancelled
	case row != nil:
		row.Attempt++
		return step.Proceed
	case b.undoing:
		return step.Dangling
	case stop && c.Class != step.Retriable:
		return step.Cancelled
	}
	b.rows[key(c.Step, step.Do)] = &step.Record{Step: c.Step, Op: step.Do, Status: step.Running, Attempt: 1}
	if c.Class == step.Pivot {
		b.pivot = true
	}
	return step.Proceed
}

func (b *Book) intendUndo(c step.Call) (step.Verdict, error) {
	if b.Ends > 0 {
		return "", errors.New("an undo after the end")
	}
	b.undoing = true
	did := b.rows[key(c.Step, step.Do)]
	if did == nil {
		did = &step.Record{Step: c.Step, Op: step.Do, Status: step.Abandoned, Attempt: 1}
		b.rows[key(c.Step, step.Do)] = did
		b.never[c.Step] = true
	}
	if did.Status == step.Running {
		did.Status = step.Abandoned
	}
	row := b.rows[key(c.Step, step.Undo)]
	if row != nil && row.Status != step.Running && row.Status != step.Attention {
		return step.Settled, nil
	}
	if row == nil {
		row = &step.Record{Step: c.Step, Op: step.Undo, Status: step.Running}
		b.rows[key(c.Step, step.Undo)] = row
	}
	row.Attempt++
	row.Status = step.Running
	if did.Status == step.RefusedAs || b.never[c.Step] {
		row.Status = step.Skipped
		return step.NothingToUndo, nil
	}
	return step.Proceed, nil
}

func (b *Book) running(c step.Call, op step.Op) (*step.Record, error) {
	row := b.rows[key(c.Step, op)]
	switch {
	case row == nil:
		return nil, fmt.Errorf("%s of %s was never intended", op, c.Step)
	case row.Status == step.Abandoned:
		return nil, step.ErrAbandoned
	default:
		return row, nil
	}
}

// Note implements step.Book.
func (b *Book) Note(_ context.Context, c step.Call, op step.Op, result any) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	row, err := b.running(c, op)
	if err != nil {
		return err
	}
	return merge(row, result)
}

// NextEpoch implements step.Book.
func (b *Book) NextEpoch(_ context.Context, c step.Call, op step.Op) (int, error) {
	leave, err := b.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	row, err := b.running(c, op)
	if err != nil {
		return 0, err
	}
	row.Epoch++
	return row.Epoch, nil
}

// Settle implements step.Book. A change of custody is part of it, and so are
// the faults planted in that.
func (b *Book) Settle(ctx context.Context, c step.Call, op step.Op, s step.Settlement) error {
	if s.Custody == nil {
		return b.settle(ctx, c, op, s)
	}
	refuse := func() error {
		return &step.Refused{Code: "unit_quarantined", Message: "A unit was quarantined meanwhile."}
	}
	return b.Goods.world.call(change(*s.Custody), refuse, func() error { return b.settle(ctx, c, op, s) })
}

func (b *Book) settle(ctx context.Context, c step.Call, op step.Op, s step.Settlement) error {
	leave, err := b.enter()
	if err != nil {
		return err
	}
	defer leave()
	row, err := b.running(c, op)
	if err != nil {
		return err
	}
	if row.Status == s.Status {
		return nil
	}
	if row.Status != step.Running {
		return fmt.Errorf("%s of %s is %s, not to be %s", op, c.Step, row.Status, s.Status)
	}
	if s.Custody != nil {
		if err := b.Goods.apply(b.Saga, *s.Custody); err != nil {
			return err
		}
	}
	if err := b.post(ctx, s.Postings); err != nil {
		return err
	}
	row.Status, row.Failure = s.Status, s.Failure
	if op == step.Undo {
		b.Undone = append(b.Undone, c.Step)
	}
	return merge(row, s.Result)
}

func (b *Book) post(ctx context.Context, batch []ledger.Transaction) error {
	for _, t := range batch {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	results, err := b.Ledger.Post(ctx, ledger.Main(b.Tenant), batch)
	for _, r := range results {
		err = errors.Join(err, r.Err())
	}
	return err
}

func merge(row *step.Record, result any) error {
	if result == nil {
		return nil
	}
	have := map[string]any{}
	if err := row.Read(&have); err != nil {
		return err
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode result: %w", err)
	}
	more := map[string]any{}
	if err := json.Unmarshal(raw, &more); err != nil {
		return fmt.Errorf("a result is an object: %w", err)
	}
	maps.Copy(have, more)
	row.Result, err = json.Marshal(have)
	return err
}
