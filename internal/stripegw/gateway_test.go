package stripegw_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/stripegw"
	"github.com/recourse/recourse/sim/stripe"
)

// world is a gateway on a simulator of its own.
type world struct {
	*testing.T
	url string
	gw  *stripegw.Gateway
}

func newWorld(t *testing.T) *world {
	t.Helper()
	sim, err := stripe.New(stripe.Config{})
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); require.NoError(t, sim.Close()) })
	return &world{T: t, url: server.URL, gw: stripegw.New(stripegw.Config{URL: server.URL, Key: "sk_test_x", Timeout: 30 * time.Second})}
}

// hasty is the same with a gateway that gives up soon, for calls that are not
// answered.
func (w *world) hasty() *world {
	hasty := *w
	hasty.gw = stripegw.New(stripegw.Config{URL: w.url, Key: "sk_test_x", Timeout: 400 * time.Millisecond})
	return &hasty
}

func (w *world) plant(route, kind string) {
	w.Helper()
	raw, err := json.Marshal(map[string]any{"method": "POST", "route": route, "kind": kind, "first": 1, "delay_ms": 10})
	require.NoError(w, err)
	res, err := http.Post(w.url+"/_sim/faults", "application/json", bytes.NewReader(raw)) //nolint:forbidigo // the simulator's own door
	require.NoError(w, err)
	require.NoError(w, res.Body.Close())
	require.Equal(w, http.StatusCreated, res.StatusCode)
}

func (w *world) summary(saga string) stripe.Summary {
	w.Helper()
	res, err := http.Get(w.url + "/_sim/book/summary") //nolint:forbidigo // the simulator's own door
	require.NoError(w, err)
	defer func() { _ = res.Body.Close() }()
	var out struct{ Sagas map[string]stripe.Summary }
	require.NoError(w, json.NewDecoder(res.Body).Decode(&out))
	return out.Sagas[saga]
}

func request(manual bool, token string) activities.IntentRequest {
	return activities.IntentRequest{
		Amount: 150000, Currency: "usd", PaymentMethod: token, ManualCapture: manual, Description: "Booking A-1", SagaID: "sg_1", Step: "authorize", Tenant: "t",
	}
}

// make brings an intent to where the operation starts.
func (w *world) make(upTo string, manual bool) string {
	w.Helper()
	in, err := w.gw.CreateIntent(w.Context(), "create", request(manual, "pm_card_visa"))
	require.NoError(w, err)
	if upTo == "created" {
		return in.ID
	}
	_, err = w.gw.ConfirmIntent(w.Context(), "confirm", in.ID)
	require.NoError(w, err)
	return in.ID
}

// operations are the calls that change something, with the route faults are
// planted at and how the book shows that it happened.
var operations = map[string]struct {
	route    string
	call     func(w *world, id string) error
	prepare  func(w *world) string
	happened func(s stripe.Summary, id string) bool
}{
	"confirm": {
		"/v1/payment_intents/{id}/confirm",
		func(w *world, id string) error { _, err := w.gw.ConfirmIntent(w.Context(), "k", id); return err },
		func(w *world) string { return w.make("created", true) },
		func(s stripe.Summary, _ string) bool { return s.Authorized == 150000 },
	},
	"capture": {
		"/v1/payment_intents/{id}/capture",
		func(w *world, id string) error { _, err := w.gw.CaptureIntent(w.Context(), "k", id); return err },
		func(w *world) string { return w.make("confirmed", true) },
		func(s stripe.Summary, _ string) bool { return s.Captured == 150000 },
	},
	"cancel": {
		"/v1/payment_intents/{id}/cancel",
		func(w *world, id string) error { _, err := w.gw.CancelIntent(w.Context(), "k", id); return err },
		func(w *world) string { return w.make("confirmed", true) },
		func(s stripe.Summary, _ string) bool { return s.Canceled == 150000 },
	},
	"refund": {
		"/v1/refunds",
		func(w *world, id string) error {
			_, err := w.gw.Refund(w.Context(), "k", activities.RefundRequest{IntentID: id, Amount: 150000, SagaID: "sg_1", Step: "charge", Tenant: "t"})
			return err
		},
		func(w *world) string { return w.make("confirmed", false) },
		func(s stripe.Summary, _ string) bool { return s.Refunded == 150000 },
	},
}

// class is which of the four a step sees.
func class(err error) string {
	var t *step.Transient
	var u *step.Unknown
	var m *step.Misuse
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &m):
		return "misuse"
	case errors.As(err, &t):
		return "transient"
	case errors.As(err, &u) && u.Replayed:
		return "unknown, replayed"
	case errors.As(err, &u):
		return "unknown"
	}
	if _, no := step.AsRefused(err); no {
		return "refused"
	}
	return "something else: " + err.Error()
}

func TestEveryFaultAtEveryCall(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]struct {
		first    string // class of the call it strikes
		happened bool   // then
		again    string // class of the same call again
		ends     bool   // happened after that
	}{
		"ExecuteThenTimeout":   {"unknown", true, "done", true},
		"TimeoutBeforeExecute": {"unknown", false, "done", true},
		"ExecuteThen500":       {"unknown", true, "unknown, replayed", true},
		"500Before":            {"unknown", false, "unknown, replayed", false},
		"429":                  {"transient", false, "done", true},
		"409":                  {"transient", false, "done", true},
		// net/http itself repeats a request that carries an Idempotency-Key when
		// a kept connection breaks before the answer's first byte: same key, one effect.
		"Reset":       {"done", true, "done", true},
		"Garbage":     {"unknown", true, "done", true},
		"Truncate":    {"unknown", true, "done", true},
		"Slow":        {"done", true, "done", true},
		"WrongObject": {"unknown", true, "done", true},
	} {
		for name, op := range operations {
			t.Run(kind+" at "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				id := op.prepare(w)
				w.plant(op.route, kind)
				caller := w
				if strings.Contains(kind, "Timeout") {
					caller = w.hasty()
				}
				first := op.call(caller, id)
				require.Equal(t, want.first, class(first), "%v", first)
				if want.happened { // it may happen after we have given up
					require.Eventually(t, func() bool { return op.happened(w.summary("sg_1"), id) }, 30*time.Second, time.Millisecond)
				} else {
					require.False(t, op.happened(w.summary("sg_1"), id))
				}
				again := op.call(w, id)
				require.Equal(t, want.again, class(again), "%v", again)
				s := w.summary("sg_1")
				require.Equal(t, want.ends, op.happened(s, id))
				require.LessOrEqual(t, s.Captures, 1)
				require.LessOrEqual(t, s.Refunds, 1)
			})
		}
	}
}

func TestDeclinesAreRefusalsForTheCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for token, want := range map[string]step.Refused{
		"pm_card_chargeDeclined":                  {Code: "card_declined", DeclineCode: "generic_decline", Message: "Your card was declined."},
		"pm_card_chargeDeclinedInsufficientFunds": {Code: "card_declined", DeclineCode: "insufficient_funds", Message: "Your card has insufficient funds."},
		"pm_card_chargeDeclinedExpiredCard":       {Code: "expired_card", DeclineCode: "expired_card", Message: "Your card has expired."},
		"pm_card_visa_chargeDeclinedStolenCard":   {Code: "card_declined", DeclineCode: "generic_decline", Message: "Your card was declined."},
	} {
		in, err := w.gw.CreateIntent(t.Context(), "create "+token, request(true, token))
		require.NoError(t, err)
		for range 2 { // asked again under the same key, the processor repeats itself
			_, err = w.gw.ConfirmIntent(t.Context(), "confirm "+token, in.ID)
			refused, no := step.AsRefused(err)
			require.True(t, no, "%s: %v", token, err)
			require.Equal(t, want, *refused)
		}
	}
	in, err := w.gw.CreateIntent(t.Context(), "create 3ds", request(true, "pm_card_authenticationRequired"))
	require.NoError(t, err)
	in, err = w.gw.ConfirmIntent(t.Context(), "confirm 3ds", in.ID)
	require.NoError(t, err)
	require.Equal(t, activities.IntentRequiresAction, in.Status)
}

func TestCallsThatComeTooLateSayWhereTheIntentStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	taken := w.make("confirmed", false)
	_, err := w.gw.CancelIntent(t.Context(), "a", taken)
	refused, no := step.AsRefused(err)
	require.True(t, no)
	require.Equal(t, "payment_intent_succeeded", refused.Code)
	in, err := w.gw.CaptureIntent(t.Context(), "b", taken)
	require.NoError(t, err)
	require.Equal(t, activities.IntentSucceeded, in.Status)
	require.EqualValues(t, 4380, in.Fee)
	require.NotEmpty(t, in.BalanceTransactionID)

	again := newWorld(t)
	dropped := again.make("confirmed", true)
	for range 2 {
		in, err = again.gw.CancelIntent(t.Context(), fmt.Sprint(time.Now().UnixNano()), dropped)
		require.NoError(t, err)
		require.Equal(t, activities.IntentCanceled, in.Status)
	}
	_, err = again.gw.CaptureIntent(t.Context(), "c", dropped)
	refused, no = step.AsRefused(err)
	require.True(t, no)
	require.Equal(t, "authorization_expired", refused.Code)
}

func TestOurOwnMistakesAreForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.gw.GetIntent(t.Context(), "pi_nobodys")
	require.Equal(t, "misuse", class(err))
	id := w.make("created", true)
	_, err = w.gw.CreateIntent(t.Context(), "create", request(false, "pm_card_visa"))
	require.Equal(t, "misuse", class(err), "a key with another request")
	stranger := stripegw.New(stripegw.Config{URL: w.url, Key: "pk_live_wrong", Timeout: 30 * time.Second})
	_, err = stranger.GetIntent(t.Context(), id)
	require.Equal(t, "misuse", class(err))
	require.NotContains(t, err.Error(), "pk_live_wrong")
}

func TestNobodyAtTheOtherEnd(t *testing.T) {
	t.Parallel()
	away := stripegw.New(stripegw.Config{URL: "http://127.0.0.1:1", Key: "sk_test_x", Timeout: 30 * time.Second})
	_, err := away.GetIntent(context.Background(), "pi_1")
	require.Equal(t, "transient", class(err))
}
