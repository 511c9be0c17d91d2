package ledger

import (
	"time"

	"github.com/google/uuid"
)

// Side of an entry.
type Side string

// The two sides.
const (
	Debit  Side = "D"
	Credit Side = "C"
)

// Kind says what a transaction does to the balances of its accounts.
type Kind string

// The kinds. A pending transaction reserves and is resolved exactly once, by
// posting or voiding it; TigerBeetle's two-phase transfers are the model.
const (
	Posted      Kind = "posted"       // final at once
	Pending     Kind = "pending"      // reserves until resolved
	PostPending Kind = "post_pending" // Resolves: turns a pending one final, fully or in part
	VoidPending Kind = "void_pending" // Resolves: releases a pending one; has no entries
)

// Entry is one line of a transaction. Amount is in minor units of Currency and
// always positive; Side gives the direction.
type Entry struct {
	Account  string // code in the chart of accounts, such as "1020"
	Side     Side
	Amount   int64
	Currency string // ISO 4217, lower case
}

// Transaction is 2..1000 entries that balance in each currency. ID is made by
// the caller and names the transaction for ever: posting the same ID again
// returns the first result, posting other content under it is an error.
type Transaction struct {
	ID       uuid.UUID
	Kind     Kind
	Resolves uuid.UUID // the pending transaction, for PostPending and VoidPending
	Reverses uuid.UUID // the posted transaction this one takes back; once each
	Purpose  string    // what for, such as "booking.capture"
	Entries  []Entry
	// EffectiveOn is the accounting date (UTC); zero means the day it is recorded.
	EffectiveOn time.Time
	Actor       string // who: "saga", or the api key of a person
	Reason      string
	SagaID      string
	OrderRef    string
	Document    string // supporting document, such as the processor's id
}
