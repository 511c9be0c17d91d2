package epcisapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/recourse/recourse/dscsa/query"
)

// An exception is an answer that says what to change: RFC 9457 with the
// standard's exception as its type.
type exception struct {
	name   string
	status int
	title  string
	detail string
	after  bool // may be tried again in a moment
}

func (e *exception) Error() string { return e.name + ": " + e.detail }

func refused(name string, status int, title, detail string) *exception {
	return &exception{name: name, status: status, title: title, detail: detail}
}

func invalid(detail string) *exception {
	return refused("ValidationException", http.StatusBadRequest, "The request cannot be taken", detail)
}

func wrongParameter(detail string) *exception {
	return refused("QueryParameterException", http.StatusBadRequest, "A query parameter cannot be taken", detail)
}

func unacceptable(detail string) *exception {
	return refused("NotAcceptableException", http.StatusNotAcceptable, "No form of the answer is accepted", detail)
}

var notFound = refused("NoSuchResourceException", http.StatusNotFound, "There is no such thing here", "Nothing is known under this name.")

// asException turns an error into what the client is told. What the client
// cannot mend stays in the log.
func asException(err error) *exception {
	var e *exception
	var parameter *query.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &parameter):
		return wrongParameter(parameter.Error())
	case errors.Is(err, ErrNotFound):
		return notFound
	case errors.Is(err, ErrPlace):
		return wrongParameter("nextPageToken: is not one this repository gave out; start again without it")
	case errors.Is(err, ErrSender):
		return refused("SecurityException", http.StatusForbidden, "The sender is not who sends", "The document names another sender than the partner whose credential this is.")
	case errors.Is(err, ErrBusy):
		busy := refused("ImplementationException", http.StatusServiceUnavailable, "Busy", "Too many documents are being taken at once. Send it again in a moment.")
		busy.after = true
		return busy
	default:
		return nil
	}
}

// fail answers with a problem.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e := asException(err)
	if e == nil {
		s.log.ErrorContext(r.Context(), "epcis request failed", slog.String("path", r.Pattern), slog.Any("error", err))
		e = refused("ImplementationException", http.StatusServiceUnavailable, "Not possible just now", "Nothing was kept. Send the request again.")
		e.after = true
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Del("Link")
	if e.after {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "epcisException:" + e.name, "title": e.title, "status": e.status, "detail": e.detail, "retryable": e.after,
		"request_id": h.Get("Request-Id"),
	})
}
