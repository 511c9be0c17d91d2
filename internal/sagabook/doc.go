// Package sagabook keeps the book of sagas in Postgres: it is step.Book and
// activities.SagaBook over the tables app.saga, app.saga_step and
// app.saga_event.
//
// Operations of a step move as package step draws them:
//
//	do:    (none) ──► running ──► succeeded | refused
//	          │          └──────► abandoned            (undo came while the outcome was unknown)
//	          └─────────────────► abandoned            (undo came first; failure never_started)
//	undo:  (none) ──► running ──► succeeded | skipped
//	          │       ▲     └───► attention ──► succeeded  (done by hand)
//	          │       └───────────────┘                    (tried again)
//	          └─────────────────► skipped              (nothing to undo)
//
// and the saga so:
//
//	pending ──► running ──► completed | rejected
//	               └──────► compensating ──► compensated | rejected
//	running, compensating ──► attention ──► running, compensating or an end
//
// Invariants. Every method is one transaction that first locks the saga's row,
// so the changes of one saga form a line, and a cancel request and the pivot's
// intent exclude each other. A transaction that changes what a client can see
// raises saga.version by one for each change, writes the event of that version
// and wakes listeners when it commits. A step is settled together with its
// ledger postings and its change of custody: money and goods agree, or neither
// has moved. A settled operation and an ended saga never change again;
// triggers in the schema hold that too.
//
// What happens on failure. Nothing is half-written: any error rolls the whole
// transaction back. When the connection is lost during commit nobody knows,
// and the caller asks again: a repeated Settle, Finish or ResolveByHand finds
// its own work and changes nothing; a repeated Intend counts one attempt more,
// which says exactly what is true, that an earlier one may have acted. A
// posting that the ledger answers with anything but created or exists is a
// PostingError, and the step stays unsettled for people to look at.
package sagabook
