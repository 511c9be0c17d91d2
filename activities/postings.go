package activities

import (
	"context"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/ledger"
)

// Postings are the steps that only write our own books.
type Postings struct {
	Book step.Book
}

// Commit passes the point of no return where no foreign call does.
func (p *Postings) Commit(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(context.Context, step.Attempt) (step.Settlement, error) {
		return step.Settlement{}, nil
	})
}

// Revenue turns the customer's deposit into revenue: the booking is delivered.
func (p *Postings) Revenue(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(_ context.Context, a step.Attempt) (step.Settlement, error) {
		t := transaction(a, c.Step, "revenue", "")
		t.Kind, t.Entries = ledger.Posted, move(a, ledger.CustomerDeposits, ledger.BookingRevenue, a.Intent.Order.Amount)
		return step.Settlement{Postings: []ledger.Transaction{t}}, nil
	})
}

// PaySeller pays the seller by bank what it is owed: the buyer has its goods.
func (p *Postings) PaySeller(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(_ context.Context, a step.Attempt) (step.Settlement, error) {
		t := transaction(a, c.Step, "payout", "")
		t.Kind, t.Entries = ledger.Posted, move(a, ledger.SellerPayable, ledger.CashBank, a.Intent.Order.Amount)
		return step.Settlement{Postings: []ledger.Transaction{t}}, nil
	})
}

// The transactions of a payment. Each is named by its saga, step and purpose
// (booking.capture, transfer.capture), so that posting it again is found to be
// the same.

// hold: the card's money is reserved for us.
func hold(a step.Attempt, intentID string) ledger.Transaction {
	t := transaction(a, StepAuthorize, "authorize", intentID)
	t.Kind, t.Entries = ledger.Pending, taken(a)
	return t
}

func voidHold(a step.Attempt, intentID string) ledger.Transaction {
	t := transaction(a, StepAuthorize, "void", intentID)
	t.Kind, t.Resolves = ledger.VoidPending, hold(a, intentID).ID
	return t
}

// captured: what was held is ours, less the processor's fee.
func captured(a step.Attempt, in Intent) []ledger.Transaction {
	t := transaction(a, StepCapture, "capture", in.BalanceTransactionID)
	t.Kind, t.Resolves, t.Entries = ledger.PostPending, hold(a, in.ID).ID, taken(a)
	return append([]ledger.Transaction{t}, fee(a, in, StepCapture)...)
}

// uncaptured takes the capture back. The processor keeps its fee.
func uncaptured(a step.Attempt, in Intent) ledger.Transaction {
	t := transaction(a, StepCapture, "refund", in.RefundID)
	t.Kind, t.Entries = ledger.Posted, move(a, ledger.CustomerDeposits, ledger.StripeClearing, a.Intent.Order.Amount)
	return t
}

// charged: the card's money is ours, less the processor's fee.
func charged(a step.Attempt, in Intent) []ledger.Transaction {
	t := transaction(a, StepCharge, "charge", in.BalanceTransactionID)
	t.Kind, t.Entries = ledger.Posted, taken(a)
	return append([]ledger.Transaction{t}, fee(a, in, StepCharge)...)
}

func fee(a step.Attempt, in Intent, name string) []ledger.Transaction {
	if in.Fee == 0 {
		return nil
	}
	t := transaction(a, name, "fee", in.BalanceTransactionID)
	t.Kind, t.Entries = ledger.Posted, move(a, ledger.ProcessorFees, ledger.StripeClearing, in.Fee)
	return []ledger.Transaction{t}
}

// returned: the card gets back what the goods that came back had cost.
func returned(a step.Attempt, refundID string) ledger.Transaction {
	t := transaction(a, StepRefund, "refund", refundID)
	t.Kind, t.Entries = ledger.Posted, move(a, ledger.RefundsPayable, ledger.StripeClearing, a.Intent.Order.Amount)
	return t
}

// reversal takes the charge back. The processor keeps its fee.
func reversal(a step.Attempt, in Intent) ledger.Transaction {
	t := transaction(a, StepCharge, "refund", in.RefundID)
	t.Kind, t.Reverses = ledger.Posted, transaction(a, StepCharge, "charge", "").ID
	t.Entries = move(a, ledger.CustomerDeposits, ledger.StripeClearing, a.Intent.Order.Amount)
	return t
}

func taken(a step.Attempt) []ledger.Entry {
	return move(a, ledger.StripeClearing, ledger.CustomerDeposits, a.Intent.Order.Amount)
}

func move(a step.Attempt, debit, credit string, amount int64) []ledger.Entry {
	return []ledger.Entry{
		{Account: debit, Side: ledger.Debit, Amount: amount, Currency: a.Intent.Order.Currency},
		{Account: credit, Side: ledger.Credit, Amount: amount, Currency: a.Intent.Order.Currency},
	}
}

func transaction(a step.Attempt, name, what, document string) ledger.Transaction {
	purpose := a.Intent.Order.Type + "." + what
	return ledger.Transaction{
		ID: ledger.TransactionID(a.Call.Saga, name, purpose), Purpose: purpose, Actor: "saga", Reason: name + " step",
		SagaID: a.Call.Saga, OrderRef: a.Intent.Order.OrderRef, Document: document,
	}
}
