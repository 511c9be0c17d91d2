package participants_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/sim/participants"
)

// side is a simulator whose every request and answer is held against the
// contract.
type side struct {
	url    string
	router routers.Router
}

func serve(t *testing.T, cfg participants.Config) side {
	t.Helper()
	sim, err := participants.New(cfg)
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close(); require.NoError(t, sim.Close()) })
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	require.NoError(t, err)
	require.NoError(t, document.Validate(t.Context()))
	router, err := legacy.NewRouter(document)
	require.NoError(t, err)
	return side{server.URL, router}
}

func (s side) do(tb require.TestingT, method, path, body string) (int, map[string]any) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	require.NoError(tb, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(tb, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(tb, err)
	plain, err := http.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	require.NoError(tb, err)
	plain.Header = req.Header
	if route, params, err := s.router.FindRoute(plain); err == nil {
		in := &openapi3filter.RequestValidationInput{
			Request: plain, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		}
		require.NoError(tb, openapi3filter.ValidateRequest(ctx, in))
		require.NoError(tb, openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: res.StatusCode, Header: res.Header, Body: io.NopCloser(bytes.NewReader(raw)),
		}), string(raw))
	}
	var v map[string]any
	require.NoError(tb, json.Unmarshal(raw, &v), string(raw))
	return res.StatusCode, v
}

func order(sku string) string {
	return fmt.Sprintf(`{"sku":%q,"price":45000,"currency":"usd","nights":3,"traveler":"Ada","saga_id":"sg_1"}`, sku)
}

const path = "/v1/hotel/reservations/sg_1:hotel"

func TestTheLifeOfAReservation(t *testing.T) {
	t.Parallel()
	s := serve(t, participants.Config{})
	status, _ := s.do(t, "GET", path, "")
	require.Equal(t, 404, status)
	for range 2 {
		status, v := s.do(t, "PUT", path, order("HT-1"))
		require.Equal(t, 200, status)
		require.Equal(t, "reserved", v["status"])
	}
	status, _ = s.do(t, "PUT", path, order("HT-2"))
	require.Equal(t, 422, status)
	for _, step := range [][2]string{{"confirm", "confirmed"}, {"confirm", "confirmed"}, {"cancel", "cancelled"}, {"cancel", "cancelled"}} {
		status, v := s.do(t, "POST", path+"/"+step[0], "")
		require.Equal(t, 200, status)
		require.Equal(t, step[1], v["status"])
	}
	status, v := s.do(t, "POST", path+"/confirm", "")
	require.Equal(t, 409, status)
	require.Equal(t, "cancelled", v["code"])
}

func TestALateReservationIsHeldUnlessItWasCancelled(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := serve(t, participants.Config{Clock: func() time.Time { return now }, HangFor: time.Millisecond, LateAfter: time.Minute})
	for _, key := range []string{"a", "b"} {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", s.url+"/v1/car/reservations/"+key, strings.NewReader(order("C-LATE")))
		require.NoError(t, err)
		_, err = http.DefaultTransport.RoundTrip(req) //nolint:bodyclose // there is no answer
		require.Error(t, err)
	}
	s.do(t, "POST", "/v1/car/reservations/b/cancel", "")
	now = now.Add(2 * time.Minute)
	_, v := s.do(t, "GET", "/v1/car/reservations/a", "")
	require.Equal(t, "reserved", v["status"])
	_, v = s.do(t, "GET", "/v1/car/reservations/b", "")
	require.Equal(t, "cancelled", v["status"])
}

func TestAKilledSimulatorComesBackAsItWas(t *testing.T) {
	t.Parallel()
	journal := filepath.Join(t.TempDir(), "journal")
	first := serve(t, participants.Config{JournalPath: journal})
	first.do(t, "PUT", path, order("HT-1"))
	_, book := first.do(t, "GET", "/_sim/book", "")
	second := serve(t, participants.Config{JournalPath: journal})
	_, again := second.do(t, "GET", "/_sim/book", "")
	require.Equal(t, book, again)
	status, _ := second.do(t, "POST", path+"/confirm", "")
	require.Equal(t, 200, status)
}

// Whatever is called in whatever order on one key, the state is sound and the
// book tells it.
func TestAnyOrderOfCalls(t *testing.T) {
	t.Parallel()
	s := serve(t, participants.Config{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++
		saga := fmt.Sprintf("sg_%d", run)
		path := "/v1/hotel/reservations/" + saga + ":hotel"
		sku := rapid.SampledFrom([]string{"HT", "HT-REFUSE", "HT-FLAKY2", "HT-CANCELFAIL3"}).Draw(rt, "sku")
		state := ""
		for range rapid.IntRange(1, 12).Draw(rt, "calls") {
			what := rapid.SampledFrom([]string{"reserve", "confirm", "cancel"}).Draw(rt, "call")
			var status int
			var v map[string]any
			if what == "reserve" {
				status, v = s.do(rt, "PUT", path, strings.Replace(order(sku), "sg_1", saga, 1))
			} else {
				status, v = s.do(rt, "POST", path+"/"+what, "")
			}
			if status == 200 {
				next := fmt.Sprint(v["status"])
				if state == "cancelled" {
					require.Equal(rt, "cancelled", next, "cancelled is for good")
				}
				state = next
			}
		}
		_, book := s.do(rt, "GET", "/_sim/book/summary", "")
		sagas, _ := book["sagas"].(map[string]any)
		raw, err := json.Marshal(sagas[saga])
		require.NoError(rt, err)
		var kinds map[string]participants.Summary
		require.NoError(rt, json.Unmarshal(raw, &kinds))
		sum := kinds["hotel"]
		require.LessOrEqual(rt, sum.Reserved, 1)
		require.GreaterOrEqual(rt, sum.Open, 0)
		require.Equal(rt, state == "reserved", sum.Open == 1)
		require.Equal(rt, state == "confirmed", sum.Booked == 1)
	})
}
