// Package dscsa is the rules of custody, in plain Go: who holds which serial
// number and how that follows from the events that partners send. It knows no
// database, no HTTP and no workflow.
//
// An item, a package or a container, moves through
//
//	unknown ─► in_stock ─► in_transit ─► in_stock | returned
//	               │  ▲         │ (void_shipping)
//	               │  └─────────┘
//	               ├─► dispensed
//	               └─► destroyed | decommissioned
//
// What happens to a container happens to what is in it at that moment: that is
// how receiving a pallet's SSCC receives its packages.
//
// Invariants: where an item stands is a function of the set of events alone,
// so documents that come late, twice or in any order lead to the same place
// ([Fold]); each change of owner goes from the owner to another, so that an
// item has one owner and its history never forks; an event that says otherwise
// moves nothing and is named as a conflict, which keeps the item from sale
// until the missing document comes or the event is declared an error. The
// store holds them again in the database.
//
// What happens on failure: a batch of events is recorded as a whole or not at
// all; recorded again, it changes nothing.
package dscsa
