// Package tradebook keeps what a transfer of goods rests on, in Postgres: the
// register of trading partners and products, what people and buyers said, and
// what a transaction's documents are made from. Of the goods themselves it asks
// the store of custody, and hands it what a step of a saga changes.
//
// A change of custody is applied in the transaction that settles the step:
//
//	reserve   the units are promised to the saga
//	release   the promise is taken back
//	ship      the owner changes; the document and its facts are kept
//	receive   the buyer has it; what is not as it should be is kept from sale
//
// What happens on failure: a refusal of custody is a *step.Refused, and nothing
// of the transaction is kept. Facts, receipts and decisions are written once
// and never changed; the constraints of schema custody hold that too.
package tradebook
