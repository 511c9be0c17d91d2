package stripe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdk "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"
	"github.com/stripe/stripe-go/v76/webhook"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/sim/stripe"
)

func serve(t *testing.T, cfg stripe.Config) (*stripe.Server, string) {
	t.Helper()
	sim, err := stripe.New(cfg)
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); require.NoError(t, sim.Close()) })
	return sim, server.URL
}

// sdkOn is stripe-go, unchanged, on a simulator.
func sdkOn(url string) *client.API {
	backend := sdk.GetBackendWithConfig(sdk.APIBackend, &sdk.BackendConfig{
		URL: sdk.String(url), MaxNetworkRetries: sdk.Int64(0), LeveledLogger: &sdk.LeveledLogger{Level: sdk.LevelNull},
	})
	api := &client.API{}
	api.Init("sk_test_x", &sdk.Backends{API: backend, Connect: backend, Uploads: backend})
	return api
}

// send is one plain request.
func send(tb require.TestingT, method, target, key string, form url.Values) (int, http.Header, map[string]any) {
	body := form.Encode()
	if method == http.MethodGet && body != "" {
		target, body = target+"?"+body, ""
	}
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(body))
	require.NoError(tb, err)
	req.Header.Set("Authorization", "Bearer sk_test_x")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(tb, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(tb, err)
	var v map[string]any
	require.NoError(tb, json.Unmarshal(raw, &v), string(raw))
	return res.StatusCode, res.Header, v
}

func newIntent(capture string) url.Values {
	return url.Values{"amount": {"1000"}, "currency": {"usd"}, "payment_method": {"pm_card_visa"}, "capture_method": {capture}, "metadata[saga_id]": {"sg_1"}}
}

func TestStripeGoTalksToItUnchanged(t *testing.T) {
	t.Parallel()
	_, url := serve(t, stripe.Config{})
	api := sdkOn(url)
	cus, err := api.Customers.New(&sdk.CustomerParams{Email: sdk.String("ada@example.com")})
	require.NoError(t, err)
	pm, err := api.PaymentMethods.Attach("pm_card_mastercard", &sdk.PaymentMethodAttachParams{Customer: sdk.String(cus.ID)})
	require.NoError(t, err)
	require.Equal(t, cus.ID, pm.Customer.ID)
	p := &sdk.PaymentIntentParams{
		Amount: sdk.Int64(5000), Currency: sdk.String("eur"), Customer: sdk.String(cus.ID), PaymentMethod: sdk.String(pm.ID), Confirm: sdk.Bool(true),
		CaptureMethod: sdk.String("manual"),
	}
	p.AddMetadata("saga_id", "sg_9")
	pi, err := api.PaymentIntents.New(p)
	require.NoError(t, err)
	require.Equal(t, sdk.PaymentIntentStatusRequiresCapture, pi.Status)
	pi, err = api.PaymentIntents.Capture(pi.ID, &sdk.PaymentIntentCaptureParams{AmountToCapture: sdk.Int64(3000)})
	require.NoError(t, err)
	require.EqualValues(t, 3000, pi.AmountReceived)
	re, err := api.Refunds.New(&sdk.RefundParams{PaymentIntent: sdk.String(pi.ID), Amount: sdk.Int64(1000)})
	require.NoError(t, err)
	require.Equal(t, sdk.RefundStatusSucceeded, re.Status)
	get := &sdk.PaymentIntentParams{}
	get.AddExpand("latest_charge.balance_transaction")
	get.AddExpand("latest_charge.refunds")
	pi, err = api.PaymentIntents.Get(pi.ID, get)
	require.NoError(t, err)
	require.EqualValues(t, 117, pi.LatestCharge.BalanceTransaction.Fee) // 2.9 % of 30.00 and 0.30
	require.Len(t, pi.LatestCharge.Refunds.Data, 1)
	_, err = api.Refunds.New(&sdk.RefundParams{PaymentIntent: sdk.String(pi.ID), Amount: sdk.Int64(2001)})
	require.Error(t, err, "more than is left")
	list := api.BalanceTransactions.List(&sdk.BalanceTransactionListParams{})
	n := 0
	for list.Next() {
		n++
	}
	require.NoError(t, list.Err())
	require.Equal(t, 2, n)
	search := api.PaymentIntents.Search(&sdk.PaymentIntentSearchParams{SearchParams: sdk.SearchParams{Query: "metadata['saga_id']:'sg_9'"}})
	require.True(t, search.Next())
	require.Equal(t, pi.ID, search.PaymentIntent().ID)
	events := api.Events.List(&sdk.EventListParams{})
	require.True(t, events.Next())
	require.Equal(t, sdk.EventTypeChargeRefunded, events.Event().Type)
}

func TestTheIdempotencyLayer(t *testing.T) {
	t.Parallel()
	now := time.Now()
	_, base := serve(t, stripe.Config{Clock: func() time.Time { return now }})
	intents := base + "/v1/payment_intents"
	_, _, first := send(t, "POST", intents, "k", newIntent("manual"))
	status, header, again := send(t, "POST", intents, "k", newIntent("manual"))
	require.Equal(t, 200, status)
	require.Equal(t, first["id"], again["id"])
	require.Equal(t, "true", header.Get("Idempotent-Replayed"))

	status, _, other := send(t, "POST", intents, "k", newIntent("automatic"))
	require.Equal(t, 400, status)
	require.Equal(t, "idempotency_error", errorOf(other)["type"])

	bad := newIntent("manual")
	bad.Set("amount", "-1")
	status, _, _ = send(t, "POST", intents, "early", bad)
	require.Equal(t, 400, status)
	status, _, _ = send(t, "POST", intents, "early", newIntent("manual"))
	require.Equal(t, 200, status, "what was refused before execution is not stored")

	id := fmt.Sprint(first["id"])
	status, _, _ = send(t, "POST", intents+"/"+id+"/capture", "late", nil)
	require.Equal(t, 400, status)
	send(t, "POST", intents+"/"+id+"/confirm", "c", nil)
	status, header, _ = send(t, "POST", intents+"/"+id+"/capture", "late", nil)
	require.Equal(t, 400, status, "what failed in execution is replayed")
	require.Equal(t, "true", header.Get("Idempotent-Replayed"))
	now = now.Add(25 * time.Hour)
	status, _, _ = send(t, "POST", intents+"/"+id+"/capture", "late", nil)
	require.Equal(t, 200, status, "a key is kept for 24 hours")
	status, _, _ = send(t, "POST", intents, "", url.Values{"amount": {"1"}, "currency": {"usd"}, "no_such": {"x"}})
	require.Equal(t, 400, status)
}

func errorOf(v map[string]any) map[string]any {
	e, _ := v["error"].(map[string]any)
	return e
}

func TestAKilledSimulatorComesBackAsItWas(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	_, base := serve(t, stripe.Config{JournalPath: path})
	_, _, in := send(t, "POST", base+"/v1/payment_intents", "create", newIntent("manual"))
	id := fmt.Sprint(in["id"])
	send(t, "POST", base+"/v1/payment_intents/"+id+"/confirm", "confirm", nil)
	_, _, book := send(t, "GET", base+"/_sim/book/summary", "", nil)

	_, again := serve(t, stripe.Config{JournalPath: path}) // the first one was never closed
	_, _, sameBook := send(t, "GET", again+"/_sim/book/summary", "", nil)
	require.Equal(t, book, sameBook)
	_, header, same := send(t, "POST", again+"/v1/payment_intents", "create", newIntent("manual"))
	require.Equal(t, id, same["id"])
	require.Equal(t, "true", header.Get("Idempotent-Replayed"))
	_, _, taken := send(t, "POST", again+"/v1/payment_intents/"+id+"/capture", "capture", nil)
	require.Equal(t, "succeeded", taken["status"])
}

func TestWebhooksAreSigned(t *testing.T) {
	t.Parallel()
	const secret = "whsec_test"
	got := make(chan sdk.Event, 100)
	var mu sync.Mutex
	failures := 1
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if failures > 0 { // the first delivery fails and is repeated
			failures--
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		if e, err := webhook.ConstructEvent(body, r.Header.Get("Stripe-Signature"), secret); err == nil {
			got <- e
		}
	}))
	t.Cleanup(hook.Close)
	_, base := serve(t, stripe.Config{WebhookURL: hook.URL, WebhookSecret: secret})
	send(t, "POST", base+"/v1/payment_intents", "", newIntent("manual"))
	e := <-got
	require.Equal(t, sdk.EventTypePaymentIntentCreated, e.Type)
}

// Whatever is called in whatever order, the book stays sound.
func TestTheBookIsSoundAfterAnyCalls(t *testing.T) {
	t.Parallel()
	_, base := serve(t, stripe.Config{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		saga := fmt.Sprintf("sg_%d", run)
		form := newIntent(rapid.SampledFrom([]string{"manual", "automatic"}).Draw(rt, "capture"))
		form.Set("metadata[saga_id]", saga)
		_, _, in := send(rt, "POST", base+"/v1/payment_intents", "", form)
		id := fmt.Sprint(in["id"])
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			key := rapid.SampledFrom([]string{"", saga + "a", saga + "b"}).Draw(rt, "key")
			switch what := rapid.SampledFrom([]string{"confirm", "capture", "cancel", "refund"}).Draw(rt, "call"); what {
			case "refund":
				amount := rapid.SampledFrom([]string{"1", "400", "1000", "2000"}).Draw(rt, "amount")
				send(rt, "POST", base+"/v1/refunds", key, url.Values{"payment_intent": {id}, "amount": {amount}})
			default:
				send(rt, "POST", base+"/v1/payment_intents/"+id+"/"+what, key, nil)
			}
		}
		_, _, book := send(rt, "GET", base+"/_sim/book/summary", "", nil)
		sagas, _ := book["sagas"].(map[string]any)
		raw, err := json.Marshal(sagas[saga])
		require.NoError(rt, err)
		var s stripe.Summary
		require.NoError(rt, json.Unmarshal(raw, &s))
		require.LessOrEqual(rt, s.Captures, 1)
		require.LessOrEqual(rt, s.Captured, s.Authorized)
		require.LessOrEqual(rt, s.Refunded, s.Captured)
		require.Equal(rt, s.Authorized, s.Captured+s.Canceled+s.OpenAuthorization)
		require.GreaterOrEqual(rt, s.OpenAuthorization, int64(0))
	})
}
