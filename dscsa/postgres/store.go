// Package postgres keeps custody in Postgres: documents, events and decisions
// as one append-only chain a tenant, and what follows from them for each item.
//
// Writers of one tenant follow one another: each locks the head of the chain,
// computes what its events change, and passes the doors of schema custody,
// which check it again. Reservations do not take that lock; what they rest on
// is checked again when the goods are shipped. The doors are called without
// waiting for each: the server writes some facts while the program makes the
// next ready, and asks in front of them what is known of those.
//
// What happens on failure: everything a method writes is in one transaction.
// When the outcome of a commit is unknown, call it again with the same bytes:
// what is there is found by its hash and nothing changes.
package postgres

import (
	"errors"
	"io"

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
	Document  int64        // sequence; 0: none
	Known     bool         // the same bytes were there: nothing changed
	First     string       // id of the first event that is recorded or was there; "" none
	Stored    int          // events new in the chain
	Resent    int          // events that were there
	Reused    []Reuse      // event ids that stand for something else already: not recorded
	Affected  int          // items that something changed for
	Conflicts []dscsa.Unit // items whose standing a new event contradicts
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

// ErrNoSuchHold means that there is no such hold in force.
var ErrNoSuchHold = errors.New("there is no such hold in force")
