// Package check says what is wrong with an EPCIS document and how bad that is.
// The official schemas let most real faults pass: a serial commissioned twice,
// a case inside two pallets, a shipment without its transaction statement are
// all well-formed. Every rule stands in the catalogue, [Rules], with a stable
// name, a severity, what it does to the verdict and where it comes from.
//
// # Verdicts
//
//	accept   nothing, or only findings that change nothing (info)
//	flag     well-formed and storable, but the product behind it must not be
//	         treated as clean: it is kept with its findings and its units are
//	         held until a person releases them
//	reject   it cannot be stored as what it claims to be: malformed, without
//	         what the standard requires, or about identifiers nobody can read
//
// A verdict only ever gets worse: accept → flag → reject.
//
// # How a document goes through
//
//	c := check.New(check.Options{Now: now})
//	c.Document(doc)            // as soon as the header is read
//	c.Event(event)             // each; c.Refused(err) for what the reader refuses
//	c.Against(ctx, known, …)   // batches of them, when there is a store
//	c.Document(doc)            // again at the end: JSON may bring the header last
//	report := c.Report()
//
// [Whole] does that for a document and no store.
//
// A Checker holds about 50 bytes for each distinct serial, as much for an event
// with an ID and nothing for one without,
// so a document of any size goes through; it is used by one goroutine
// and for one document. Nothing here does I/O but Against, whose error is the
// store's and leaves the Checker usable.
//
// # What is decided when
//
// Whether the rules of the Drug Supply Chain Security Act apply is known only
// at the end (see dscsa.go), so their findings are kept apart and dropped by
// Report when nothing shows that the document is about US prescription drugs.
// Documents may list events in any order; what happened first is decided by
// event time. Events with an error declaration did not happen (EPCIS 1.2
// section 7.4.1.2): they are checked for form and undo what the event they
// repeat did here.
package check
