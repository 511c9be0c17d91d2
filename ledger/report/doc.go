// Package report is finance's reports: what each of them shows, in which
// columns, and how it is written as JSON, CSV and XLSX. It knows no database
// and no HTTP: rows come from an iterator and go to an io.Writer.
//
// Invariants: rows are written as they come and none is kept, so that memory
// does not grow with their number; every report carries its cover (of what it
// is, as of which place in the chain, control totals, and a SHA-256 over its
// rows); the three forms of one report have the same rows, totals and SHA-256;
// a report whose figures can no longer change has the same bytes each time it
// is asked for, because nothing of who asks or when goes into it.
//
// What happens on failure: an error of the rows or of the writer ends Write,
// and what was written until then lacks the cover at its end. Whoever serves
// it must break the transfer off, so that a part is never taken for the whole.
package report
