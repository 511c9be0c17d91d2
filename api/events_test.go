package api_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// stream reads events from an API process until the stream ends or n came.
func (w *world) stream(base, path, role, last string, n int) (events []string, res *http.Response) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.Context(), http.MethodGet, base+path, http.NoBody)
	require.NoError(w, err)
	req.Header.Set("Accept", "text/event-stream")
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+w.keys[role])
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err = http.DefaultTransport.RoundTrip(req)
	require.NoError(w, err)
	w.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != http.StatusOK {
		return nil, res
	}
	id := ""
	for lines := bufio.NewScanner(res.Body); len(events) < n && lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			events = append(events, id+" "+value)
		}
	}
	return events, res
}

func TestAStreamGoesOnAfterItsProcessDied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	w.move(id, "running")
	first := w.another()
	path := "/v1/sagas/" + id + "/events"
	events, res := w.stream(first.URL, path, "marketplace", "", 2)
	require.Equal(t, []string{"1 saga.created", "2 saga.status"}, events)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	first.CloseClientConnections()
	w.move(id, "compensating")
	w.move(id, "compensated")
	events, _ = w.stream(w.server.URL, path, "marketplace", "2", 10)
	require.Equal(t, []string{"3 saga.status", "4 saga.status", "4 done"}, events, "nothing missed, nothing repeated, and an end")
}

func TestAStreamSendsWhatHappensWhileItIsOpen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for n := range 20 {
			w.move(id, []string{"running", "compensating"}[n%2])
		}
		w.move(id, "completed")
	}()
	defer func() { <-moved }() // the last event can come before its own statement has returned
	events, _ := w.stream(w.server.URL, "/v1/sagas/"+id+"/events", "marketplace", "", 100)
	<-moved // the last event can be there before the statement that made it has returned
	require.Len(t, events, 23)
	require.Equal(t, "1 saga.created", events[0])
	for n := 1; n < 22; n++ {
		require.Equal(t, fmt.Sprintf("%d saga.status", n+1), events[n])
	}
	require.Equal(t, "22 done", events[22])
}

func TestDrainingEndsStreamsAndLongPolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	ended := make(chan []string, 1)
	go func() {
		events, _ := w.stream(w.server.URL, "/v1/sagas/"+id+"/events", "marketplace", "", 100)
		ended <- events
	}()
	polled := make(chan int, 1)
	go func() {
		polled <- w.do(call{method: "GET", path: "/v1/sagas/" + id + "?wait=25", role: "marketplace", header: map[string]string{"If-None-Match": `"1"`}}).status
	}()
	close(w.draining)
	require.LessOrEqual(t, len(<-ended), 1)
	require.Equal(t, http.StatusNotModified, <-polled)
	require.Equal(t, http.StatusServiceUnavailable, w.do(call{method: "GET", path: "/readyz"}).status)
}

func TestEventsAsAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.book("A-1")
	w.move(id, "running")
	v := w.do(call{method: "GET", path: "/v1/sagas/" + id + "/events", role: "auditor"}).json(t)
	require.Len(t, v["data"], 2)
	v = w.do(call{method: "GET", path: "/v1/sagas/" + id + "/events?last_event_id=1", role: "auditor"}).json(t)
	require.Len(t, v["data"], 1)
}

func TestATicketOpensOneStreamOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.book("A-1"), w.book("A-2")
	w.move(one, "completed")
	ticket := func(role, saga string) answer {
		return w.do(call{method: "POST", path: "/v1/stream_tickets", role: role, body: `{"saga_id":"` + saga + `"}`})
	}
	open := func(saga, ticket string) ([]string, int) {
		events, res := w.stream(w.server.URL, "/v1/sagas/"+saga+"/events?ticket="+ticket, "", "", 10)
		return events, res.StatusCode
	}
	text := fmt.Sprint(ticket("marketplace", one).json(t)["ticket"])
	events, status := open(one, text)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, events, 3)
	_, status = open(one, text)
	require.Equal(t, http.StatusUnauthorized, status, "once")
	_, status = open(two, fmt.Sprint(ticket("marketplace", one).json(t)["ticket"]))
	require.Equal(t, http.StatusUnauthorized, status, "for its saga")
	require.Equal(t, http.StatusNotFound, ticket("other_marketplace", one).status)
	require.NotContains(t, w.log.String(), text)
}
