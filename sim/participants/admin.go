package participants

import (
	"encoding/json"
	"net/http"
)

// A Summary is what the book says of one saga and kind.
type Summary struct {
	Reserved  int `json:"reserved"`
	Confirmed int `json:"confirmed"`
	Cancelled int `json:"cancelled"`
	Refused   int `json:"refused"`
	Open      int `json:"open"` // held and neither confirmed nor cancelled
	Booked    int `json:"booked"`
}

func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out any
	switch r.URL.Path {
	case "/_sim/healthz":
		out = map[string]string{"status": "ok"}
	case "/_sim/book":
		lines := []Line{}
		for _, l := range s.book {
			if saga := r.URL.Query().Get("saga"); saga == "" || saga == l.SagaID {
				lines = append(lines, l)
			}
		}
		out = map[string]any{"data": lines}
	case "/_sim/inbox":
		out = map[string]any{"data": s.inboxBook()}
	case "/_sim/book/summary":
		out = map[string]any{"sagas": s.summarize()}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// summarize adds the book up by saga and kind. An ongoing reservation that is
// due counts as held: nobody has to ask for it to happen.
func (s *Server) summarize() map[string]map[string]Summary {
	out := map[string]map[string]Summary{}
	add := func(saga, kind string, change func(*Summary)) {
		if out[saga] == nil {
			out[saga] = map[string]Summary{}
		}
		sum := out[saga][kind]
		change(&sum)
		out[saga][kind] = sum
	}
	state := map[string]string{}
	for _, l := range s.book {
		before := state[l.Kind+"/"+l.Key]
		add(l.SagaID, l.Kind, func(sum *Summary) {
			switch l.Op {
			case reserved:
				sum.Reserved++
				sum.Open++
			case confirmed:
				sum.Confirmed++
				sum.Open--
				sum.Booked++
			case cancelled:
				sum.Cancelled++
				switch before {
				case confirmed:
					sum.Booked--
				case reserved:
					sum.Open--
				}
			case refused:
				sum.Refused++
			}
		})
		state[l.Kind+"/"+l.Key] = l.Op
	}
	now := s.cfg.Clock().UTC()
	for _, r := range s.all {
		if r.Status == ongoing && !r.DueAt.IsZero() && !now.Before(r.DueAt) {
			add(sagaOf(&r), r.Kind, func(sum *Summary) { sum.Reserved++; sum.Open++ })
		}
	}
	return out
}
