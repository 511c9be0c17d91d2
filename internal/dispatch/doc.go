// Package dispatch hands accepted sagas to Temporal and sees to it that none is
// lost there. Postgres is the authority on what exists; Temporal on what runs.
//
//	accepted ──► Starter (API, right after the commit) ──► started
//	    └──────► Loop.start (one leader, what the Starter missed) ──► started
//	started  ──► Loop.sweep: still running ──► checked
//	                         not running and not ended ──► started again
//
// Invariants. A saga's workflow id is its id, so that it runs at most once at a
// time whoever starts it. Starting again is only for a saga that Postgres says
// is open and Temporal says is not running; the book then decides whether it
// goes forward or undoes. Every operation here is idempotent: two leaders for a
// moment do no harm.
//
// What happens on failure. Temporal away: sagas stay pending and are started
// when it is back. Postgres away: nothing is accepted and nothing is started.
// The leader dies: another takes the lease within ten seconds.
package dispatch
