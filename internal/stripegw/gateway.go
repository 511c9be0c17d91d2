// Package stripegw is activities.PaymentGateway on Stripe, through stripe-go.
//
// Four things stripe-go does by itself are switched off or overridden: it makes
// an idempotency key when none is given (ours is always given), retries with
// its own policy (the saga retries), waits 80 seconds (outbound's client has
// our timeout), and logs to standard error (nothing is logged here).
//
// What happens on failure is in errors.go: every error becomes exactly one of
// step.Refused, Transient, Unknown and Misuse. An answer that is not about what
// was asked for is Unknown.
package stripegw

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/outbound"
)

// Config is where Stripe is and who we are there.
type Config struct {
	URL     string // https://api.stripe.com, or a simulator
	Key     string
	Timeout time.Duration // of one call
}

// Gateway speaks to Stripe. It is safe for concurrent use.
type Gateway struct{ api *client.API }

var _ activities.PaymentGateway = (*Gateway)(nil)

// New returns the gateway.
func New(cfg Config) *Gateway {
	http := outbound.Client("stripe", cfg.Timeout)
	backend := func(url string) stripe.Backend {
		return stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
			URL: stripe.String(url), HTTPClient: http, MaxNetworkRetries: stripe.Int64(0),
			LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull}, EnableTelemetry: stripe.Bool(false),
		})
	}
	url := strings.TrimSuffix(cfg.URL, "/")
	api := &client.API{}
	api.Init(cfg.Key, &stripe.Backends{API: backend(url), Connect: backend(url), Uploads: backend(url)})
	return &Gateway{api: api}
}

// with gives a call our context and key.
func with(ctx context.Context, key string) stripe.Params {
	return stripe.Params{Context: ctx, IdempotencyKey: stripe.String(key)}
}

// expanded asks for the charge and its fee with the intent.
func expanded(p *stripe.Params) {
	p.AddExpand("latest_charge.balance_transaction")
	p.AddExpand("latest_charge.refunds")
}

// CreateIntent implements activities.PaymentGateway.
func (g *Gateway) CreateIntent(ctx context.Context, key string, r activities.IntentRequest) (activities.Intent, error) {
	p := &stripe.PaymentIntentParams{
		Params: with(ctx, key), Amount: stripe.Int64(r.Amount), Currency: stripe.String(r.Currency), PaymentMethod: stripe.String(r.PaymentMethod),
		PaymentMethodTypes: stripe.StringSlice([]string{"card"}), CaptureMethod: stripe.String("automatic"), Description: stripe.String(r.Description),
	}
	if r.ManualCapture {
		p.CaptureMethod = stripe.String("manual")
	}
	p.Metadata = map[string]string{"saga_id": r.SagaID, "step": r.Step, "tenant": r.Tenant}
	pi, err := g.api.PaymentIntents.New(p)
	if err != nil {
		return activities.Intent{}, classify(err)
	}
	in := intent(pi)
	if in.ID == "" || in.Amount != r.Amount || in.Currency != r.Currency || pi.Metadata["saga_id"] != r.SagaID {
		return activities.Intent{}, other(pi.LastResponse)
	}
	return in, nil
}

// ConfirmIntent implements activities.PaymentGateway.
func (g *Gateway) ConfirmIntent(ctx context.Context, key, id string) (activities.Intent, error) {
	p := &stripe.PaymentIntentConfirmParams{Params: with(ctx, key)}
	expanded(&p.Params)
	pi, err := g.api.PaymentIntents.Confirm(id, p)
	return g.moved(ctx, id, pi, err)
}

// CaptureIntent implements activities.PaymentGateway.
func (g *Gateway) CaptureIntent(ctx context.Context, key, id string) (activities.Intent, error) {
	p := &stripe.PaymentIntentCaptureParams{Params: with(ctx, key)}
	expanded(&p.Params)
	pi, err := g.api.PaymentIntents.Capture(id, p)
	in, err := g.moved(ctx, id, pi, err)
	if err == nil && in.Status == activities.IntentCanceled {
		return in, &step.Refused{Code: "authorization_expired", Message: "The card's authorisation has lapsed. Please book again."}
	}
	return in, err
}

// CancelIntent implements activities.PaymentGateway.
func (g *Gateway) CancelIntent(ctx context.Context, key, id string) (activities.Intent, error) {
	p := &stripe.PaymentIntentCancelParams{Params: with(ctx, key), CancellationReason: stripe.String("abandoned")}
	pi, err := g.api.PaymentIntents.Cancel(id, p)
	in, err := g.moved(ctx, id, pi, err)
	if err == nil && in.Status == activities.IntentSucceeded {
		return in, &step.Refused{Code: "payment_intent_succeeded", Message: "The payment was taken and cannot be cancelled."}
	}
	return in, err
}

// GetIntent implements activities.PaymentGateway.
func (g *Gateway) GetIntent(ctx context.Context, id string) (activities.Intent, error) {
	p := &stripe.PaymentIntentParams{Params: stripe.Params{Context: ctx}}
	expanded(&p.Params)
	pi, err := g.api.PaymentIntents.Get(id, p)
	if err != nil {
		return activities.Intent{}, classify(err)
	}
	if pi.ID != id {
		return activities.Intent{}, other(pi.LastResponse)
	}
	return intent(pi), nil
}

// moved is the intent after a change. When Stripe says that the intent is in no
// state for the change, somebody (perhaps this very call, earlier) has changed
// it already: where it stands is looked up, and the caller decides.
func (g *Gateway) moved(ctx context.Context, id string, pi *stripe.PaymentIntent, err error) (activities.Intent, error) {
	if isUnexpectedState(err) {
		in, err := g.GetIntent(ctx, id)
		if err == nil && in.Status == activities.IntentRequiresPaymentMethod {
			return in, declined(nil)
		}
		return in, err
	}
	if err != nil {
		return activities.Intent{}, classify(err)
	}
	if pi.ID != id {
		return activities.Intent{}, other(pi.LastResponse)
	}
	return intent(pi), nil
}

// Refund implements activities.PaymentGateway.
func (g *Gateway) Refund(ctx context.Context, key string, r activities.RefundRequest) (activities.Refund, error) {
	p := &stripe.RefundParams{Params: with(ctx, key), PaymentIntent: stripe.String(r.IntentID), Amount: stripe.Int64(r.Amount)}
	p.Metadata = map[string]string{"saga_id": r.SagaID, "step": r.Step, "tenant": r.Tenant}
	re, err := g.api.Refunds.New(p)
	if isAlreadyRefunded(err) {
		// Somebody has given it back: the next attempt looks it up.
		return activities.Refund{}, &step.Transient{Err: err}
	}
	if err != nil {
		return activities.Refund{}, classify(err)
	}
	if re.ID == "" || re.Amount != r.Amount || re.PaymentIntent == nil || re.PaymentIntent.ID != r.IntentID {
		return activities.Refund{}, other(re.LastResponse)
	}
	out := activities.Refund{ID: re.ID, Status: activities.RefundStatus(re.Status), Amount: re.Amount, RequestID: requestID(re.LastResponse)}
	if re.BalanceTransaction != nil {
		out.BalanceTransactionID = re.BalanceTransaction.ID
	}
	return out, nil
}

// intent is Stripe's payment intent in our words.
func intent(pi *stripe.PaymentIntent) activities.Intent {
	in := activities.Intent{
		ID: pi.ID, Status: activities.IntentStatus(pi.Status), Amount: pi.Amount, Currency: string(pi.Currency),
		Received: pi.AmountReceived, RequestID: requestID(pi.LastResponse),
	}
	ch := pi.LatestCharge
	if ch == nil {
		return in
	}
	in.ChargeID = ch.ID
	if ch.BalanceTransaction != nil {
		in.BalanceTransactionID, in.Fee = ch.BalanceTransaction.ID, ch.BalanceTransaction.Fee
	}
	if ch.Refunds != nil {
		for _, re := range ch.Refunds.Data {
			if re.Status == stripe.RefundStatusFailed || re.Status == stripe.RefundStatusCanceled {
				continue
			}
			in.Refunded += re.Amount
			if in.RefundID == "" { // newest first
				in.RefundID = re.ID
			}
		}
	}
	return in
}

// other is an answer about something that was not asked for.
func other(res *stripe.APIResponse) error {
	return &step.Unknown{Err: fmt.Errorf("stripe answered about something else (request %s)", requestID(res))}
}

func requestID(res *stripe.APIResponse) string {
	if res == nil {
		return ""
	}
	return res.RequestID
}
