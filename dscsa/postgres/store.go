// Package postgres keeps custody in Postgres: documents, events and decisions
// as one append-only chain a tenant, and what follows from them for each item.
//
// Writers of one tenant follow one another: each locks the head of the chain,
// computes what its events change, and passes the doors of schema custody,
// which check it again. Reservations do not take that lock; what they rest on
// is checked again when the goods are shipped.
//
// What happens on failure: everything a method writes is in one transaction.
// When the outcome of a commit is unknown, call it again with the same bytes:
// what is there is found by its hash and nothing changes.
package postgres

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
)

// Store is custody of all tenants, as the role its pool connects with.
type Store struct{ pool *pgxpool.Pool }

// New returns a store on a pool of role app_api or app_worker; a pool of
// auditor_ro only reads.
func New(pool *pgxpool.Pool) *Store { return &Store{pool: pool} }

// Batch is what is recorded together: a document with the events in it, in
// order, or events alone (Document nil).
type Batch struct {
	Document *dscsa.Document
	Body     io.ReadSeeker // the document's bytes, read twice; nil without a document
	Events   []epcis.Event
}

// Appended says what a batch came to.
type Appended struct {
	Document int64        // sequence; 0: none
	Known    bool         // the same bytes were there: nothing changed
	Stored   int          // events new in the chain
	Resent   int          // events that were there
	Reused   []Reuse      // event ids that stand for something else already: not recorded
	Affected int          // items that something changed for
	Conflict []dscsa.Unit // items that a new event contradicts
}

// Reuse is an event whose id is already that of another.
type Reuse struct {
	Ordinal int
	EventID string
}

// Shipment is the ownership event of a transfer with the T3 document that
// carries it.
type Shipment struct {
	Saga     string
	Seller   string // GLN
	Buyer    string // GLN
	Document dscsa.Document
	Body     io.ReadSeeker
	Events   []epcis.Event // of the document, in order; what is known already is recorded as sent again
}

// Receipt is what a buyer found on arrival.
type Receipt struct {
	Saga    string
	Event   epcis.Event // receiving, naming what arrived
	Damaged []string    // of what arrived, in any spelling
}

// ErrNoSuchHold means that there is no such hold in force.
var ErrNoSuchHold = errors.New("there is no such hold in force")

var errTodo = errors.New("not built yet")

// AppendTx records a batch in the caller's transaction, which has the tenant
// set.
func (s *Store) AppendTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, b Batch) (Appended, error) {
	return Appended{}, errTodo
}

// ReserveTx promises things to a saga, in the caller's transaction: serials or
// containers in any spelling. The seller must own every unit, and none may be
// kept from sale, expired or promised elsewhere; else *dscsa.Refused. Again
// with the same things changes nothing.
func (s *Store) ReserveTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga, seller string, things []string, today time.Time) (dscsa.Reservation, error) {
	return dscsa.Reservation{}, errTodo
}

// ReservedTx is what a saga has reserved, as it stands now.
func (s *Store) ReservedTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string) (dscsa.Reservation, error) {
	return dscsa.Reservation{}, errTodo
}

// ReleaseTx gives up what a saga has reserved, also when that is nothing.
func (s *Store) ReleaseTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string) error {
	return errTodo
}

// ShipTx is the pivot of a transfer: in the caller's transaction it locks
// custody, checks everything ReserveTx checked again, records the T3 document
// with its events, which moves the units from the seller to the buyer, and
// consumes the reservation. *dscsa.Refused when a unit can no longer go.
func (s *Store) ShipTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, sh Shipment, today time.Time) (Appended, error) {
	return Appended{}, errTodo
}

// HoldTx keeps things from sale, at once and until a person releases them.
func (s *Store) HoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, o dscsa.HoldOrder) (dscsa.Hold, error) {
	return dscsa.Hold{}, errTodo
}

// ReleaseHoldTx ends a hold. actor is the person, with the right to do so,
// which the caller has checked.
func (s *Store) ReleaseHoldTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, hold int64, actor, reason string) error {
	return errTodo
}

// Units are things as they stand, in the order asked for; Key is "" of one
// that is unknown.
func (s *Store) Units(ctx context.Context, tenant uuid.UUID, things []string) ([]dscsa.Unit, error) {
	return nil, errTodo
}

// LotAt is every unit of a lot as it stood at a moment; the zero time is now.
func (s *Store) LotAt(ctx context.Context, tenant uuid.UUID, gtin, lot string, at time.Time) ([]dscsa.Unit, error) {
	return nil, errTodo
}

// History is every event that concerns a thing, also by what it was in, and
// its changes of owner.
func (s *Store) History(ctx context.Context, tenant uuid.UUID, thing string) (dscsa.Unit, []dscsa.Recorded, []dscsa.Hop, error) {
	return dscsa.Unit{}, nil, nil, errTodo
}
