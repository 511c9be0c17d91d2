package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Outcome is what became of one transaction of a batch.
type Outcome string

// The outcomes. Only Created and Exists mean that the transaction is in the
// books; every other one says why it is not and left no trace.
const (
	Created                Outcome = "created"
	Exists                 Outcome = "exists"
	IDReused               Outcome = "id_reused"
	AccountUnknown         Outcome = "account_unknown"
	AccountClosed          Outcome = "account_closed"
	TooFewEntries          Outcome = "too_few_entries"
	TooManyEntries         Outcome = "too_many_entries"
	Unbalanced             Outcome = "unbalanced"
	AmountOutOfRange       Outcome = "amount_out_of_range"
	FloorBreached          Outcome = "floor_breached"
	CeilingBreached        Outcome = "ceiling_breached"
	PendingNotFound        Outcome = "pending_not_found"
	PendingAlreadyResolved Outcome = "pending_already_resolved"
	PendingExpired         Outcome = "pending_expired"
	PendingNotExpired      Outcome = "pending_not_expired"
	ExceedsPending         Outcome = "exceeds_pending"
	NotReversible          Outcome = "not_reversible"
	AlreadyReversed        Outcome = "already_reversed"
	NotTheMirror           Outcome = "not_the_mirror"
	Malformed              Outcome = "malformed"
)

// Result is the outcome of one transaction. Seq is its place in the book,
// gap-free from 1, when it is in there. Detail names what the outcome is about.
type Result struct {
	ID      uuid.UUID
	Seq     int64
	Outcome Outcome
	Detail  string
	// Recorded is the transaction as the books have it, when it is in there. A
	// store that does not keep it leaves it nil.
	Recorded *Recorded
}

// Posted reports whether the transaction is in the books.
func (r Result) Posted() bool { return r.Outcome == Created || r.Outcome == Exists }

// Err is nil when the transaction is in the books.
func (r Result) Err() error {
	if r.Posted() {
		return nil
	}
	return &RefusedError{Result: r}
}

// RefusedError is a transaction the ledger did not take.
type RefusedError struct{ Result }

func (e *RefusedError) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("ledger refused transaction %s: %s", e.ID, e.Outcome)
	}
	return fmt.Sprintf("ledger refused transaction %s: %s (%s)", e.ID, e.Outcome, e.Detail)
}

// Poster is the one door to the ledger: a batch in, one result for each, in
// order. An error concerns the whole batch: ErrBusy and ErrNoBook mean that
// nothing was posted; any other that nothing is known, and posting the same
// batch again is safe.
type Poster interface {
	Post(ctx context.Context, book Book, batch []Transaction) ([]Result, error)
}

// ErrBusy means that more is waiting to be posted to the book than it takes in
// good time. Nothing was posted; try again a little later.
var ErrBusy = errors.New("the ledger is busy: nothing was posted, try again a little later")

// ErrNoBook means that the legal entity has no books: they are opened by
// whoever looks after the deployment, not by posting to them. Nothing was
// posted.
var ErrNoBook = errors.New("this legal entity has no books: open them with recourse ledger open-book, or correct its name")

// ErrOutcomeUnknown means that it was not learned in time whether the batch
// was posted. Post it again: what is there answers Exists.
var ErrOutcomeUnknown = errors.New("it is not known whether this was posted: post the same again")

// ManualPrefix begins the purposes of what people post. The database refuses
// it without an approval.
const ManualPrefix = "manual."

// The bounds of a transaction. MaxAmount is 2^53-1, the largest integer that
// every JSON reader keeps exactly (RFC 8259, section 6).
const (
	MinEntries = 2
	MaxEntries = 1000
	MaxAmount  = 1<<53 - 1
)

// Validate checks what can be checked without the books. It returns every
// mistake at once, each naming its field.
func (t Transaction) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if t.ID == uuid.Nil {
		bad("id", "is missing: the caller names the transaction")
	}
	if t.Purpose == "" || len(t.Purpose) > 100 {
		bad("purpose", "must have 1 to 100 characters")
	}
	if t.Actor == "" {
		bad("actor", "is missing: say who posts")
	}
	switch t.Kind {
	case Posted, Pending:
		if t.Resolves != uuid.Nil {
			bad("resolves", "is for post_pending, void_pending and expire_pending only")
		}
	case PostPending, VoidPending, ExpirePending:
		if t.Resolves == uuid.Nil {
			bad("resolves", "is missing: name the pending transaction")
		}
	default:
		bad("kind", "is %q: use posted, pending, post_pending, void_pending or expire_pending", string(t.Kind))
	}
	if t.Reverses != uuid.Nil && t.Kind != Posted {
		bad("reverses", "is for posted transactions only")
	}
	if !t.ExpiresAt.IsZero() && t.Kind != Pending {
		bad("expires_at", "is for pending transactions only")
	}
	if strings.HasPrefix(t.Purpose, ManualPrefix) && t.Approval == "" {
		bad("approval", "is missing: what a person posts needs one")
	}
	if t.Kind == VoidPending || t.Kind == ExpirePending {
		if len(t.Entries) != 0 {
			bad("entries", "there are none when a pending transaction is released")
		}
	} else if len(t.Entries) < MinEntries || len(t.Entries) > MaxEntries {
		bad("entries", "must be %d to %d", MinEntries, MaxEntries)
	}
	net := map[string]int64{}
	for i, e := range t.Entries {
		if e.Amount <= 0 || e.Amount > MaxAmount {
			bad(fmt.Sprintf("entries/%d/amount", i), "must be 1 to %d minor units", int64(MaxAmount))
			continue
		}
		if !KnownCurrency(e.Currency) {
			bad(fmt.Sprintf("entries/%d/currency", i), "is not an ISO 4217 code in lower case")
		}
		switch e.Side {
		case Debit:
			net[e.Currency] += e.Amount // at most 1000 * 2^53: no overflow
		case Credit:
			net[e.Currency] -= e.Amount
		default:
			bad(fmt.Sprintf("entries/%d/side", i), "is %q: use D or C", string(e.Side))
		}
	}
	if len(errs) == 0 {
		for currency, n := range net {
			if n != 0 {
				bad("entries", "debits and credits differ by %d in %s", n, currency)
			}
		}
	}
	return errors.Join(errs...)
}

// namespace of the derived transaction ids (RFC 9562, version 5).
var namespace = uuid.MustParse("6f2c1d0e-7a53-4b8a-9f0e-3d8c5b1a2e47")

// TransactionID derives the id of the transaction that a saga's step posts for
// one purpose. The same step posting again names the same transaction.
func TransactionID(saga, step, purpose string) uuid.UUID {
	return uuid.NewSHA1(namespace, []byte(saga+"\x00"+step+"\x00"+purpose))
}

// ExpiryID derives the id of the transaction that expires a hold, so that all
// who expire it name the same one.
func ExpiryID(hold uuid.UUID) uuid.UUID {
	return uuid.NewSHA1(namespace, append([]byte("expiry\x00"), hold[:]...))
}
