// Package postgres reads, proves and verifies audit logs in Postgres. What
// appends to one is audit.append, a function of the database, called in the
// transaction of what it tells of (internal/apidb, internal/tenancy).
//
// Invariants. Only audit.append adds, and nothing changes or removes; a log is
// gap-free and its time never falls. What happens on failure: an append that
// fails takes what it tells of with it.
package postgres
