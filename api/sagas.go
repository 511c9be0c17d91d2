package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ListSagas lists orders, newest first.
func (s *server) ListSagas(ctx context.Context, request ListSagasRequestObject) (ListSagasResponseObject, error) {
	p := request.Params
	who := whereOf(ctx).who
	f := SagaFilter{CreatedFrom: p.CreatedGte, CreatedBefore: p.CreatedLt, Limit: 20}
	if p.Limit != nil {
		f.Limit = *p.Limit
	}
	if p.Status != nil {
		f.Status = string(*p.Status)
	}
	if p.Type != nil {
		f.Type = *p.Type
	}
	if p.OrderRef != nil {
		f.OrderRef = *p.OrderRef
	}
	cursor := p.Cursor
	if cursor == nil {
		cursor = p.StartingAfter
	}
	if cursor != nil {
		var ok bool
		if f.AfterAt, f.AfterID, ok = s.openCursor(who.Tenant[:], *cursor); !ok {
			return nil, &refusal{code: "validation_failed", fields: []FieldError{{Pointer: "#/parameters/cursor", Code: "invalid", Detail: "is not a next_cursor of this list"}}}
		}
	}
	page := f
	page.Limit++
	sagas, err := s.cfg.Store.Sagas(ctx, who.Tenant, page)
	if err != nil {
		return nil, err
	}
	out := struct {
		list[sagaView]

		HasMore    bool    `json:"has_more"`
		NextCursor *string `json:"next_cursor"`
	}{list: listOf[sagaView](nil)}
	if out.HasMore = len(sagas) > f.Limit; out.HasMore {
		sagas = sagas[:f.Limit]
		last := sagas[len(sagas)-1]
		next := s.cursor(who.Tenant[:], last.CreatedAt, last.ID)
		out.NextCursor = &next
	}
	for _, v := range sagas {
		out.Data = append(out.Data, s.view(v))
	}
	return jsonAnswer(http.StatusOK, out)
}

// GetSaga answers where an order stands, at once or when it changes.
func (s *server) GetSaga(ctx context.Context, request GetSagaRequestObject) (GetSagaResponseObject, error) {
	who := whereOf(ctx).who
	known := ""
	if request.Params.IfNoneMatch != nil {
		known = *request.Params.IfNoneMatch
	}
	if request.Params.Wait != nil && known != "" {
		if err := s.waitForChange(ctx, request.Id, known, time.Duration(*request.Params.Wait)*time.Second); err != nil {
			return nil, err
		}
	}
	v, err := s.cfg.Store.Saga(ctx, who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	tag := etag(v.Version)
	if matches(known, tag) {
		return Answer{Status: http.StatusNotModified, Header: map[string]string{"ETag": tag}}, nil
	}
	return jsonAnswer(http.StatusOK, s.view(v), "ETag", tag)
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		if candidate == tag || candidate == "*" {
			return true
		}
	}
	return false
}

// waitForChange returns when the saga has another version than the client
// knows, has ended, or the time is over.
func (s *server) waitForChange(ctx context.Context, id, known string, wait time.Duration) error {
	who := whereOf(ctx).who
	woken, stop := s.cfg.Watcher.Watch(who.Tenant, id)
	defer stop()
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		version, ended, err := s.cfg.Store.SagaVersion(ctx, who.Tenant, id)
		if err != nil || ended || !matches(known, etag(version)) {
			return err
		}
		select {
		case <-woken:
		case <-over.C:
			return nil
		case <-s.cfg.Draining:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// CancelSaga keeps the wish to cancel and wakes the saga.
func (s *server) CancelSaga(ctx context.Context, request CancelSagaRequestObject) (CancelSagaResponseObject, error) {
	reason := "cancelled by the client"
	if request.Body != nil && request.Body.Reason != nil {
		reason = *request.Body.Reason
	}
	a, err := s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		outcome, err := tx.Cancel(ctx, request.Id, reason)
		switch {
		case err != nil:
			return Answer{}, err
		case outcome.Ended:
			return s.problem(ctx, refuse("saga_already_finished")), nil
		case outcome.PivotPassed:
			return s.problem(ctx, refuse("past_point_of_no_return")), nil
		}
		v, err := tx.Saga(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		return s.acceptance(v)
	})
	if err == nil && a.Status == http.StatusAccepted {
		// The row is what counts; this only makes the saga look sooner.
		if hint := s.cfg.Orchestrator.CancelSaga(ctx, request.Id); hint != nil {
			s.log.WarnContext(ctx, "the saga was not woken to be cancelled", slog.String("saga_id", request.Id), slog.Any("error", hint))
		}
	}
	return a, err
}
