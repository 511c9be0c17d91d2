// Package dscsabench measures EPCIS documents and custody: reading and checking
// on one core, capture and transfer on a Postgres of its own, memory with a
// long document; each with its baseline in the same run.
//
// What one core does is measured in processes of their own with GOMAXPROCS=1,
// by the processor time they use (user and system, the garbage collector's
// included), not by the clock: a busy machine gives the same figures as an idle
// one, within what its caches and its clock rate allow.
package dscsabench
