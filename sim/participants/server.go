package participants

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/recourse/recourse/sim/internal/fault"
	"github.com/recourse/recourse/sim/internal/journal"
)

// Config is how a simulator runs.
type Config struct {
	Clock       func() time.Time
	APIKey      string // the one credential; empty: any
	JournalPath string
	LateAfter   time.Duration // when -LATE succeeds; 20 s, long after its caller has given up
	HangFor     time.Duration // the longest silence; 60 s
}

// Server is the simulator; it is an http.Handler.
type Server struct {
	cfg    Config
	mux    *http.ServeMux
	faults fault.Set

	mu      sync.Mutex
	all     map[string]reservation // by kind/key
	inbox   map[string]delivery    // by GLN/key
	book    []Line
	lines   []Line // of the call at work
	journal *journal.Journal
}

// New returns a simulator with everything its journal holds.
func New(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.LateAfter == 0 {
		cfg.LateAfter = 20 * time.Second
	}
	s := &Server{cfg: cfg, all: map[string]reservation{}, inbox: map[string]delivery{}, mux: http.NewServeMux()}
	if cfg.JournalPath != "" {
		var err error
		s.journal, err = journal.Open(cfg.JournalPath, func(line []byte) error {
			var c change
			if err := json.Unmarshal(line, &c); err != nil {
				return fmt.Errorf("a line of the journal: %w", err)
			}
			s.apply(c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	s.mux.HandleFunc("PUT /v1/{kind}/reservations/{key}", s.serve("reserve"))
	s.mux.HandleFunc("POST /v1/{kind}/reservations/{key}/confirm", s.serve("confirm"))
	s.mux.HandleFunc("POST /v1/{kind}/reservations/{key}/cancel", s.serve("cancel"))
	s.mux.HandleFunc("GET /v1/{kind}/reservations/{key}", s.serve("lookup"))
	s.mux.HandleFunc("PUT /v1/partners/{gln}/inbox/{key}", s.take)
	s.mux.HandleFunc("GET /v1/partners/{gln}/inbox/{key}/receipt", s.receipt)
	s.mux.Handle("/_sim/faults", &s.faults)
	s.mux.HandleFunc("/_sim/", s.admin)
	return s, nil
}

// Close closes the journal.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Server) apply(c change) {
	if c.Delivery != nil {
		s.inbox[c.Delivery.GLN+"/"+c.Delivery.Key] = *c.Delivery
		return
	}
	s.all[c.Reservation.Kind+"/"+c.Reservation.Key] = c.Reservation
	s.book = append(s.book, c.Book...)
}

// serve answers one operation. A fault rule's route is the operation and the
// kind: "reserve:hotel".
func (s *Server) serve(op string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, key := r.PathValue("kind"), r.PathValue("key")
		if !s.allowed(r) {
			send(w, r, plain(http.StatusUnauthorized, "unauthorized", "The credential is not valid."), fault.None, 0)
			return
		}
		if kind != "flight" && kind != "hotel" && kind != "car" {
			send(w, r, plain(http.StatusNotFound, "unknown_kind", "There are flight, hotel and car."), fault.None, 0)
			return
		}
		var o order
		if op == "reserve" {
			d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
			d.DisallowUnknownFields()
			if err := d.Decode(&o); err != nil || o.SKU == "" || o.Price < 1 || len(o.Currency) != 3 {
				send(w, r, plain(http.StatusBadRequest, "bad_order", "The order needs sku, price and currency."), fault.None, 0)
				return
			}
		}
		planted, delay := s.faults.Match(r.Method, op+":"+kind, s.saga(kind, key, o))
		switch planted {
		case fault.TooMany:
			send(w, r, plain(http.StatusTooManyRequests, "too_many_requests", "Nothing was done. Ask later."), fault.None, 0)
			return
		case fault.Before500, fault.Conflict:
			send(w, r, plain(http.StatusInternalServerError, "internal", "Something went wrong."), fault.None, 0)
			return
		case fault.TimeoutBeforeExecute:
			fault.Hold(r, s.cfg.HangFor)
			fault.Cut()
		default:
		}
		a, silent := s.act(op, kind, key, o)
		if silent {
			fault.Hold(r, s.cfg.HangFor)
			fault.Cut()
		}
		if planted == fault.ExecuteThen500 {
			a = plain(http.StatusInternalServerError, "internal", "Something went wrong.")
		}
		if planted == fault.WrongObject {
			a.Body = []byte(strings.Replace(string(a.Body), key, "somebody-elses-key", 1))
		}
		send(w, r, a, planted, delay)
	}
}

func (s *Server) allowed(r *http.Request) bool {
	if s.cfg.APIKey == "" {
		return true
	}
	key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && subtle.ConstantTimeCompare([]byte(key), []byte(s.cfg.APIKey)) == 1
}

func (s *Server) saga(kind, key string, o order) string {
	if o.SagaID != "" {
		return o.SagaID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.all[kind+"/"+key]
	r.Key = key
	return sagaOf(&r)
}

// act does an operation and keeps what it changed.
func (s *Server) act(op, kind, key string, o order) (a fault.Answer, silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Clock().UTC()
	before, known := s.all[kind+"/"+key]
	r := before
	r.Kind, r.Key = kind, key
	s.lines = nil
	if r.Status == ongoing && !r.DueAt.IsZero() && !now.Before(r.DueAt) {
		s.hold(&r, now)
	}
	var out outcome
	switch op {
	case "reserve":
		out = s.reserve(&r, o, now)
	case "confirm":
		out = s.confirm(&r, now)
	case "cancel":
		out = s.cancel(&r, now)
	default:
		if out = done; !known || r.Status == "" {
			out = outcome{status: http.StatusNotFound, code: "unknown_key", message: "The key was never used."}
		}
	}
	if r != before {
		c := change{Reservation: r, Book: s.lines}
		if err := s.journal.Append(c); err != nil {
			return plain(http.StatusInternalServerError, "internal", "The journal cannot be written."), false
		}
		s.apply(c)
	}
	if out.garbage {
		return fault.Answer{Status: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Body: []byte("<html>It works!</html>")}, false
	}
	if out.code != "" {
		return plain(out.status, out.code, out.message), false
	}
	if out.silent {
		return fault.Answer{}, true
	}
	return shown(out.status, &r), false
}

func shown(status int, r *reservation) fault.Answer {
	v := map[string]any{
		"key": r.Key, "reference": r.Reference, "status": r.Status, "sku": r.Order.SKU, "price": r.Order.Price, "currency": r.Order.Currency,
	}
	if r.Code != "" {
		v["refusal_code"], v["message"] = r.Code, soldOut
	}
	if !r.ReservedAt.IsZero() {
		v["reserved_at"] = r.ReservedAt.Format(time.RFC3339Nano)
	}
	return encoded(status, v)
}

func plain(status int, code, message string) fault.Answer {
	return encoded(status, map[string]string{"code": code, "message": message})
}

func encoded(status int, v any) fault.Answer {
	body, err := json.Marshal(v)
	if err != nil { // strings and numbers always encode
		status = http.StatusInternalServerError
	}
	return fault.Answer{Status: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: append(body, '\n')}
}

func send(w http.ResponseWriter, r *http.Request, a fault.Answer, kind fault.Kind, delay time.Duration) {
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		a.Header.Set("Retry-After", "1")
	}
	fault.Send(w, r, a, kind, delay)
}
