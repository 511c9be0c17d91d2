package investigation

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/tradebook"
)

// NotificationState is where a notification stands.
type NotificationState string

// The states. A draft is one that the law sets no time for.
const (
	Draft     NotificationState = "draft"
	Due       NotificationState = "due"
	DueSoon   NotificationState = "due_soon" // twelve hours or less are left
	Overdue   NotificationState = "overdue"
	Submitted NotificationState = "submitted"
)

// Notification is a Form FDA 3911 on its way to FDA. Times are UTC.
type Notification struct {
	ID            string
	Investigation string
	Type          Type
	State         NotificationState
	DeterminedAt  time.Time
	DueAt         *time.Time // 24 hours after the determination; of the initial one only
	SecondsLeft   int64      // until DueAt, negative after it
	Late          bool       // submitted after DueAt
	OpenedAt      time.Time
	OpenedBy      string
	Version       int // of Form
	Form          Form
	FormAt        time.Time
	FormBy        string
	Missing       []Field // what it lacks to be submitted
	Submission    *Submission
	Incident      string // FDA's number; "" not known yet
	IncidentAt    *time.Time
	FirstSentAt   *time.Time // when the initial one was submitted
	Alerts        []Alert
}

// Submission is that a person has sent it.
type Submission struct {
	At         time.Time // as the person says
	Person     string
	Channel    string // cder_nextgen, email
	RecordedAt time.Time
	RecordedBy string
}

// Alert is that somebody was reminded, so many hours after the determination.
type Alert struct {
	Hours    int
	RaisedAt time.Time
}

func (d *Desk) open(ctx context.Context, id, of string, t Type, f Form, by string) error {
	var determined time.Time
	if err := d.tx.QueryRow(ctx, sqlPutNotification, d.tenant, id, of, string(t), by).Scan(&determined); err != nil {
		return refusedOr(err, "open notification "+id)
	}
	return d.putForm(ctx, id, 1, &f, by)
}

func (d *Desk) putForm(ctx context.Context, id string, n int, f *Form, by string) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("encode a form: %w", err)
	}
	_, err = d.tx.Exec(ctx, sqlPutForm, d.tenant, id, n, raw, by)
	return refusedOr(err, "write the form of "+id)
}

// Follow opens a follow-up, or a request for termination, with what the last
// notification of the investigation said.
func (d *Desk) Follow(ctx context.Context, of, id string, t Type, by string) error {
	v, err := d.find(ctx, of)
	if err != nil {
		return err
	}
	if v.End == nil || v.End.Hold == 0 {
		return &Refused{Code: CodeNotIllegit}
	}
	all, err := d.NotificationsOf(ctx, of)
	if err != nil {
		return err
	}
	last := all[0]
	for _, n := range all {
		if n.OpenedAt.After(last.OpenedAt) {
			last = n
		}
	}
	f := last.Form
	f.Termination = ""
	return d.open(ctx, id, of, t, f, by)
}

// Amend writes a new version of a form: what change, a JSON object of its
// members, names is replaced. Serial numbers that were not listed are not part
// of a list somebody gives.
func (d *Desk) Amend(ctx context.Context, id string, change json.RawMessage, by string) error {
	n, err := d.Notification(ctx, id)
	if err != nil {
		return err
	}
	if n.State == Submitted {
		return &Refused{Code: CodeSubmitted}
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(change, &named); err != nil {
		return fmt.Errorf("read a change of a form: %w", err)
	}
	if _, ok := named["serial_numbers"]; ok {
		n.Form.MoreSerials = 0
	}
	if err := json.Unmarshal(change, &n.Form); err != nil {
		return fmt.Errorf("read a change of a form: %w", err)
	}
	if wrong := n.Form.wrong(); len(wrong) > 0 {
		return &Refused{Code: "validation_failed", Fields: wrong}
	}
	return d.putForm(ctx, id, n.Version+1, &n.Form, by)
}

// Submit records that a person has sent the form as it stands. at nil is now.
func (d *Desk) Submit(ctx context.Context, id string, at *time.Time, person, channel, by string) error {
	n, err := d.Notification(ctx, id)
	if err != nil {
		return err
	}
	if n.State == Submitted {
		return &Refused{Code: CodeSubmitted}
	}
	if len(n.Missing) > 0 {
		return &Refused{Code: CodeIncomplete, Fields: n.Missing}
	}
	_, err = d.tx.Exec(ctx, sqlPutSubmission, d.tenant, id, n.Version, at, person, channel, by)
	return refusedOr(err, "submit "+id)
}

// Incident records the number that FDA gave the incident of a notification.
func (d *Desk) Incident(ctx context.Context, id, number, by string) error {
	n, err := d.Notification(ctx, id)
	if err != nil {
		return err
	}
	_, err = d.tx.Exec(ctx, sqlPutIncident, d.tenant, n.Investigation, number, by)
	return refusedOr(err, "record the incident of "+id)
}

// Notification is one as it stands. ErrNotFound.
func (d *Desk) Notification(ctx context.Context, id string) (*Notification, error) {
	found, err := d.notifications(ctx, id, "", false, tradebook.After{}, 1)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, ErrNotFound
	}
	return found[0], nil
}

// NotificationsOf are those of an investigation.
func (d *Desk) NotificationsOf(ctx context.Context, id string) ([]*Notification, error) {
	return d.notifications(ctx, "", id, false, tradebook.After{}, 1000)
}

// Dueness is where a notification stands in their list.
func (n *Notification) Dueness() time.Time {
	if n.DueAt != nil {
		return *n.DueAt
	}
	return time.Date(9970, 1, 1, 0, 0, 0, 0, time.UTC) // as in their query
}

func (d *Desk) notifications(ctx context.Context, id, of string, open bool, after tradebook.After, limit int) ([]*Notification, error) {
	return collect(ctx, d.tx, "read notifications", sqlNotifications, func(row pgx.CollectableRow) (*Notification, error) {
		n, s := &Notification{}, &Submission{}
		var at, recorded *time.Time
		var raw []byte
		var hours []int32
		var raised []time.Time
		err := row.Scan(&n.ID, &n.Investigation, &n.Type, &n.DeterminedAt, &n.DueAt, &n.OpenedAt, &n.OpenedBy, &n.State, &n.SecondsLeft, &n.Late,
			&n.Version, &raw, &n.FormAt, &n.FormBy, &at, &s.Person, &s.Channel, &recorded, &s.RecordedBy, &n.Incident, &n.IncidentAt, &n.FirstSentAt,
			&hours, &raised)
		if err != nil {
			return nil, err
		}
		if at != nil && recorded != nil {
			s.At, s.RecordedAt, n.Submission = *at, *recorded, s
		}
		for i := range hours {
			n.Alerts = append(n.Alerts, Alert{int(hours[i]), raised[i]})
		}
		if err := json.Unmarshal(raw, &n.Form); err != nil {
			return nil, fmt.Errorf("read the form of %s: %w", n.ID, err)
		}
		n.Missing = n.Form.missing(n.Type, n.Incident)
		return n, nil
	}, d.tenant, id, of, open, after.At, after.ID, limit)
}
