package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/tradebook"
)

// Investigations is what was looked into, and what FDA is told of it.
type Investigations interface {
	Investigation(ctx context.Context, tenant uuid.UUID, id string) (*investigation.Investigation, error)
	Investigations(ctx context.Context, tenant uuid.UUID, state investigation.State, after tradebook.After, limit int) ([]*investigation.Investigation, error)
	Verifications(ctx context.Context, tenant uuid.UUID, id string, before int64, limit int) ([]investigation.Verification, error)
	Matches(ctx context.Context, tenant uuid.UUID, id, after string, limit int) ([]investigation.Match, error)
	ClearedNotice(ctx context.Context, tenant uuid.UUID, id string, today time.Time) (string, error)
	Notification(ctx context.Context, tenant uuid.UUID, id string) (*investigation.Notification, error)
	Notifications(ctx context.Context, tenant uuid.UUID, of string, open bool, after tradebook.After, limit int) ([]*investigation.Notification, error)
}

const (
	investigationPrefix = "inv_"
	notificationPrefix  = "ntf_"
)

// OpenInvestigation keeps suspect product from sale and begins to look into it.
func (s *server) OpenInvestigation(ctx context.Context, request OpenInvestigationRequestObject) (OpenInvestigationResponseObject, error) {
	b := request.Body
	o := investigation.Opening{
		ID: newID(investigationPrefix, s.cfg.Now()), Company: b.Company, Suspicion: investigation.Suspicion(b.Suspicion), Summary: b.Summary,
		By: whereOf(ctx).who.KeyID,
	}
	var wrong []FieldError
	o.Units, o.GTIN, o.Lot, wrong = suspected(b.Units, b.Gtin, b.Lot)
	wrong = append(wrong, blanks(map[string]string{"/summary": b.Summary})...)
	if f := b.FdaRequest; f != nil {
		on := f.RequestedOn.Time
		o.FDAAsked, o.FDAOffice = &on, f.Office
		wrong = append(wrong, blanks(map[string]string{"/fda_request/office": f.Office})...)
		if on.After(s.cfg.Now()) {
			wrong = append(wrong, FieldError{Pointer: "/fda_request/requested_on", Code: "out_of_range", Detail: "is in the future"})
		}
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.investigate(ctx, http.StatusCreated, o.ID, func(ctx context.Context, d *investigation.Desk) error { return d.Open(ctx, o) })
}

// blanks names texts that say nothing.
func blanks(texts map[string]string) (out []FieldError) {
	for pointer, text := range texts {
		if strings.TrimSpace(text) == "" {
			out = append(out, FieldError{Pointer: pointer, Code: "required", Detail: "is blank"})
		}
	}
	return out
}

// investigate does something with an investigation under the request's key and
// answers how it stands then.
func (s *server) investigate(ctx context.Context, status int, id string, fn func(ctx context.Context, d *investigation.Desk) error) (Answer, error) {
	return s.atDesk(ctx, fn, func(ctx context.Context, d *investigation.Desk) (Answer, error) {
		v, err := d.Investigation(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		list, err := d.NotificationsOf(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		a, err := jsonAnswer(status, viewInvestigation(v, list))
		if status == http.StatusCreated {
			a = a.with("Location", "/v1/investigations/"+id)
		}
		return a, err
	})
}

// atDesk does something at the desk, or takes it back and keeps the refusal.
func (s *server) atDesk(ctx context.Context, fn func(context.Context, *investigation.Desk) error, show func(context.Context, *investigation.Desk) (Answer, error)) (Answer, error) {
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		desk := tx.Investigations()
		if err := tx.Try(ctx, func(ctx context.Context) error { return fn(ctx, desk) }); err != nil {
			return s.stored(ctx, investigated(err))
		}
		return show(ctx, desk)
	})
}

// investigated makes what an investigation refuses a refusal.
func investigated(err error) error {
	var no *investigation.Refused
	switch {
	case errors.Is(err, investigation.ErrNotFound):
		return ErrNotFound
	case errors.As(err, &no):
		r := &refusal{code: no.Code, detail: no.Detail}
		for _, f := range no.Fields {
			r.fields = append(r.fields, FieldError(f))
		}
		return r
	}
	return err
}

// ListInvestigations shows them, newest first.
func (s *server) ListInvestigations(ctx context.Context, request ListInvestigationsRequestObject) (ListInvestigationsResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	var state investigation.State
	if request.Params.State != nil {
		state = investigation.State(*request.Params.State)
	}
	found, err := s.cfg.Investigations.Investigations(ctx, whereOf(ctx).who.Tenant, state, after, n+1)
	if err != nil {
		return nil, err
	}
	show := func(v *investigation.Investigation) investigationView {
		out := viewInvestigation(v, nil)
		if v.State == investigation.Open {
			out.Progress = nil
		}
		return out
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, show, func(v *investigation.Investigation) (time.Time, string) { return v.OpenedAt, v.ID }))
}

// GetInvestigation shows one as it stands.
func (s *server) GetInvestigation(ctx context.Context, request GetInvestigationRequestObject) (GetInvestigationResponseObject, error) {
	tenant := whereOf(ctx).who.Tenant
	v, err := s.cfg.Investigations.Investigation(ctx, tenant, request.Id)
	if err != nil {
		return nil, investigated(err)
	}
	list, err := s.cfg.Investigations.Notifications(ctx, tenant, request.Id, false, tradebook.After{}, 1000)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, viewInvestigation(v, list))
}

// RecordVerifications keeps what the verification of packages gave.
func (s *server) RecordVerifications(ctx context.Context, request RecordVerificationsRequestObject) (RecordVerificationsResponseObject, error) {
	var wrong []FieldError
	var all []investigation.Verification
	for i, b := range request.Body.Verifications {
		at := "/verifications/" + itoa(i)
		v := investigation.Verification{Result: string(b.Result), Source: b.Source}
		var ok bool
		if v.Unit, ok = unitKey(b.Unit); !ok {
			wrong = append(wrong, FieldError{Pointer: at + "/unit", Code: "invalid", Detail: "is no package; check its digits and its spelling"})
		}
		if b.Failure != nil {
			v.Failure = string(*b.Failure)
		}
		if (v.Failure == "") != (b.Result == "verified") {
			wrong = append(wrong, FieldError{Pointer: at + "/failure", Code: "invalid", Detail: "is given for not_verified, and only for that"})
		}
		if b.Note != nil {
			v.Note = *b.Note
		}
		wrong = append(wrong, blanks(map[string]string{at + "/source": b.Source})...)
		all = append(all, v)
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	by := whereOf(ctx).who.KeyID
	return s.investigate(ctx, http.StatusCreated, request.Id, func(ctx context.Context, d *investigation.Desk) error { return d.Verify(ctx, request.Id, by, all) })
}

// ListVerifications shows what was said of packages, newest first.
func (s *server) ListVerifications(ctx context.Context, request ListVerificationsRequestObject) (ListVerificationsResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	before, _ := strconv.ParseInt(after.ID, 10, 64) // of no cursor, or of another list's: the beginning
	found, err := s.cfg.Investigations.Verifications(ctx, whereOf(ctx).who.Tenant, request.Id, before, n+1)
	if err != nil {
		return nil, investigated(err)
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewVerification, func(v investigation.Verification) (time.Time, string) {
		return v.At, strconv.FormatInt(v.N, 10)
	}))
}

// ListMatches shows what came in, or moved, after the quarantine began.
func (s *server) ListMatches(ctx context.Context, request ListMatchesRequestObject) (ListMatchesResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Investigations.Matches(ctx, whereOf(ctx).who.Tenant, request.Id, after.ID, n+1)
	if err != nil {
		return nil, investigated(err)
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewMatch, func(m investigation.Match) (time.Time, string) { return m.EventTime, m.Unit }))
}

// ClearedNotice is what FDA is told of product that it had asked about.
func (s *server) ClearedNotice(ctx context.Context, request ClearedNoticeRequestObject) (ClearedNoticeResponseObject, error) {
	text, err := s.cfg.Investigations.ClearedNotice(ctx, whereOf(ctx).who.Tenant, request.Id, s.cfg.Now())
	if err != nil {
		return nil, investigated(err)
	}
	return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: []byte(text)}, nil
}

// ClearInvestigation finds that the product is not illegitimate.
func (s *server) ClearInvestigation(ctx context.Context, request ClearInvestigationRequestObject) (ClearInvestigationResponseObject, error) {
	b := request.Body
	if wrong := blanks(map[string]string{"/summary": b.Summary, "/person": b.Person, "/position": b.Position}); len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	c := investigation.Conclusion{By: whereOf(ctx).who.KeyID, Person: b.Person, Position: b.Position, Summary: b.Summary, FDAToldAt: b.FdaNotifiedAt}
	return s.investigate(ctx, http.StatusOK, request.Id, func(ctx context.Context, d *investigation.Desk) error { return d.Clear(ctx, request.Id, c) })
}

// DetermineIllegitimate finds the product illegitimate and opens the
// notification.
func (s *server) DetermineIllegitimate(ctx context.Context, request DetermineIllegitimateRequestObject) (DetermineIllegitimateResponseObject, error) {
	b := request.Body
	if wrong := blanks(map[string]string{"/evidence": b.Evidence, "/person": b.Person, "/position": b.Position}); len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	c := investigation.Conclusion{By: whereOf(ctx).who.KeyID, Person: b.Person, Position: b.Position, Summary: b.Evidence}
	id := newID(notificationPrefix, s.cfg.Now())
	return s.investigate(ctx, http.StatusCreated, request.Id, func(ctx context.Context, d *investigation.Desk) error { return d.Determine(ctx, request.Id, id, c) })
}

// RecordDisposition keeps what became of illegitimate product.
func (s *server) RecordDisposition(ctx context.Context, request RecordDispositionRequestObject) (RecordDispositionResponseObject, error) {
	b := request.Body
	if wrong := blanks(map[string]string{"/summary": b.Summary}); len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	x := investigation.Disposition{Method: string(b.Method), ConcludedOn: b.ConcludedOn.Time, Summary: b.Summary, By: whereOf(ctx).who.KeyID}
	return s.investigate(ctx, http.StatusCreated, request.Id, func(ctx context.Context, d *investigation.Desk) error { return d.Dispose(ctx, request.Id, x) })
}
