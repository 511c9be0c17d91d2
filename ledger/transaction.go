package ledger

import (
	"slices"
	"time"

	"github.com/google/uuid"
)

// Book names one set of books: a legal entity of a tenant. Each has its own
// sequence, chain of hashes, accounts and periods.
type Book struct {
	Tenant uuid.UUID
	Entity string
}

// MainEntity is the legal entity a tenant starts with.
const MainEntity = "main"

// Main is the tenant's first book.
func Main(tenant uuid.UUID) Book { return Book{Tenant: tenant, Entity: MainEntity} }

// Origin names the book in checkpoints: the name of the sealer's key, the
// tenant and the legal entity. The key's name is chosen once for a deployment,
// such as books.example.com/ledger.
func (b Book) Origin(name string) string { return name + "/" + b.Tenant.String() + "/" + b.Entity }

// Side of an entry.
type Side string

// The two sides.
const (
	Debit  Side = "D"
	Credit Side = "C"
)

// Kind says what a transaction does to the balances of its accounts.
type Kind string

// The kinds. A pending transaction reserves and is resolved exactly once, by
// posting, voiding or, after its time, expiring it; TigerBeetle's two-phase
// transfers are the model.
const (
	Posted        Kind = "posted"         // final at once
	Pending       Kind = "pending"        // reserves until resolved
	PostPending   Kind = "post_pending"   // Resolves: turns a pending one final, fully or in part
	VoidPending   Kind = "void_pending"   // Resolves: releases a pending one; has no entries
	ExpirePending Kind = "expire_pending" // Resolves: releases a pending one whose time is over; has no entries
)

// Entry is one line of a transaction. Amount is in minor units of Currency and
// always positive; Side gives the direction.
type Entry struct {
	Account  string // code in the chart of accounts, such as "1020"
	Side     Side
	Amount   int64
	Currency string // ISO 4217, lower case
}

// Transaction is 2..1000 entries that balance in each currency. ID is made by
// the caller and names the transaction for ever: posting the same ID again
// returns the first result, posting other content under it is an error. Ids
// that grow with time (UUIDv7) keep the index of ids small in memory.
type Transaction struct {
	ID       uuid.UUID
	Kind     Kind
	Resolves uuid.UUID // the pending transaction, for the kinds that end one
	Reverses uuid.UUID // the posted transaction this one takes back; once each, and its exact mirror
	Purpose  string    // what for, such as "booking.capture"
	Entries  []Entry
	// EffectiveOn is when it happened (UTC date); zero means the day it is
	// recorded. It decides the accounting period; when that is closed, the
	// transaction counts in the next open one and keeps its date.
	EffectiveOn time.Time
	ExpiresAt   time.Time // of a pending one; zero means never
	Actor       string    // who: "saga", or the api key of a person
	Reason      string
	SagaID      string
	OrderRef    string
	Document    string // supporting document, such as the processor's id
	Approval    string // the approval that allowed it; purposes that begin with "manual." need one
}

// Asks reports whether t, as recorded, is what asked asks for: whether a
// repeat under the same ID is the same request. What asked left to the ledger
// is not compared, nor who asks: a program may have another key by then, and
// the first one stays on record.
func (t Transaction) Asks(asked Transaction) bool {
	return t.ID == asked.ID && t.Kind == asked.Kind && t.Resolves == asked.Resolves && t.Reverses == asked.Reverses &&
		t.Purpose == asked.Purpose && t.Reason == asked.Reason && t.SagaID == asked.SagaID &&
		t.OrderRef == asked.OrderRef && t.Document == asked.Document && t.Approval == asked.Approval &&
		(asked.EffectiveOn.IsZero() || Date(asked.EffectiveOn).Equal(Date(t.EffectiveOn))) &&
		t.ExpiresAt.Truncate(time.Microsecond).Equal(asked.ExpiresAt.Truncate(time.Microsecond)) &&
		slices.Equal(t.Entries, asked.Entries)
}

// Layer says which of an account's sums a line moves.
type Layer string

// The layers. A pending transaction holds; whatever resolves it releases what
// it held, and posts what becomes final.
const (
	LayerPosted   Layer = "P"
	LayerHeld     Layer = "H"
	LayerReleased Layer = "R"
)

// Sums are an account's running sums, minor units.
type Sums struct {
	DebitsPosted, CreditsPosted, DebitsPending, CreditsPending int64
}

// A Line is an entry as recorded, with the account's balances after it.
type Line struct {
	Entry

	Number           int16
	Layer            Layer
	AccountID        int64
	PostedAfter      int64 // debits less credits
	HeldDebitsAfter  int64
	HeldCreditsAfter int64
}

// Recorded is a transaction as the books have it. Its Entries are what the
// caller asked for; Lines are what that did, releases included.
type Recorded struct {
	Transaction

	Seq        int64
	RecordedAt time.Time
	Period     time.Time // first day of the month it counts in
	Lines      []Line
	Hash       [32]byte
}

// entriesOf are the lines a caller asked for.
func entriesOf(kind Kind, lines []Line) []Entry {
	var out []Entry
	for _, l := range lines {
		if kind == Pending && l.Layer == LayerHeld || kind != Pending && l.Layer == LayerPosted {
			out = append(out, l.Entry)
		}
	}
	return out
}

// WithLines gives a transaction that was read back its lines and the entries
// that follow from them.
func (r *Recorded) WithLines(lines []Line) {
	r.Lines, r.Entries = lines, entriesOf(r.Kind, lines)
}

// Date is the UTC day of a moment.
func Date(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// PeriodOf is the first day of the month of a moment, UTC: the accounting
// period.
func PeriodOf(t time.Time) time.Time {
	y, m, _ := t.UTC().Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}
