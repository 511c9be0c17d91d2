// Package fault plants what goes wrong between a client and a simulator. A rule
// names a route and what happens there; how often it struck is counted.
package fault

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds. "Before" means that nothing is done; the others do it.
const (
	None                 Kind = ""
	ExecuteThenTimeout   Kind = "ExecuteThenTimeout"   // done, never answered
	TimeoutBeforeExecute Kind = "TimeoutBeforeExecute" // nothing done, never answered
	ExecuteThen500       Kind = "ExecuteThen500"       // done, answered 500
	Before500            Kind = "500Before"            // nothing done, answered 500
	TooMany              Kind = "429"                  // nothing done
	Conflict             Kind = "409"                  // nothing done, key in use
	Reset                Kind = "Reset"                // done, connection cut
	Garbage              Kind = "Garbage"              // done, answer is not JSON
	Truncate             Kind = "Truncate"             // done, answer is cut
	Slow                 Kind = "Slow"                 // answered after a delay
	WrongObject          Kind = "WrongObject"          // done, the answer is about something else
)

var kinds = []Kind{
	ExecuteThenTimeout, TimeoutBeforeExecute, ExecuteThen500, Before500, TooMany, Conflict, Reset, Garbage, Truncate, Slow, WrongObject,
}

// A Rule plants one fault. Method and Saga may be empty: any. Nth > 0 strikes
// only at that match; First > 0 only at the first so many; Probability in
// (0, 1) only that often, by a hash of Seed and the number of the match.
type Rule struct {
	Method      string  `json:"method,omitempty"`
	Route       string  `json:"route"`
	Saga        string  `json:"saga,omitempty"`
	Nth         int     `json:"nth,omitempty"`
	First       int     `json:"first,omitempty"`
	Probability float64 `json:"probability,omitempty"`
	Seed        int     `json:"seed,omitempty"`
	Kind        Kind    `json:"kind"`
	DelayMS     int     `json:"delay_ms,omitempty"`

	Matches int `json:"matches"`
	Hits    int `json:"hits"`
}

// Set is the rules in force. The zero Set has none.
type Set struct {
	mu    sync.Mutex
	rules []*Rule
}

// Match returns the fault that is due for a request, and its delay.
func (s *Set) Match(method, route, saga string) (Kind, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.Method != "" && r.Method != method || r.Route != route || r.Saga != "" && r.Saga != saga {
			continue
		}
		r.Matches++
		if r.Nth > 0 && r.Matches != r.Nth || r.First > 0 && r.Matches > r.First || !r.strikes() {
			continue
		}
		r.Hits++
		return r.Kind, time.Duration(r.DelayMS) * time.Millisecond
	}
	return None, 0
}

func (r *Rule) strikes() bool {
	if r.Probability <= 0 || r.Probability >= 1 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(strconv.Itoa(r.Seed) + "/" + strconv.Itoa(r.Matches)))
	return float64(h.Sum32()%10_000) < r.Probability*10_000
}

// ServeHTTP is the door for tests: POST plants a rule, GET lists them with
// their hits, DELETE takes all away.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var rule Rule
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		d.DisallowUnknownFields()
		if err := d.Decode(&rule); err != nil {
			http.Error(w, "not a rule", http.StatusBadRequest)
			return
		}
		if err := s.Add(rule); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
	case http.MethodDelete:
		s.mu.Lock()
		s.rules = nil
		s.mu.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"data": s.Rules()})
	}
}

// Add plants a rule.
func (s *Set) Add(rule Rule) error {
	known := false
	for _, k := range kinds {
		known = known || k == rule.Kind
	}
	if !known || rule.Route == "" {
		return errors.New("a rule needs a route and a known kind")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rule.Matches, rule.Hits = 0, 0
	s.rules = append(s.rules, &rule)
	return nil
}

// Rules lists the rules with their hits.
func (s *Set) Rules() []Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []Rule{}
	for _, r := range s.rules {
		out = append(out, *r)
	}
	return out
}
