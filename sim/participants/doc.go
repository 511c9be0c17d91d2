// Package participants is a stand-in for those who reserve seats, rooms and
// cars, over the contract in openapi.yaml. Our key names a reservation:
//
//	(none) ──reserve──► ongoing ──► reserved ──confirm──► confirmed
//	   │          └───► refused         └──cancel──► cancelled ◄──cancel── confirmed
//	   └──cancel──► cancelled  (a later reserve is refused: the barrier is on this side too)
//
// Invariants. At most one reservation a key; never confirmed after cancelled;
// the book is only appended to. Every call is idempotent in its key.
//
// It is also the inbox of trading partners (inbox.go): a document is taken once
// under its key, and its goods are received at once unless the reference of the
// order says otherwise.
//
// SKU suffixes (-REFUSE, -HANG, …) make it behave as docs/test-values.md says.
// Every change is in the journal before it is answered, so a killed simulator
// comes back as it was.
package participants
