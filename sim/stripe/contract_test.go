package stripe_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/freeport"
	"github.com/recourse/recourse/sim/stripe"
)

// stripeMock starts Stripe's own mock, which checks requests against Stripe's
// OpenAPI document and answers with its fixtures.
func stripeMock(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skip("stripe-mock is missing: there is no folder to install it into")
	}
	bin := filepath.Join(cache, "recourse", "stripe-mock-v0.180.0")
	if _, err := os.Stat(filepath.Join(bin, "stripe-mock")); err != nil {
		install := exec.CommandContext(t.Context(), "go", "install", "github.com/stripe/stripe-mock@v0.180.0")
		install.Env = append(os.Environ(), "GOBIN="+bin, "GOWORK=off", "GOFLAGS=")
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("stripe-mock v0.180.0 is missing and cannot be installed from the Go module proxy: %v\n%s", err, out)
		}
	}
	free := func() string {
		port, err := freeport.Find(t.Context())
		require.NoError(t, err)
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	ctx, cancel := context.WithCancel(context.Background())
	addr := free()
	mock := exec.CommandContext(ctx, filepath.Join(bin, "stripe-mock"), "-http-addr", addr, "-https-addr", free())
	require.NoError(t, mock.Start())
	t.Cleanup(func() { cancel(); _ = mock.Wait() })
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, 30*time.Second, 20*time.Millisecond)
	return "http://" + addr
}

// Every request the product sends is one Stripe's document allows, and every
// object the simulator answers with has all members Stripe's fixture has, of
// the same JSON type where both say something.
func TestRequestsAndAnswersAreStripes(t *testing.T) {
	t.Parallel()
	mock := stripeMock(t)
	_, sim := serve(t, stripe.Config{})
	_, _, in := send(t, "POST", sim+"/v1/payment_intents", "", newIntent("manual"))
	confirmed := fmt.Sprint(in["id"])
	_, _, spare := send(t, "POST", sim+"/v1/payment_intents", "", newIntent("manual"))
	_, _, customer := send(t, "POST", sim+"/v1/customers", "", url.Values{"email": {"a@b.c"}})
	expand := url.Values{"expand[0]": {"latest_charge.balance_transaction"}, "expand[1]": {"latest_charge.refunds"}}
	create := newIntent("manual")
	for name, value := range map[string]string{"payment_method_types[0]": "card", "description": "Booking A-1", "metadata[step]": "authorize", "metadata[tenant]": "t"} {
		create.Set(name, value)
	}
	var last map[string]any
	for _, c := range []struct {
		name, method, path string
		form               url.Values
	}{
		{"create", "POST", "/v1/payment_intents", create},
		{"confirm", "POST", "/v1/payment_intents/" + confirmed + "/confirm", expand},
		{"get", "GET", "/v1/payment_intents/" + confirmed, expand},
		{"capture", "POST", "/v1/payment_intents/" + confirmed + "/capture", expand},
		{"refund", "POST", "/v1/refunds", url.Values{"payment_intent": {confirmed}, "amount": {"1000"}, "metadata[saga_id]": {"sg_1"}}},
		{"cancel", "POST", "/v1/payment_intents/" + fmt.Sprint(spare["id"]) + "/cancel", url.Values{"cancellation_reason": {"abandoned"}}},
		{"list intents", "GET", "/v1/payment_intents", url.Values{"limit": {"3"}, "created[gte]": {"0"}}},
		{"list charges", "GET", "/v1/charges", url.Values{"payment_intent": {confirmed}}},
		{"list refunds", "GET", "/v1/refunds", url.Values{"payment_intent": {confirmed}}},
		{"list balance transactions", "GET", "/v1/balance_transactions", url.Values{"type": {"charge"}}},
		{"list events", "GET", "/v1/events", url.Values{"type": {"payment_intent.created"}}},
		{"customer", "GET", "/v1/customers/" + fmt.Sprint(customer["id"]), nil},
		{"attach", "POST", "/v1/payment_methods/pm_card_visa/attach", url.Values{"customer": {fmt.Sprint(customer["id"])}}},
		{"search", "GET", "/v1/payment_intents/search", url.Values{"query": {"metadata['saga_id']:'sg_1'"}}},
	} {
		status, _, theirs := send(t, c.method, mock+c.path, "", c.form)
		require.Equal(t, 200, status, "%s: Stripe's document does not allow this request: %v", c.name, theirs)
		status, _, ours := send(t, c.method, sim+c.path, "", c.form)
		require.Equal(t, 200, status, "%s: %v", c.name, ours)
		covers(t, c.name, theirs, ours)
		last = ours
	}
	require.NotEmpty(t, last)
}

// covers reports members of Stripe's answer that ours lacks or has otherwise.
func covers(t *testing.T, at string, theirs, ours any) {
	t.Helper()
	switch want := theirs.(type) {
	case map[string]any:
		have, ok := ours.(map[string]any)
		if !ok {
			if ours != nil {
				if _, id := ours.(string); !id { // an object where ours has its id: expandable
					t.Errorf("%s: Stripe has an object, ours is %T", at, ours)
				}
			}
			return
		}
		for name, v := range want {
			if name == "metadata" || name == "refunds" { // free-form; only there when expanded, since 2022-11-15
				continue
			}
			got, ok := have[name]
			if !ok {
				t.Errorf("%s/%s is missing", at, name)
				continue
			}
			if v != nil && got != nil && name != "data" {
				covers(t, at+"/"+name, v, got)
			}
			if name == "data" {
				covers(t, at+"/data", first(v), first(got))
			}
		}
	case string, float64, bool:
		if ours != nil && fmt.Sprintf("%T", want) != fmt.Sprintf("%T", ours) {
			if _, expanded := ours.(map[string]any); !expanded {
				t.Errorf("%s: Stripe has a %T, ours is a %T", at, want, ours)
			}
		}
	}
}

// first is an element of a list; an event's data is an object of any type.
func first(v any) any {
	if list, ok := v.([]any); ok && len(list) > 0 {
		return list[0]
	}
	return nil
}
