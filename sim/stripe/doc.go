// Package stripe is a stand-in for the Stripe API (version 2023-10-16) as far
// as payments by card go: payment intents, charges, refunds, balance
// transactions, customers, payment methods by test token, events and signed
// webhooks. stripe-go talks to it unchanged.
//
// An intent's states are Stripe's:
//
//	requires_payment_method ─► requires_confirmation ─► requires_capture ─► succeeded
//	         ▲                        │        └─► requires_action
//	         └──────── declined ◄─────┘                 any but succeeded ─► canceled
//
// Invariants. Captured is at most authorised and refunded at most captured; one
// intent is captured at most once. A request and its idempotency key change
// together or not at all. The book is only appended to.
//
// The idempotency layer is Stripe's: what began to execute is stored and
// replayed for 24 hours, a 500 included; what was refused before (401, 429,
// wrong parameters, a key in use) is not. Every change is in the journal before
// it is answered, so a killed simulator comes back as it was.
package stripe
