// Package api is the HTTP face of the product: openapi.yaml is the contract,
// openapi.gen.go the server made from it, and the handlers here answer.
//
// A changing request goes through: credential, role, size, form, key, schema,
// meaning, and then one database transaction that holds the key with its answer
// and everything the answer tells of.
//
//	unused key ──► answer committed with its effect ──► replayed byte for byte
//
// Invariants. A 202 is sent after its commit and never otherwise. What is
// refused before execution (shape, credential, size) is not stored, so the same
// key serves the corrected request; a refusal by meaning is stored. The tenant
// is the credential's. Another tenant's object and no object are the same 404.
// What takes two people is proposed, decided and carried out in three steps of
// which the last two are one transaction; the database holds what is done
// against what was approved, and asks for the proof of the keys itself.
//
//	proposed ──► approved, used up and carried out     all at once
//	         ├─► rejected
//	         └─► expired after 24 hours
//
// What happens on failure. The database does not answer: 503 with Retry-After
// and nothing half-written. An answer that got lost: the retry replays it.
// Temporal is away: requests are accepted and wait. A stream that breaks goes
// on, on any process, from Last-Event-ID. Details of a 5xx stay in the log.
package api

//go:generate ../.bin/oapi-codegen -config oapi-codegen.yaml openapi.yaml
