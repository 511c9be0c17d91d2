package stripe

import (
	"encoding/json"
	"net/http"
	"time"
)

// A Summary is what the book says of one saga, in minor units.
type Summary struct {
	Authorized        int64 `json:"authorized"`
	Captured          int64 `json:"captured"`
	Refunded          int64 `json:"refunded"`
	Canceled          int64 `json:"canceled"`
	Fees              int64 `json:"fees"`
	Captures          int   `json:"captures"`
	Refunds           int   `json:"refunds"`
	OpenAuthorization int64 `json:"open_authorization"`
}

// admin is the door for tests: the book, the clock, the keys.
func (s *Server) admin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out any
	switch r.Method + " " + r.URL.Path {
	case "GET /_sim/healthz":
		out = map[string]string{"status": "ok"}
	case "GET /_sim/book":
		lines := []Line{}
		for _, l := range s.state.book {
			if saga := r.URL.Query().Get("saga"); saga == "" || saga == l.SagaID {
				lines = append(lines, l)
			}
		}
		out = map[string]any{"data": lines}
	case "GET /_sim/book/summary":
		out = map[string]any{"sagas": summarize(s.state.book)}
	case "POST /_sim/clock":
		var body struct {
			Seconds int64 `json:"advance_seconds"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Seconds <= 0 {
			http.Error(w, errNoClock.Error(), http.StatusBadRequest)
			return
		}
		if err := s.commit(change{Advance: time.Duration(body.Seconds) * time.Second}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		out = map[string]any{"now": s.now()}
	case "POST /_sim/keys":
		var body struct {
			Keys []string `json:"keys"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			http.Error(w, "want {\"keys\":[…]}", http.StatusBadRequest)
			return
		}
		s.keys = body.Keys
		out = map[string]any{"keys": len(s.keys)}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

// summarize adds the book up by saga.
func summarize(book []Line) map[string]Summary {
	out := map[string]Summary{}
	for _, l := range book {
		sum := out[l.SagaID]
		switch l.Kind {
		case "authorized":
			sum.Authorized += l.Amount
			sum.OpenAuthorization += l.Amount
		case "captured":
			sum.Captured += l.Amount
			sum.Captures++
			sum.OpenAuthorization -= l.Amount
		case "canceled":
			sum.Canceled += l.Amount
			sum.OpenAuthorization -= l.Amount
		case "refunded":
			sum.Refunded += l.Amount
			sum.Refunds++
		case "fee":
			sum.Fees += l.Amount
		}
		out[l.SagaID] = sum
	}
	return out
}
