package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"

	"github.com/recourse/recourse/devstack/harness"
)

// A Row is one fault of the matrix.
type Row struct {
	ID   string
	What string
	N    int // orders, when not the usual number
	Make func(run string, seed uint64, n int) harness.Order

	stir  func(ctx context.Context, t *trouble) error
	while func(t *trouble) func(ctx context.Context, c *harness.Client, s harness.Saga, n int)
}

func (r Row) meanwhile(t *trouble) func(context.Context, *harness.Client, harness.Saga, int) {
	if r.while == nil {
		return nil
	}
	return r.while(t)
}

func killing(names ...string) func(context.Context, *trouble) error {
	return func(ctx context.Context, t *trouble) error { return every(ctx, 3*time.Second, t.kill(names...)) }
}

// once plants rules and lets the load run into them.
func once(at func(t *trouble) string, rules ...map[string]any) func(context.Context, *trouble) error {
	return func(ctx context.Context, t *trouble) error {
		for _, rule := range rules {
			if err := t.plant(ctx, at(t), rule); err != nil {
				return err
			}
		}
		return nil
	}
}

func stripe(t *trouble) string { return t.dev.StripeSim }
func goods(t *trouble) string  { return t.dev.Participants }

func rule(method, route, kind string, first int) map[string]any {
	return map[string]any{"method": method, "route": route, "kind": kind, "first": first}
}

// doneUnseen is Stripe's worst answer at one call: done, and we see a timeout.
func doneUnseen(id, call, route string, change func(o *harness.Order)) Row {
	return Row{
		ID: id, What: "Stripe does it and we see a timeout: " + call, N: 40,
		Make: func(run string, _ uint64, n int) harness.Order {
			o := harness.Whole(fmt.Sprintf("%s-%d", run, n), "authorize")
			change(&o)
			return o
		},
		stir: once(stripe, rule("POST", route, "ExecuteThenTimeout", 12)),
	}
}

// traded is a row of transfers: money and goods have to agree.
func traded(id, what string, first int, stir func(context.Context, *trouble) error) Row {
	return Row{
		ID: id, What: what, stir: stir,
		Make: func(run string, _ uint64, n int) harness.Order { return harness.Trades(run, first, n) },
	}
}

// suffixed orders one part with a test value.
func suffixed(id, suffix string, n int) Row {
	return Row{
		ID: id, What: "participant test value " + suffix, N: n,
		Make: func(run string, _ uint64, n int) harness.Order {
			o := harness.Whole(fmt.Sprintf("%s-%d", run, n), []string{"authorize", "charge"}[n%2])
			item := []*harness.Item{o.Flight, o.Hotel, o.Car}[n%3]
			item.SKU += suffix
			if strings.HasPrefix(suffix, "-CANCEL") { // something must be undone for it to show
				o.Car.SKU = "CAR-REFUSE"
				[]*harness.Item{o.Flight, o.Hotel}[n%2].SKU = "X" + suffix
			}
			return o
		},
		stir: calm,
		while: func(t *trouble) func(context.Context, *harness.Client, harness.Saga, int) {
			return func(context.Context, *harness.Client, harness.Saga, int) { t.hit() } // the value itself is the fault
		},
	}
}

// Rows is the matrix as far as it is built.
func Rows() []Row {
	none := func(*harness.Order) {}
	refused := func(o *harness.Order) { o.Hotel.SKU += "-REFUSE" }
	refusedCharge := func(o *harness.Order) { o.Hotel.SKU += "-REFUSE"; o.PaymentFlow = "charge" }
	return []Row{
		{ID: "F01", What: "kill -9 of the worker, again and again", stir: killing("worker")},
		{ID: "F03", What: "kill -9 of the API, again and again", stir: killing("api")},
		{ID: "F04", What: "kill -9 of Temporal and the simulators, again and again", stir: killing("stack")},
		{ID: "F05", What: "kill -9 of Postgres, again and again", stir: killing("postgres")},
		{ID: "F09", What: "kill -9 of everything at once", stir: func(ctx context.Context, t *trouble) error {
			return every(ctx, 5*time.Second, t.kill("worker", "api", "stack", "postgres"))
		}},
		traded("F01g", "kill -9 of the worker while goods are sold", 1, killing("worker")),
		traded("F04g", "kill -9 of Temporal and the simulators while goods are sold", 51, killing("stack")),
		traded("F05g", "kill -9 of Postgres while goods are sold", 101, killing("postgres")),
		traded("F09g", "kill -9 of everything at once while goods are sold", 151, func(ctx context.Context, t *trouble) error {
			return every(ctx, 5*time.Second, t.kill("worker", "api", "stack", "postgres"))
		}),
		traded("F12g", "an operator terminates running workflows while goods are sold", 201, terminate),
		{ID: "F12", What: "an operator terminates running workflows", stir: terminate},
		doneUnseen("F34a", "create", "/v1/payment_intents", none),
		doneUnseen("F34b", "confirm", "/v1/payment_intents/{id}/confirm", none),
		doneUnseen("F34c", "capture", "/v1/payment_intents/{id}/capture", none),
		doneUnseen("F34d", "cancel", "/v1/payment_intents/{id}/cancel", refused),
		doneUnseen("F34e", "refund", "/v1/refunds", refusedCharge),
		{ID: "F35", What: "Stripe does nothing and we see a timeout", N: 40, stir: once(stripe,
			rule("POST", "/v1/payment_intents", "TimeoutBeforeExecute", 4), rule("POST", "/v1/payment_intents/{id}/confirm", "TimeoutBeforeExecute", 4),
			rule("POST", "/v1/payment_intents/{id}/capture", "TimeoutBeforeExecute", 4), rule("POST", "/v1/refunds", "TimeoutBeforeExecute", 2))},
		{ID: "F36", What: "Stripe stores a 500 and replays it", stir: once(stripe,
			rule("POST", "/v1/payment_intents", "500Before", 5), rule("POST", "/v1/payment_intents/{id}/confirm", "500Before", 5),
			rule("POST", "/v1/payment_intents/{id}/capture", "500Before", 5), rule("POST", "/v1/payment_intents/{id}/confirm", "ExecuteThen500", 5),
			rule("POST", "/v1/payment_intents/{id}/capture", "ExecuteThen500", 5), rule("POST", "/v1/refunds", "ExecuteThen500", 3),
			rule("POST", "/v1/payment_intents/{id}/cancel", "500Before", 3))},
		{ID: "F37", What: "Stripe answers 429 for a while", stir: once(stripe, rule("POST", "/v1/payment_intents", "429", 60))},
		{ID: "F38", What: "Stripe says that the key is in use", stir: once(stripe,
			rule("POST", "/v1/payment_intents", "409", 10), rule("POST", "/v1/payment_intents/{id}/confirm", "409", 10),
			rule("POST", "/v1/payment_intents/{id}/capture", "409", 10))},
		{ID: "F45", What: "our key at Stripe is revoked for a while: people are called and nothing is undone", N: 40, stir: revoke},
		{ID: "F42", What: "Stripe's answers are cut, garbled or about something else", stir: once(stripe,
			rule("POST", "/v1/payment_intents/{id}/confirm", "Reset", 5), rule("POST", "/v1/payment_intents/{id}/confirm", "Truncate", 5),
			rule("POST", "/v1/payment_intents/{id}/capture", "Garbage", 5), rule("POST", "/v1/payment_intents", "WrongObject", 5),
			rule("GET", "/v1/payment_intents/{id}", "Reset", 5))},
		suffixed("F63a", "-HANG", 16),
		suffixed("F63b", "-DONETIMEOUT", 16),
		suffixed("F65", "-LATE", 16),
		suffixed("F64a", "-GARBAGE", 16),
		suffixed("F67", "-CANCELFAIL3", 24),
		suffixed("F63c", "-FLAKY2", 24),
		{ID: "F64b", What: "participants do it and answer 500, or are cut off", stir: once(goods,
			rule("PUT", "reserve:hotel", "ExecuteThen500", 10), rule("POST", "confirm:flight", "ExecuteThen500", 10),
			rule("POST", "cancel:flight", "Reset", 5), rule("POST", "confirm:car", "Reset", 10), rule("PUT", "reserve:car", "Truncate", 10))},
		{ID: "F71", What: "clients cancel at random moments", stir: calm, while: cancelling},
		{
			ID: "F82", What: "a superuser edits history in ten ways: recourse verify names the place", N: 400, stir: tamper,
			Make: func(run string, seed uint64, n int) harness.Order {
				if n%8 == 0 { // goods are edited too
					return harness.Trades(run, 251, n)
				}
				return harness.Mixed(run, seed, n)
			},
		},
		{ID: "F55", What: "every request is sent by ten clients at once under one key", N: 40, stir: calm, while: repeating},
	}
}

func calm(context.Context, *trouble) error { return nil }

// revoke makes Stripe refuse our key for three seconds.
func revoke(ctx context.Context, t *trouble) error {
	raw, err := os.ReadFile(filepath.Join(t.system.Dir, "secrets.json"))
	if err != nil {
		return err
	}
	var secrets struct{ Stripe string }
	if err := json.Unmarshal(raw, &secrets); err != nil {
		return err
	}
	use := func(ctx context.Context, key string) error {
		return call(ctx, http.MethodPost, t.dev.StripeSim+"/_sim/keys", []byte(`{"keys":["`+key+`"]}`), nil)
	}
	if err := use(ctx, "sk_test_another"); err != nil {
		return err
	}
	t.hit()
	wait := time.NewTimer(3 * time.Second)
	defer wait.Stop()
	select {
	case <-ctx.Done():
	case <-wait.C:
	}
	return use(context.WithoutCancel(ctx), secrets.Stripe)
}

// cancelling cancels every other order after a moment.
func cancelling(t *trouble) func(context.Context, *harness.Client, harness.Saga, int) {
	return func(ctx context.Context, c *harness.Client, s harness.Saga, n int) {
		if n%2 == 0 {
			return
		}
		wait := time.NewTimer(time.Duration(rand.IntN(250)) * time.Millisecond) //nolint:gosec // any moment will do
		defer wait.Stop()
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		res, err := c.Do(ctx, http.MethodPost, "/v1/sagas/"+s.ID+"/cancel", uuid.NewString(), nil)
		if err == nil && res.Status == http.StatusAccepted {
			t.hit()
		}
	}
}

// repeating places the same order again from many sides; the checker sees
// whether it was placed once.
func repeating(t *trouble) func(context.Context, *harness.Client, harness.Saga, int) {
	return func(ctx context.Context, c *harness.Client, s harness.Saga, n int) {
		order := harness.Whole(s.OrderRef+"-again", "authorize")
		key := uuid.NewString()
		ids := make(chan string, 10)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if s, _, err := c.Book(ctx, key, order); err == nil {
					ids <- s.ID
				}
			})
		}
		all.Wait()
		close(ids)
		first := <-ids
		same := first != ""
		for id := range ids {
			same = same && id == first
		}
		if same {
			t.hit()
		}
	}
}

// terminate ends running workflows as an operator might.
func terminate(ctx context.Context, t *trouble) error {
	c, err := client.Dial(client.Options{HostPort: t.dev.Temporal, Namespace: "recourse", Logger: quiet{}})
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	defer c.Close()
	api := harness.NewClient(t.dev.API, t.dev.Keys["operator"])
	return every(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		res, err := api.Do(ctx, http.MethodGet, "/v1/sagas?status=running&limit=3", "", nil)
		if err != nil || res.Status != http.StatusOK {
			return err
		}
		for _, id := range ids(res.Body) {
			if c.TerminateWorkflow(ctx, id, "", "a fault test") == nil {
				t.hit()
			}
		}
		return nil
	})
}

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

func ids(body []byte) []string {
	var list struct {
		Data []struct{ ID string }
	}
	_ = json.Unmarshal(body, &list) // an answer that cannot be read names nobody
	var out []string
	for _, s := range list.Data {
		out = append(out, s.ID)
	}
	return out
}
