package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/ledger"
)

// The names of the payment steps, by which later steps find their rows.
const (
	StepAuthorize = "authorize"
	StepCapture   = "capture"
	StepCharge    = "charge"
)

// Payments are the steps that move money. Nothing is confirmed, and so no
// money is held or taken, before the intent's id is noted in the book: what
// has no note has nothing to undo at the processor.
type Payments struct {
	Book    step.Book
	Gateway PaymentGateway
}

// payment is what a payment step notes and settles with.
type payment struct {
	IntentID             string `json:"intent_id,omitempty"`
	ChargeID             string `json:"charge_id,omitempty"`
	BalanceTransactionID string `json:"balance_transaction_id,omitempty"`
	RefundID             string `json:"refund_id,omitempty"`
	Fee                  int64  `json:"fee,omitempty"`
	RequestID            string `json:"request_id,omitempty"`
}

func paid(in Intent) payment {
	return payment{
		IntentID: in.ID, ChargeID: in.ChargeID, BalanceTransactionID: in.BalanceTransactionID,
		RefundID: in.RefundID, Fee: in.Fee, RequestID: in.RequestID,
	}
}

// Authorize holds the order's total on the card.
func (p *Payments) Authorize(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		in, err := p.pay(ctx, a, true)
		if err != nil {
			return step.Settlement{}, err
		}
		return step.Settlement{Result: paid(in), Postings: []ledger.Transaction{hold(a, in.ID)}}, nil
	})
}

// Void releases what Authorize held. Where a capture comes before the pivot
// and was given back already, nothing is held any more.
func (p *Payments) Void(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Undo, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		did := a.Intent.Done[c.Step]
		var noted payment
		if err := did.Read(&noted); err != nil {
			return step.Settlement{}, err
		}
		if noted.IntentID == "" {
			return step.Settlement{Status: step.Skipped}, nil
		}
		if captured := a.Intent.Done[StepCapture].Status; captured == step.Succeeded || captured == step.Abandoned {
			in, err := p.Gateway.GetIntent(ctx, noted.IntentID)
			if err != nil || in.Status == IntentSucceeded && in.Refunded == in.Amount {
				return step.Settlement{Status: step.Skipped}, err
			}
		}
		in, err := p.Gateway.CancelIntent(ctx, a.Key("cancel"), noted.IntentID)
		if err != nil {
			return step.Settlement{}, p.freshKey(ctx, a, err)
		}
		s := step.Settlement{Result: paid(in)}
		if did.Status == step.Succeeded {
			s.Postings = []ledger.Transaction{voidHold(a, in.ID)}
		}
		return s, nil
	})
}

// Capture takes what Authorize held. Where it is not the pivot, Uncapture takes
// it back.
func (p *Payments) Capture(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		var held payment
		if err := a.Intent.Done[StepAuthorize].Read(&held); err != nil {
			return step.Settlement{}, err
		}
		in := Intent{ID: held.IntentID, Status: IntentRequiresCapture}
		var err error
		if a.Retry() {
			if in, err = p.Gateway.GetIntent(ctx, held.IntentID); err != nil {
				return step.Settlement{}, err
			}
		}
		if in.Status == IntentRequiresCapture {
			if in, err = p.Gateway.CaptureIntent(ctx, a.Key("capture"), held.IntentID); err != nil {
				return step.Settlement{}, p.lookUp(ctx, a, err, held.IntentID, IntentRequiresCapture)
			}
		}
		switch in.Status {
		case IntentSucceeded:
			return step.Settlement{Result: paid(in), Postings: captured(a, in)}, nil
		case IntentCanceled:
			return step.Settlement{}, &step.Refused{Code: "authorization_expired", Message: "The card's authorisation has lapsed. Please order again."}
		default:
			return step.Settlement{}, unexpected(in)
		}
	})
}

// Charge takes the order's total from the card at once.
func (p *Payments) Charge(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		in, err := p.pay(ctx, a, false)
		if err != nil {
			return step.Settlement{}, err
		}
		return step.Settlement{Result: paid(in), Postings: charged(a, in)}, nil
	})
}

// Refund gives back what Charge took. A charge whose outcome was never learned
// is looked up: taken, it is put into the books and given back; not taken, its
// intent is cancelled, so that it never can be.
func (p *Payments) Refund(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Undo, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		var noted payment
		if err := a.Intent.Done[c.Step].Read(&noted); err != nil {
			return step.Settlement{}, err
		}
		if noted.IntentID == "" {
			return step.Settlement{Status: step.Skipped}, nil
		}
		in, err := p.Gateway.GetIntent(ctx, noted.IntentID)
		if err != nil {
			return step.Settlement{}, err
		}
		return p.takeBack(ctx, a, in, charged(a, in), reversal)
	})
}

// Uncapture gives back what Capture took. A capture whose outcome was never
// learned is looked up: taken, it is put into the books and given back; not
// taken, the intent is cancelled, so that it never can be, and Void finds that.
func (p *Payments) Uncapture(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Undo, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		var held payment
		if err := a.Intent.Done[StepAuthorize].Read(&held); err != nil {
			return step.Settlement{}, err
		}
		in, err := p.Gateway.GetIntent(ctx, held.IntentID)
		if err != nil {
			return step.Settlement{}, err
		}
		return p.takeBack(ctx, a, in, captured(a, in), uncaptured)
	})
}

// takeBack refunds an intent that was taken and cancels one that was not. taken
// are the postings of its taking, which are missing in the books when nobody
// learned of it.
func (p *Payments) takeBack(
	ctx context.Context, a step.Attempt, in Intent, taken []ledger.Transaction, back func(step.Attempt, Intent) ledger.Transaction,
) (step.Settlement, error) {
	switch in.Status {
	case IntentSucceeded:
	case IntentProcessing:
		return step.Settlement{}, unexpected(in)
	default:
		in, err := p.Gateway.CancelIntent(ctx, a.Key("cancel"), in.ID)
		if err != nil {
			if refused, no := step.AsRefused(err); no && refused.Code == "payment_intent_succeeded" {
				return step.Settlement{}, &step.Transient{Err: err} // it was taken meanwhile: look again
			}
			return step.Settlement{}, p.freshKey(ctx, a, err)
		}
		return step.Settlement{Result: paid(in)}, nil
	}
	if in.Refunded < in.Amount {
		refund, err := p.Gateway.Refund(ctx, a.Key("refund"), RefundRequest{
			IntentID: in.ID, Amount: in.Amount - in.Refunded, SagaID: a.Call.Saga, Step: a.Call.Step, Tenant: a.Call.Tenant.String(),
		})
		if err != nil {
			return step.Settlement{}, p.freshKey(ctx, a, err)
		}
		if refund.Status == RefundFailed || refund.Status == RefundCanceled {
			return step.Settlement{}, &step.Misuse{Code: "refund_failed", Err: fmt.Errorf("refund %s is %s", refund.ID, refund.Status)}
		}
		in.RefundID = refund.ID
	}
	var postings []ledger.Transaction
	if a.Intent.Done[a.Call.Step].Status != step.Succeeded {
		postings = taken // and nobody wrote it down
	}
	return step.Settlement{Result: paid(in), Postings: append(postings, back(a, in))}, nil
}

// pay brings an intent to where the money is held (manual capture) or taken.
func (p *Payments) pay(ctx context.Context, a step.Attempt, manual bool) (Intent, error) {
	want := IntentSucceeded
	if manual {
		want = IntentRequiresCapture
	}
	var noted payment
	if err := a.Noted(&noted); err != nil {
		return Intent{}, err
	}
	in, err := p.intent(ctx, a, noted.IntentID, manual)
	if err != nil {
		return Intent{}, err
	}
	// A decline leaves the intent without a payment method; confirming it again
	// under the same key repeats the processor's reason.
	if in.Status == IntentRequiresConfirmation || in.Status == IntentRequiresPaymentMethod {
		id, before := in.ID, in.Status
		if in, err = p.Gateway.ConfirmIntent(ctx, a.Key("confirm"), id); err != nil {
			return Intent{}, p.lookUp(ctx, a, err, id, before)
		}
	}
	switch in.Status {
	case want:
		return in, nil
	case IntentRequiresAction:
		return Intent{}, &step.Refused{Code: "authentication_required", Message: "The card's bank wants the customer to confirm. Please use another card."}
	case IntentCanceled:
		return Intent{}, &step.Refused{Code: "payment_canceled", Message: "The payment was cancelled."}
	default:
		return Intent{}, unexpected(in)
	}
}

// intent finds the noted intent, or makes one and notes it.
func (p *Payments) intent(ctx context.Context, a step.Attempt, id string, manual bool) (Intent, error) {
	if id != "" {
		return p.Gateway.GetIntent(ctx, id)
	}
	var order struct {
		PaymentMethod string `json:"payment_method"`
	}
	if err := json.Unmarshal(a.Intent.Order.Request, &order); err != nil {
		return Intent{}, fmt.Errorf("read the order: %w", err)
	}
	in, err := p.Gateway.CreateIntent(ctx, a.Key("create"), IntentRequest{
		Amount: a.Intent.Order.Amount, Currency: a.Intent.Order.Currency, PaymentMethod: order.PaymentMethod, ManualCapture: manual,
		Description: a.Intent.Order.Type + " " + a.Intent.Order.OrderRef, SagaID: a.Call.Saga, Step: a.Call.Step, Tenant: a.Call.Tenant.String(),
	})
	if err != nil {
		return Intent{}, p.freshKey(ctx, a, err) // an intent nobody confirms moves no money
	}
	return in, a.Note(ctx, payment{IntentID: in.ID})
}

// lookUp decides about a call whose stored answer is a repeated failure: only
// when the intent still stands where it stood may a new key be used.
func (p *Payments) lookUp(ctx context.Context, a step.Attempt, err error, id string, before IntentStatus) error {
	var unknown *step.Unknown
	if !errors.As(err, &unknown) || !unknown.Replayed {
		return err
	}
	in, look := p.Gateway.GetIntent(ctx, id)
	if look != nil {
		return look
	}
	if in.Status == before {
		return p.freshKey(ctx, a, err)
	}
	return err // it did happen: the next attempt finds it
}

// freshKey moves to a new key when the old one can only repeat a stored
// failure and the caller knows, or will look up, that nothing happened twice.
func (p *Payments) freshKey(ctx context.Context, a step.Attempt, err error) error {
	var unknown *step.Unknown
	if errors.As(err, &unknown) && unknown.Replayed {
		return errors.Join(err, a.NewKey(ctx))
	}
	return err
}

func unexpected(in Intent) error {
	return &step.Unknown{Err: fmt.Errorf("payment intent %s is %s", in.ID, in.Status)}
}
