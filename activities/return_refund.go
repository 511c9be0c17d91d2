package activities

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/ledger"
)

// refunding is what RefundReturn notes before it asks for a refund.
type refunding struct {
	Before   *int64 `json:"refunded_before,omitempty"`
	RefundID string `json:"refund_id,omitempty"`
}

// RefundReturn gives the card back what the returned units had cost. It follows
// the pivot, so it is repeated until it succeeds; what had been refunded before
// is noted first, so that a refund whose answer was lost is found.
func (p *Payments) RefundReturn(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, p.Book, c, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		var order TransferOrder
		if err := json.Unmarshal(a.Intent.Order.Request, &order); err != nil {
			return step.Settlement{}, fmt.Errorf("read the order: %w", err)
		}
		var noted refunding
		if err := a.Noted(&noted); err != nil {
			return step.Settlement{}, err
		}
		if noted.Before == nil {
			in, err := p.Gateway.GetIntent(ctx, order.IntentID)
			if err != nil {
				return step.Settlement{}, err
			}
			noted.Before = &in.Refunded
			if err := a.Note(ctx, noted); err != nil {
				return step.Settlement{}, err
			}
		}
		refund, err := p.Gateway.Refund(ctx, a.Key("refund"), RefundRequest{
			IntentID: order.IntentID, Amount: a.Intent.Order.Amount, SagaID: c.Saga, Step: c.Step, Tenant: c.Tenant.String(),
		})
		if err != nil {
			return step.Settlement{}, p.refundAgain(ctx, a, err, order.IntentID, *noted.Before)
		}
		if refund.Status == RefundFailed || refund.Status == RefundCanceled {
			return step.Settlement{}, &step.Misuse{Code: "refund_failed", Err: fmt.Errorf("refund %s is %s", refund.ID, refund.Status)}
		}
		return step.Settlement{Result: refunding{RefundID: refund.ID}, Postings: []ledger.Transaction{returned(a, refund.ID)}}, nil
	})
}

// refundAgain allows a new key when the old one only repeats a failure and the
// payment shows that nothing was refunded under it.
func (p *Payments) refundAgain(ctx context.Context, a step.Attempt, err error, id string, before int64) error {
	var unknown *step.Unknown
	if !errors.As(err, &unknown) || !unknown.Replayed {
		return err
	}
	in, look := p.Gateway.GetIntent(ctx, id)
	if look != nil {
		return look
	}
	if in.Refunded == before {
		return p.freshKey(ctx, a, err)
	}
	return err
}
