// Package epcisapi speaks the dialect of EPCIS 2.0 (section 12, REST
// bindings): capture and query under /epcis, with the headers, parameters,
// paging and exceptions that the standard names, so that a partner's client
// works unchanged.
//
//	POST /epcis/capture ──► refused as it stands: 4xx, nothing kept
//	                    └─► 202 + capture job: taken, flagged or rejected,
//	                        all or nothing unless the client says proceed
//
// Invariants. A document is kept as it was received, or not at all; the same
// bytes again change nothing and answer with the job of the first time. The
// job is done when the 202 is sent, so whoever got one knows all there is to
// know. Another tenant's job and no job are the same 404.
//
// What happens on failure. The answer is lost: the client sends the same
// bytes again. The database does not answer: 503 and nothing was kept. Too
// many documents at once: 503 with Retry-After.
package epcisapi
