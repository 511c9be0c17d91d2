package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

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
	PendingNotFound        Outcome = "pending_not_found"
	PendingAlreadyResolved Outcome = "pending_already_resolved"
	ExceedsPending         Outcome = "exceeds_pending"
	NotReversible          Outcome = "not_reversible"
	AlreadyReversed        Outcome = "already_reversed"
	Malformed              Outcome = "malformed"
)

// Result is the outcome of one transaction. Seq is its place in the tenant's
// ledger, gap-free from 1, when it is in the books. Detail names what the
// outcome is about.
type Result struct {
	ID      uuid.UUID
	Seq     int64
	Outcome Outcome
	Detail  string
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
// order. An error means that nothing is known of the whole batch.
type Poster interface {
	Post(ctx context.Context, tenant uuid.UUID, batch []Transaction) ([]Result, error)
}

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
			bad("resolves", "is for post_pending and void_pending only")
		}
	case PostPending, VoidPending:
		if t.Resolves == uuid.Nil {
			bad("resolves", "is missing: name the pending transaction")
		}
	default:
		bad("kind", "is %q: use posted, pending, post_pending or void_pending", string(t.Kind))
	}
	if t.Reverses != uuid.Nil && t.Kind != Posted {
		bad("reverses", "is for posted transactions only")
	}
	if t.Kind == VoidPending {
		if len(t.Entries) != 0 {
			bad("entries", "a void has none")
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

// Digest is the SHA-256 of what the caller asked for, by which a repeat is
// told from another request under the same id. Fields are length-prefixed, so
// that no two transactions share their bytes.
func (t Transaction) Digest() [32]byte {
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	text := func(s string) { put([]byte(s)) }
	text("recourse ledger transaction v1")
	put(t.ID[:])
	text(string(t.Kind))
	put(t.Resolves[:])
	put(t.Reverses[:])
	for _, s := range []string{t.Purpose, t.Actor, t.Reason, t.SagaID, t.OrderRef, t.Document} {
		text(s)
	}
	if !t.EffectiveOn.IsZero() {
		text(t.EffectiveOn.UTC().Format("2006-01-02"))
	} else {
		text("")
	}
	for _, e := range t.Entries {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(e.Amount))
		text(e.Account)
		text(string(e.Side))
		put(n[:])
		text(e.Currency)
	}
	return [32]byte(h.Sum(nil))
}

// namespace of the derived transaction ids (RFC 9562, version 5).
var namespace = uuid.MustParse("6f2c1d0e-7a53-4b8a-9f0e-3d8c5b1a2e47")

// TransactionID derives the id of the transaction that a saga's step posts for
// one purpose. The same step posting again names the same transaction.
func TransactionID(saga, step, purpose string) uuid.UUID {
	return uuid.NewSHA1(namespace, []byte(saga+"\x00"+step+"\x00"+purpose))
}
