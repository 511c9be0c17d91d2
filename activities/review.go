package activities

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
)

// The monitor of suspicious orders (21 USC 832(a), 21 CFR 1301.74(b)). The law
// has no number for an unusual size; these are ours, and the message says so.
const (
	suspicious = 10 // times the buyer's median quantity of the product
	enough     = 3  // transfers before which a buyer has no usual quantity
	// reviewTime is how long an order is held for a decision. Then it is
	// refused: nothing suspicious is shipped because nobody looked.
	reviewTime = 7 * 24 * time.Hour
)

// held is what Review notes about an order it holds.
type held struct {
	Since   *time.Time `json:"held_since,omitempty"`
	Reasons []string   `json:"reasons,omitempty"`
	Clear   string     `json:"cleared_by,omitempty"` // the approval
}

// Review holds an order of controlled substances that is of unusual size until
// two people have decided about it. Any other order passes.
func (c *Custody) Review(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		var noted held
		if err := a.Noted(&noted); err != nil {
			return step.Settlement{}, err
		}
		if noted.Since == nil {
			reasons, err := c.monitor(ctx, a)
			if err != nil || len(reasons) == 0 {
				return step.Settlement{}, err
			}
			now := c.Now().UTC()
			noted = held{Since: &now, Reasons: reasons}
			if err := a.Note(ctx, noted); err != nil {
				return step.Settlement{}, err
			}
		}
		said, found, err := c.Trade.Review(ctx, call.Tenant, call.Saga)
		switch {
		case err != nil:
			return step.Settlement{}, err
		case found && said.Clear:
			return step.Settlement{Result: held{Clear: said.ApprovalID}}, nil
		case found:
			return step.Settlement{}, &step.Refused{Code: "order_suspicious", Message: "The order was held as suspicious and refused: " + said.Reason}
		case c.Now().Sub(*noted.Since) > reviewTime:
			return step.Settlement{}, &step.Refused{Code: "review_timed_out", Message: "The order was held as suspicious and nobody cleared it within seven days."}
		default:
			return step.Settlement{}, &step.Waiting{For: "a review of the order: " + strings.Join(noted.Reasons, " ")}
		}
	})
}

// monitor says in words what is unusual about an order.
func (c *Custody) monitor(ctx context.Context, a step.Attempt) ([]string, error) {
	m, err := c.movement(ctx, a)
	if err != nil {
		return nil, err
	}
	goods, products, err := c.goods(ctx, a)
	if err != nil {
		return nil, err
	}
	count := goods.Quantities()
	var reasons []string
	for _, p := range products {
		if p.Schedule == "" {
			continue
		}
		median, transfers, err := c.Trade.Usual(ctx, a.Call.Tenant, m.buyer.ID, p.GTIN)
		if err != nil {
			return nil, err
		}
		if why := unusual(m.buyer, p, count[p.GTIN], median, transfers); why != "" {
			reasons = append(reasons, why)
		}
	}
	return reasons, nil
}

func unusual(buyer dscsa.Partner, p dscsa.Product, quantity, median, transfers int) string {
	if transfers < enough || quantity < suspicious*median {
		return ""
	}
	return fmt.Sprintf("%s ordered %d packages of %s (%s); its median of %d transfers in 180 days is %d, and %d times that is held.",
		buyer.Name, quantity, p.Name, p.Schedule, transfers, median, suspicious)
}
