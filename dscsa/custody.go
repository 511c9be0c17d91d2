package dscsa

import (
	"fmt"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// State is where an item stands.
type State string

// The states. Returned and Quarantined are how what is kept from sale is told,
// see [Unit.Shown]; they are not stored.
const (
	Unknown        State = "unknown" // named, but no event says more
	InStock        State = "in_stock"
	InTransit      State = "in_transit"
	Returned       State = "returned" // back from a customer, not yet cleared
	Dispensed      State = "dispensed"
	Destroyed      State = "destroyed"
	Decommissioned State = "decommissioned"
	Quarantined    State = "quarantined"
)

// Ended reports whether nothing more can happen to what is in the state.
func (s State) Ended() bool { return s == Dispensed || s == Destroyed || s == Decommissioned }

// Unit is one thing with a serial number, a package or a container, as it
// stands.
type Unit struct {
	ID     int64  // in its tenant's custody
	Key    string // gs1.ID.Key
	GTIN   string // 14 digits; "" of a container that is no trade item
	Serial string // of a container without a GTIN its SSCC, 18 digits
	Lot    string
	Expiry time.Time // UTC midnight of the last day; zero: unknown

	State       State
	Blocked     string // the disposition that keeps it from sale ("recalled"); "" none
	ConflictWhy string // the rule by which an event contradicts what is known; "" none
	Conflict    int64  // that event
	Owner       string // GLN of the party that owns it; "" unknown
	OwnerSure   bool   // a party was named; false: told from the place it was at
	Holder      string // GLN of the party that has it: the owner, unless another was named
	Location    string // GLN of the place it was seen at last, or is on its way to
	ParentID    int64  // what it is in; 0 none
	Parent      string // its key

	Commissioned int64 // the event that made it; 0 unknown

	LastTime  time.Time // of the last event that concerns it or took something out of it; zero: none
	LastEvent int64
	Hops      int32  // how often the owner has changed
	Version   int32  // rises with every change
	Holds     []Hold // in force over it
}

// Shown is the state as it is told: a unit that is kept from sale is
// quarantined until it has ended, or returned when that is all that keeps it.
// What is on its way is told to be.
func (u *Unit) Shown() State {
	if u.State == InStock && u.Blocked == dispReturned && u.ConflictWhy == "" && len(u.Holds) == 0 {
		return Returned
	}
	if !u.State.Ended() && u.State != InTransit && (u.Blocked != "" || u.ConflictWhy != "" || len(u.Holds) > 0) {
		return Quarantined
	}
	return u.State
}

// Hop is one change of owner.
type Hop struct {
	Number   int32 // from 1
	From, To string
	At       time.Time
	Event    int64 // sequence in the tenant's chain
}

// HoldClass says why things are kept from sale.
type HoldClass string

// The classes: FD&C 581(21) and (8), 21 CFR part 7, and what a document's
// findings or a contradiction call for.
const (
	Suspect      HoldClass = "suspect"
	Illegitimate HoldClass = "illegitimate"
	Recall       HoldClass = "recall"
	Flagged      HoldClass = "flagged"
)

// Hold keeps things from being reserved and shipped, also what comes later and
// matches (FD&C 582(c)(4)(B)(iii)), until a named person releases it.
type Hold struct {
	ID         int64 // the sequence of the decision
	Class      HoldClass
	GTIN, Lot  string // of a hold on a lot
	Document   int64  // of a hold on what a document concerns
	PlacedAt   time.Time
	PlacedBy   string
	Reason     string
	ReleasedBy string // "": in force
}

// HoldOrder asks for a hold: on things, or on a lot.
type HoldOrder struct {
	Class     HoldClass
	Things    []string // serials and containers in any spelling, also unknown ones
	GTIN, Lot string
	Document  int64
	Actor     string // who decides: a named person, or the rule that does
	Reason    string
}

// Code says why a unit cannot be reserved or shipped.
type Code string

// The codes, as the API gives them.
const (
	UnitUnknown        Code = "unit_unknown"
	UnitQuarantined    Code = "unit_quarantined"
	ProductRecalled    Code = "product_recalled"
	UnitExpired        Code = "unit_expired"
	NotHolder          Code = "not_holder"
	UnitReserved       Code = "unit_reserved"
	UnitDecommissioned Code = "unit_decommissioned"
	UnitDispensed      Code = "unit_dispensed"
	UnitInTransit      Code = "unit_in_transit"
	ProductUnknown     Code = "product_unknown" // its master data are not on record
)

// Refused names the first unit that cannot be sold, and why. Nothing has been
// done.
type Refused struct {
	Code    Code
	Unit    string // key, or what was asked for when it is unknown
	Message string
	Others  int // further units that are refused
}

func (r *Refused) Error() string {
	if r.Others > 0 {
		return fmt.Sprintf("%s: %s; %d more units are refused", r.Unit, r.Message, r.Others)
	}
	return r.Unit + ": " + r.Message
}

// Reservation is what a saga has reserved: Named as it was asked for, Units
// the packages that are meant, containers resolved to what is in them.
type Reservation struct {
	Saga   string
	Seller string
	Named  []Unit
	Units  []Unit
}

// Direction of a document.
type Direction string

// Received from a partner or sent to one.
const (
	Received Direction = "received"
	Sent     Direction = "sent"
)

// Verdict of the checks. A rejected document is not stored.
type Verdict string

// The verdicts.
const (
	Accept Verdict = "accept"
	Flag   Verdict = "flag"
	Reject Verdict = "reject"
)

// Document is a document as it is kept.
type Document struct {
	Seq        int64 // in the tenant's chain; 0: not stored
	SHA256     [32]byte
	Size       int64
	Direction  Direction
	Format     epcis.Format
	Sender     string // GLN, or the URI it named itself by
	Receiver   string
	Credential string // whose credential brought it
	Saga       string // the transfer it belongs to; "" none
	Verdict    Verdict
	Findings   string // JSON
	RecordedAt time.Time
}

// Recorded is an event as it is kept.
type Recorded struct {
	epcis.Event

	Seq        int64    // in the tenant's chain
	Hash       [32]byte // CBV event hash
	Document   int64    // it first came in; 0: recorded without one
	Ordinal    int32    // its place there, from 1
	RecordedAt time.Time
}
