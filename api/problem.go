package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/recourse/recourse/ledger"
)

// A FieldError is what is wrong with one field of the body. Detail never
// repeats the value.
type FieldError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code"`
	Detail  string `json:"detail"`
}

// A refusal is an error that becomes a problem of its kind.
type refusal struct {
	code   string
	detail string
	fields []FieldError
	saga   string
	retry  string // Retry-After
}

func (r *refusal) Error() string { return r.code }

func refuse(code string) *refusal { return &refusal{code: code} }

func refuseField(code, pointer, detail string) *refusal {
	return &refusal{code: code, fields: []FieldError{{Pointer: pointer, Code: code, Detail: detail}}}
}

type problemBody struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Code      string       `json:"code"`
	Detail    string       `json:"detail,omitempty"`
	Instance  string       `json:"instance,omitempty"`
	RequestID string       `json:"request_id"`
	Retryable bool         `json:"retryable"`
	SagaID    string       `json:"saga_id,omitempty"`
	Errors    []FieldError `json:"errors,omitempty"`
}

// problem is a refusal as a response.
func (s *server) problem(ctx context.Context, r *refusal) Answer {
	k := kinds[r.code]
	detail := r.detail
	if detail == "" {
		detail = k.meaning
	}
	where := whereOf(ctx)
	a, err := jsonAnswer(k.status, problemBody{
		Type: s.cfg.BaseURL + "/errors/" + r.code, Title: k.title, Status: k.status, Code: r.code, Detail: detail,
		Instance: where.path, RequestID: where.requestID, Retryable: k.retryable, SagaID: r.saga, Errors: r.fields,
	}, "Content-Type", "application/problem+json")
	if err != nil { // strings and numbers always encode
		return Answer{Status: http.StatusInternalServerError}
	}
	switch {
	case r.retry != "":
		a = a.with("Retry-After", r.retry)
	case r.code == "unavailable":
		a = a.with("Retry-After", "2")
	case r.code == "idempotency_key_in_use":
		a = a.with("Retry-After", "1")
	case r.code == "unauthenticated":
		a = a.with("WWW-Authenticate", `Bearer realm="recourse"`)
	}
	return a
}

// asRefusal finds the problem for an error of a handler. What has no problem
// of its own is logged and told as a 500 or a 503, without details.
func (s *server) asRefusal(ctx context.Context, err error) *refusal {
	var r *refusal
	var no *LedgerRefusedError
	var taken *TakenError
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, ErrNotFound):
		return refuse("not_found")
	case errors.Is(err, ErrBusy):
		return refuse("idempotency_key_in_use")
	case errors.Is(err, ErrSamePerson):
		return refuse("same_person")
	case errors.Is(err, ErrNotAllowed):
		return refuse("forbidden")
	case errors.Is(err, ErrAlreadyProposed):
		return refuse("already_proposed")
	case errors.Is(err, ErrDecided):
		return refuse("already_decided")
	case errors.Is(err, ErrApproverLostRole):
		return refuse("approver_lost_role")
	case errors.Is(err, ErrApprovalChanged):
		return refuse("approval_changed")
	case errors.Is(err, ErrTakesTwo):
		return refuse("approval_changed") // an approval was used up, and the register is not asked for what it says
	case errors.As(err, &taken):
		return &refusal{code: taken.Code, detail: taken.Detail}
	case errors.Is(err, ledger.ErrNoBook):
		return refuse("entity_unknown")
	case errors.As(err, &no):
		return &refusal{code: "ledger_refused", detail: sentence(no.Detail)}
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		s.log.WarnContext(ctx, "unavailable", slog.String("request_id", whereOf(ctx).requestID), slog.Any("error", err))
		return refuse("unavailable")
	default:
		s.log.ErrorContext(ctx, "request failed", slog.String("request_id", whereOf(ctx).requestID), slog.Any("error", err))
		return refuse("internal_error")
	}
}

// abort answers with a problem and ends the request.
func (s *server) abort(c *gin.Context, err error) {
	c.Abort()
	if c.Writer.Written() {
		return
	}
	ctx := c.Request.Context()
	if err := s.problem(ctx, s.asRefusal(ctx, err)).write(c.Writer); err != nil {
		s.log.DebugContext(ctx, "the client left before its answer", slog.Any("error", err))
	}
}

// page is what a problem's type points to.
func (s *server) page(c *gin.Context) {
	code := c.Param("code")
	k, ok := kinds[code]
	if !ok {
		s.abort(c, refuse("not_found"))
		return
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", fmt.Appendf(nil, "%s (%d)\n\n%s.\n\n%s\n\nWhat to do: %s\n", code, k.status, k.title, k.meaning, k.do))
}

func itoa(n int) string { return strconv.Itoa(n) }
