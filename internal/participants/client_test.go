package participants_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	client "github.com/recourse/recourse/internal/participants"
	"github.com/recourse/recourse/sim/participants"
)

const key = "sg_1:hotel"

func order(sku string) activities.ReservationRequest {
	return activities.ReservationRequest{SKU: sku, Price: 45000, Currency: "usd", Nights: 3, Traveler: "Ada Example", SagaID: "sg_1"}
}

type world struct {
	*testing.T
	url string
	c   *client.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	sim, err := participants.New(participants.Config{APIKey: "secret", LateAfter: time.Hour})
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); require.NoError(t, sim.Close()) })
	return &world{T: t, url: server.URL, c: client.New(client.Config{URL: server.URL, Key: "secret", Timeout: 30 * time.Second})}
}

// hasty is the same with a client that gives up soon, for calls that are not
// answered.
func (w *world) hasty() *world {
	hasty := *w
	hasty.c = client.New(client.Config{URL: w.url, Key: "secret", Timeout: 300 * time.Millisecond})
	return &hasty
}

func (w *world) plant(op, kind string) {
	w.Helper()
	raw, err := json.Marshal(map[string]any{"route": op + ":hotel", "kind": kind, "first": 1, "delay_ms": 10})
	require.NoError(w, err)
	res, err := http.Post(w.url+"/_sim/faults", "application/json", bytes.NewReader(raw)) //nolint:forbidigo // the simulator's own door
	require.NoError(w, err)
	require.NoError(w, res.Body.Close())
}

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
	calls := map[string]func(w *world) error{
		"reserve": func(w *world) error {
			_, err := w.c.Reserve(w.Context(), activities.Hotel, key, order("HT-1"))
			return err
		},
		"confirm": func(w *world) error { _, err := w.c.Confirm(w.Context(), activities.Hotel, key); return err },
		"cancel":  func(w *world) error { _, err := w.c.Cancel(w.Context(), activities.Hotel, key); return err },
	}
	after := map[string]activities.ReservationStatus{
		"reserve": activities.ReservationReserved, "confirm": activities.ReservationConfirmed, "cancel": activities.ReservationCancelled,
	}
	for kind, want := range map[string]struct {
		class    string
		happened bool
	}{
		"ExecuteThenTimeout": {"unknown", true}, "TimeoutBeforeExecute": {"unknown", false}, "ExecuteThen500": {"unknown", true},
		"500Before": {"unknown", false}, "429": {"transient", false}, "Garbage": {"unknown", true}, "Truncate": {"unknown", true},
		"Slow": {"done", true}, "WrongObject": {"unknown", true},
	} {
		for name, call := range calls {
			t.Run(kind+" at "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				before := activities.ReservationStatus("")
				if name != "reserve" {
					require.NoError(t, calls["reserve"](w))
					before = activities.ReservationReserved
				}
				w.plant(name, kind)
				stands := func() activities.ReservationStatus {
					got, _, err := w.c.Lookup(t.Context(), activities.Hotel, key)
					require.NoError(t, err)
					return got.Status
				}
				caller := w
				if strings.Contains(kind, "Timeout") {
					caller = w.hasty()
				}
				err := call(caller)
				require.Equal(t, want.class, class(err), "%v", err)
				if want.happened { // it may happen after we have given up
					require.Eventually(t, func() bool { return stands() == after[name] }, 30*time.Second, time.Millisecond)
				} else {
					require.Equal(t, before, stands())
				}
				require.NoError(t, call(w), "the same again is done, once")
			})
		}
	}
}

func TestTestValues(t *testing.T) {
	t.Parallel()
	for sku, want := range map[string][]string{
		"HT-REFUSE": {"refused", "refused"}, "HT-HANG": {"unknown", "unknown"}, "HT-GARBAGE": {"unknown"},
		"HT-FLAKY2": {"transient", "transient", "done"}, "HT-DONETIMEOUT": {"unknown"}, "HT-LATE": {"unknown"}, "HT-ONGOING": {"done"},
	} {
		t.Run(sku, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if slices.Contains([]string{"HT-HANG", "HT-DONETIMEOUT", "HT-LATE"}, sku) {
				w = w.hasty()
			}
			for _, expected := range want {
				_, err := w.c.Reserve(t.Context(), activities.Hotel, key, order(sku))
				require.Equal(t, expected, class(err), "%v", err)
			}
		})
	}
	w := newWorld(t)
	_, err := w.c.Reserve(t.Context(), activities.Hotel, key, order("HT-CANCELFAIL3"))
	require.NoError(t, err)
	for _, want := range []string{"unknown", "unknown", "unknown", "done"} {
		_, err := w.c.Cancel(t.Context(), activities.Hotel, key)
		require.Equal(t, want, class(err))
	}
}

func TestTheOtherSideHasABarrierToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, found, err := w.c.Lookup(t.Context(), activities.Hotel, key)
	require.NoError(t, err)
	require.False(t, found)
	_, err = w.c.Cancel(t.Context(), activities.Hotel, key)
	require.NoError(t, err, "cancelling what was never reserved")
	_, err = w.c.Reserve(t.Context(), activities.Hotel, key, order("HT-1"))
	require.Equal(t, "refused", class(err), "and then it can never be")
}

func TestOurOwnMistakesAreForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.c.Reserve(t.Context(), activities.Hotel, key, order("HT-1"))
	require.NoError(t, err)
	_, err = w.c.Reserve(t.Context(), activities.Hotel, key, order("HT-2"))
	require.Equal(t, "misuse", class(err), "a key with another order")
	stranger := client.New(client.Config{URL: w.url, Key: "wrong", Timeout: 30 * time.Second})
	_, err = stranger.Cancel(t.Context(), activities.Hotel, key)
	require.Equal(t, "misuse", class(err))
	away := client.New(client.Config{URL: "http://127.0.0.1:1", Key: "secret", Timeout: 30 * time.Second})
	_, err = away.Cancel(t.Context(), activities.Hotel, key)
	require.Equal(t, "transient", class(err))
}
