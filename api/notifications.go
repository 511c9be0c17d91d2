package api

import (
	"context"
	"net/http"
	"time"

	"github.com/recourse/recourse/internal/investigation"
)

type notificationView struct {
	ID            string             `json:"id"`
	Object        string             `json:"object"`
	Investigation string             `json:"investigation"`
	Type          string             `json:"type"`
	State         string             `json:"state"`
	DeterminedAt  stamp              `json:"determined_at"`
	DueAt         *stamp             `json:"due_at"`
	SecondsLeft   *int64             `json:"seconds_left"`
	Late          bool               `json:"late"`
	OpenedAt      stamp              `json:"opened_at"`
	OpenedBy      string             `json:"opened_by"`
	Version       int                `json:"version"`
	Form          investigation.Form `json:"form"`
	Missing       []missingView      `json:"missing"`
	Submission    *submissionView    `json:"submission,omitempty"`
	Incident      *string            `json:"incident_number"`
	Alerts        []alertView        `json:"alerts"`
}

type missingView struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

type submissionView struct {
	SubmittedAt stamp  `json:"submitted_at"`
	Person      string `json:"person"`
	Channel     string `json:"channel"`
	RecordedAt  stamp  `json:"recorded_at"`
	RecordedBy  string `json:"recorded_by"`
}

type alertView struct {
	Hours    int   `json:"hours"`
	RaisedAt stamp `json:"raised_at"`
}

func viewNotification(n *investigation.Notification) notificationView {
	v := notificationView{
		ID: n.ID, Object: "notification", Investigation: n.Investigation, Type: string(n.Type), State: string(n.State), DeterminedAt: stamp(n.DeterminedAt),
		DueAt: orNoStamp(n.DueAt), Late: n.Late, OpenedAt: stamp(n.OpenedAt), OpenedBy: n.OpenedBy, Version: n.Version, Form: n.Form,
		Missing: []missingView{}, Alerts: []alertView{},
	}
	if n.DueAt != nil && n.Submission == nil {
		v.SecondsLeft = &n.SecondsLeft
	}
	if n.Incident != "" {
		v.Incident = &n.Incident
	}
	if s := n.Submission; s != nil {
		v.Submission = &submissionView{stamp(s.At), s.Person, s.Channel, stamp(s.RecordedAt), s.RecordedBy}
	} else {
		for _, m := range n.Missing {
			v.Missing = append(v.Missing, missingView{m.Pointer, m.Detail})
		}
	}
	for _, a := range n.Alerts {
		v.Alerts = append(v.Alerts, alertView{a.Hours, stamp(a.RaisedAt)})
	}
	return v
}

// ListNotifications shows what FDA is to be told, what is due first.
func (s *server) ListNotifications(ctx context.Context, request ListNotificationsRequestObject) (ListNotificationsResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	of := ""
	if request.Params.Investigation != nil {
		of = *request.Params.Investigation
	}
	open := request.Params.Open == nil || *request.Params.Open
	found, err := s.cfg.Investigations.Notifications(ctx, whereOf(ctx).who.Tenant, of, open, after, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, viewNotification, func(n *investigation.Notification) (time.Time, string) { return n.Dueness(), n.ID }))
}

// GetNotification shows one, also as a person types it in.
func (s *server) GetNotification(ctx context.Context, request GetNotificationRequestObject) (GetNotificationResponseObject, error) {
	n, err := s.cfg.Investigations.Notification(ctx, whereOf(ctx).who.Tenant, request.Id)
	if err != nil {
		return nil, investigated(err)
	}
	format := "json"
	if request.Params.Format != nil {
		format = string(*request.Params.Format)
	}
	switch format {
	case "text":
		return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: []byte(n.Text())}, nil
	case "html":
		page, err := n.HTML()
		return Answer{Status: http.StatusOK, Header: map[string]string{"Content-Type": "text/html; charset=utf-8"}, Body: []byte(page)}, err
	}
	return jsonAnswer(http.StatusOK, viewNotification(n))
}

// notify does something with a notification under the request's key and answers
// how it stands then.
func (s *server) notify(ctx context.Context, status int, id string, fn func(ctx context.Context, d *investigation.Desk) error) (Answer, error) {
	return s.atDesk(ctx, fn, func(ctx context.Context, d *investigation.Desk) (Answer, error) {
		n, err := d.Notification(ctx, id)
		if err != nil {
			return Answer{}, err
		}
		a, err := jsonAnswer(status, viewNotification(n))
		if status == http.StatusCreated {
			a = a.with("Location", "/v1/notifications/"+id)
		}
		return a, err
	})
}

// FollowNotification opens a follow-up or a request for termination.
func (s *server) FollowNotification(ctx context.Context, request FollowNotificationRequestObject) (FollowNotificationResponseObject, error) {
	id, by, kind := newID(notificationPrefix, s.cfg.Now()), whereOf(ctx).who.KeyID, investigation.Type(request.Body.Type)
	return s.notify(ctx, http.StatusCreated, id, func(ctx context.Context, d *investigation.Desk) error { return d.Follow(ctx, request.Id, id, kind, by) })
}

// AmendNotification fills in the form.
func (s *server) AmendNotification(ctx context.Context, request AmendNotificationRequestObject) (AmendNotificationResponseObject, error) {
	w := whereOf(ctx)
	return s.notify(ctx, http.StatusOK, request.Id, func(ctx context.Context, d *investigation.Desk) error {
		return d.Amend(ctx, request.Id, w.body, w.who.KeyID)
	})
}

// SubmitNotification records that a person has sent it.
func (s *server) SubmitNotification(ctx context.Context, request SubmitNotificationRequestObject) (SubmitNotificationResponseObject, error) {
	b := request.Body
	if wrong := blanks(map[string]string{"/person": b.Person}); len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	by := whereOf(ctx).who.KeyID
	return s.notify(ctx, http.StatusOK, request.Id, func(ctx context.Context, d *investigation.Desk) error {
		return d.Submit(ctx, request.Id, b.SubmittedAt, b.Person, string(b.Channel), by)
	})
}

// RecordIncident keeps the number that FDA gave.
func (s *server) RecordIncident(ctx context.Context, request RecordIncidentRequestObject) (RecordIncidentResponseObject, error) {
	by := whereOf(ctx).who.KeyID
	return s.notify(ctx, http.StatusOK, request.Id, func(ctx context.Context, d *investigation.Desk) error {
		return d.Incident(ctx, request.Id, request.Body.IncidentNumber, by)
	})
}
