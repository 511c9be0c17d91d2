// Package capture takes EPCIS documents: it reads them, checks them against
// the standard, the law and what is known, and keeps what can be taken, all in
// one transaction.
//
//	received ──► same bytes taken before ──► the job of then
//	         ├─► cannot be taken ──► job without success; nothing else is kept
//	         ├─► flagged ──► kept with its findings; its units are held until a
//	         │               person releases them
//	         └─► accepted ──► kept
//
// Invariants. The job and what it tells of commit together. Who sends is who
// the document says sends: a partner's credential for the partner's own GLNs,
// an operator for anybody. A sender nobody knows becomes a partner that is not
// verified, with which nothing can be traded.
//
// What happens on failure. Nothing is kept unless all is; the same bytes sent
// again are taken or answered from the job that took them. Two senders of the
// same bytes at once: one takes them, the other gets its job.
package capture
