package api

import (
	"encoding/json"
	"time"
)

// stamp is a time as the API writes it: UTC, milliseconds.
type stamp time.Time

const stampFormat = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (t stamp) MarshalJSON() ([]byte, error) {
	return []byte(`"` + time.Time(t).UTC().Format(stampFormat) + `"`), nil
}

func orNoStamp(t *time.Time) *stamp {
	if t == nil {
		return nil
	}
	s := stamp(*t)
	return &s
}

type sagaView struct {
	ID            string          `json:"id"`
	Object        string          `json:"object"`
	Type          string          `json:"type"`
	Status        string          `json:"status"`
	Terminal      bool            `json:"terminal"`
	OrderRef      string          `json:"order_ref"`
	Amount        int64           `json:"amount"`
	Currency      string          `json:"currency"`
	Steps         []stepView      `json:"steps"`
	Compensations []stepView      `json:"compensations"`
	Failure       json.RawMessage `json:"failure"`
	Version       int64           `json:"version"`
	CreatedAt     stamp           `json:"created_at"`
	UpdatedAt     stamp           `json:"updated_at"`
	Livemode      bool            `json:"livemode"`
	Metadata      json.RawMessage `json:"metadata"`
}

type stepView struct {
	Name       string          `json:"name"`
	Status     string          `json:"status"`
	Attempt    int             `json:"attempt"`
	StartedAt  stamp           `json:"started_at"`
	FinishedAt *stamp          `json:"finished_at,omitempty"`
	Failure    json.RawMessage `json:"failure,omitempty"`
}

// view is a saga as its marketplace sees it.
func (s *server) view(v SagaRecord) sagaView {
	out := sagaView{
		ID: v.ID, Object: "saga", Type: v.Type, Status: v.Status, Terminal: terminal(v.Status), OrderRef: v.OrderRef,
		Amount: v.Amount, Currency: v.Currency, Steps: []stepView{}, Compensations: []stepView{}, Failure: orNull(v.Failure),
		Version: v.Version, CreatedAt: stamp(v.CreatedAt), UpdatedAt: stamp(v.UpdatedAt), Livemode: s.cfg.Live, Metadata: v.Metadata,
	}
	if len(out.Metadata) == 0 {
		out.Metadata = json.RawMessage(`{}`)
	}
	for _, o := range v.Operations {
		step := stepView{
			Name: o.Step, Status: o.Status, Attempt: o.Attempt, StartedAt: stamp(o.StartedAt), FinishedAt: orNoStamp(o.FinishedAt),
		}
		if string(o.Failure) != "null" {
			step.Failure = o.Failure
		}
		if o.Op == "undo" {
			out.Compensations = append(out.Compensations, step)
		} else {
			out.Steps = append(out.Steps, step)
		}
	}
	return out
}

func terminal(status string) bool {
	return status == "completed" || status == "compensated" || status == "rejected"
}

func orNull(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("null")
	}
	return raw
}

// A list is every list answer.
type list[T any] struct {
	Object string `json:"object"`
	Data   []T    `json:"data"`
}

func listOf[T any](data []T) list[T] {
	if data == nil {
		data = []T{}
	}
	return list[T]{Object: "list", Data: data}
}
