package dscsa

import "time"

// Change is what a step of a saga does to the custody of goods, in the
// transaction that settles the step. Exactly one field is set.
type Change struct {
	Reserve *Reserve
	Release bool // what the saga has reserved and not shipped
	Ship    *Shipment
	Receive *Receipt
}

// Reserve promises units to a saga. Units are canonical keys; a container
// stands for everything in it.
type Reserve struct {
	Units []string
	Owner string // GLN of who must own every unit
}

// Shipment changes the owner of what the saga has reserved. Facts are what the
// transaction's documents are made from; they are kept as they are. Document is
// the EPCIS 1.2 document made from them.
type Shipment struct {
	SellerID, BuyerID   string // partners
	SellerGLN, BuyerGLN string
	ShipFrom, ShipTo    string // GLNs
	At                  time.Time
	Units               []string // canonical keys, as reserved
	EventID             string   // of the event that changes the owner
	Facts               []byte
	Document            []byte
	Quantities          map[string]int // packages by GTIN
}

// Receipt is what the buyer says it received, as canonical keys.
type Receipt struct {
	Received   []string    `json:"received"`
	Exceptions []Exception `json:"exceptions"`
	At         time.Time   `json:"received_at"`
	By         string      `json:"-"` // API key id, or "partner" for what its endpoint said
}

// ExceptionKind is what is wrong with a unit at receipt. The words are those of
// the exceptions handling guideline of the Healthcare Distribution Alliance.
type ExceptionKind string

// The kinds of exception.
const (
	Shortage    ExceptionKind = "shortage"     // in the document, not in the box
	Overage     ExceptionKind = "overage"      // in the box, not in the document
	WrongSerial ExceptionKind = "wrong_serial" // another one of the same product
	Damaged     ExceptionKind = "damaged"
)

// Exception is one unit that is not as the document says. It is kept from sale
// until a person has cleared it, and undoes nothing.
type Exception struct {
	Unit string        `json:"unit"`
	Kind ExceptionKind `json:"kind"`
	Note string        `json:"note,omitempty"`
}
