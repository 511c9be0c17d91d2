package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type eventView struct {
	ID        int64           `json:"id"`
	Object    string          `json:"object"`
	Type      string          `json:"type"`
	Data      json.RawMessage `json:"data"`
	CreatedAt stamp           `json:"created_at"`
}

const (
	eventsAtOnce = 500
	heartbeat    = 15 * time.Second
	slowest      = 10 * time.Second // a reader slower than this is let go; it can come back
)

// SagaEvents answers what happened to an order as a stream or as a list.
func (s *server) SagaEvents(ctx context.Context, request SagaEventsRequestObject) (SagaEventsResponseObject, error) {
	var after int64
	if request.Params.LastEventIDQuery != nil {
		after = *request.Params.LastEventIDQuery
	}
	if request.Params.LastEventID != nil {
		n, err := strconv.ParseInt(*request.Params.LastEventID, 10, 64)
		if err != nil {
			return nil, malformed(err)
		}
		after = n
	}
	tenant := whereOf(ctx).who.Tenant
	if _, _, err := s.cfg.Store.SagaVersion(ctx, tenant, request.Id); err != nil {
		return nil, err
	}
	if whereOf(ctx).stream {
		return &stream{s: s, ctx: ctx, saga: request.Id, after: after}, nil
	}
	var out []eventView
	for {
		events, err := s.cfg.Store.Events(ctx, tenant, request.Id, after, eventsAtOnce)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			out = append(out, eventView{ID: e.Version, Object: "event", Type: e.Type, Data: e.Data, CreatedAt: stamp(e.CreatedAt)})
			after = e.Version
		}
		if len(events) < eventsAtOnce {
			return jsonAnswer(http.StatusOK, listOf(out))
		}
	}
}

// A stream sends a saga's events as they come, from the table: a wake-up only
// says that there may be more, so nothing is missed or sent twice.
type stream struct {
	s     *server
	ctx   context.Context //nolint:containedctx // the response is written after the handler has returned
	saga  string
	after int64
}

// VisitSagaEventsResponse implements the generated interface.
func (t *stream) VisitSagaEventsResponse(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	send := func(format string, args ...any) error {
		if err := out.SetWriteDeadline(time.Now().Add(slowest)); err != nil {
			return fmt.Errorf("bound a write: %w", err)
		}
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := send("retry: 2000\n\n"); err != nil {
		return nil //nolint:nilerr // the client has left
	}
	// The headers are sent: what goes wrong from here on ends the stream, and
	// the client comes back with what it has.
	_ = t.follow(send)
	return nil
}

func (t *stream) follow(send func(string, ...any) error) error {
	tenant := whereOf(t.ctx).who.Tenant
	woken, stop := t.s.cfg.Watcher.Watch(tenant, t.saga)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		for {
			events, err := t.s.cfg.Store.Events(t.ctx, tenant, t.saga, t.after, eventsAtOnce)
			if err != nil {
				return err
			}
			for _, e := range events {
				if err := send("id: %d\nevent: %s\ndata: %s\n\n", e.Version, e.Type, oneLine(e.Data)); err != nil {
					return err
				}
				t.after = e.Version
			}
			if len(events) < eventsAtOnce {
				break
			}
		}
		version, ended, err := t.s.cfg.Store.SagaVersion(t.ctx, tenant, t.saga)
		if err != nil {
			return err
		}
		if ended && version <= t.after {
			return send("id: %d\nevent: done\ndata: {\"id\":%q}\n\n", t.after, t.saga)
		}
		if version > t.after {
			continue
		}
		select {
		case <-woken:
		case <-beat.C:
			if err := send(": still here\n\n"); err != nil {
				return err
			}
		case <-t.s.cfg.Draining:
			return nil
		case <-t.ctx.Done():
			return t.ctx.Err()
		}
	}
}

// oneLine keeps a JSON text from ending the event's data line.
func oneLine(raw json.RawMessage) string {
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(string(raw))
}
