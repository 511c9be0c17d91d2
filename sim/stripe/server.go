package stripe

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/recourse/recourse/sim/internal/fault"
	"github.com/recourse/recourse/sim/internal/journal"
)

// Config is how a simulator runs. The zero Config keeps nothing on disk, lets
// any sk_test_ or rk_test_ key in and sends no webhooks.
type Config struct {
	Clock         func() time.Time
	APIKeys       []string // if any are given, only these are let in
	JournalPath   string
	WebhookURL    string
	WebhookSecret string
}

// Server is the simulator; it is an http.Handler.
type Server struct {
	cfg    Config
	mux    *http.ServeMux
	faults fault.Set
	hooks  *webhooks

	mu      sync.Mutex
	state   *state
	journal *journal.Journal
	keys    []string
}

// New returns a simulator with everything its journal holds.
func New(cfg Config) (*Server, error) {
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	s := &Server{cfg: cfg, state: newState(), keys: cfg.APIKeys, mux: http.NewServeMux()}
	if cfg.JournalPath != "" {
		var err error
		s.journal, err = journal.Open(cfg.JournalPath, func(line []byte) error {
			var c change
			if err := json.Unmarshal(line, &c); err != nil {
				return fmt.Errorf("a line of the journal: %w", err)
			}
			s.state.apply(c)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if cfg.WebhookURL != "" {
		s.hooks = newWebhooks(cfg.WebhookURL, cfg.WebhookSecret)
	}
	s.routes()
	return s, nil
}

// Close stops the webhooks and closes the journal.
func (s *Server) Close() error {
	s.hooks.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.journal.Close()
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// newID makes an id with Stripe's prefix.
func (*Server) newID(prefix string) string { return prefix + "sim" + rand.Text()[:21] }

func (s *Server) now() time.Time { return s.cfg.Clock().UTC().Add(s.state.advanced) }

// An endpoint does what a route is for. It may put changes also when it fails:
// a declined card changes its intent.
type endpoint func(t *tx, id string, p params) (any, *apiError)

func (s *Server) routes() {
	for route, do := range map[string]endpoint{
		"POST /v1/payment_intents":              func(t *tx, id string, p params) (any, *apiError) { return t.createIntent(id, p) },
		"POST /v1/payment_intents/{id}/confirm": func(t *tx, id string, p params) (any, *apiError) { return t.confirmIntent(id, p) },
		"POST /v1/payment_intents/{id}/capture": func(t *tx, id string, p params) (any, *apiError) { return t.captureIntent(id, p) },
		"POST /v1/payment_intents/{id}/cancel":  func(t *tx, id string, p params) (any, *apiError) { return t.cancelIntent(id, p) },
		"GET /v1/payment_intents/{id}":          getOne("payment_intent"),
		"GET /v1/payment_intents":               listAll("payment_intent", "customer"),
		"GET /v1/payment_intents/search":        searchIntents,
		"GET /v1/charges/{id}":                  getOne("charge"),
		"GET /v1/charges":                       listAll("charge", "customer", "payment_intent"),
		"POST /v1/refunds":                      func(t *tx, id string, p params) (any, *apiError) { return t.createRefund(id, p) },
		"GET /v1/refunds/{id}":                  getOne("refund"),
		"GET /v1/refunds":                       listAll("refund", "charge", "payment_intent"),
		"GET /v1/balance_transactions/{id}":     getOne("balance_transaction"),
		"GET /v1/balance_transactions":          listAll("balance_transaction", "type", "source", "currency"),
		"POST /v1/customers":                    func(t *tx, id string, p params) (any, *apiError) { return t.createCustomer(id, p) },
		"GET /v1/customers/{id}":                getOne("customer"),
		"GET /v1/payment_methods/{id}":          getOne("payment_method"),
		"POST /v1/payment_methods/{id}/attach":  func(t *tx, id string, p params) (any, *apiError) { return t.attachMethod(id, p) },
		"GET /v1/events/{id}":                   getOne("event"),
		"GET /v1/events":                        listAll("event", "type"),
	} {
		s.mux.HandleFunc(route, s.serve(route, do))
	}
	s.mux.HandleFunc("/v1/", func(w http.ResponseWriter, r *http.Request) {
		fault.Send(w, r, failure(newRequestID(), &apiError{
			Status: http.StatusNotFound, Type: "invalid_request_error", Message: "Unrecognized request URL (" + r.Method + ": " + r.URL.Path + ").",
		}), fault.None, 0)
	})
	s.mux.Handle("/_sim/faults", &s.faults)
	s.mux.HandleFunc("/_sim/", s.admin)
}

func newRequestID() string { return "req_sim" + rand.Text()[:14] }

// serve wraps an endpoint in what Stripe wraps its own: the key, the form, the
// idempotency layer; and in the faults planted at its route.
func (s *Server) serve(route string, do endpoint) http.HandlerFunc {
	method, path, _ := strings.Cut(route, " ")
	return func(w http.ResponseWriter, r *http.Request) {
		requestID := newRequestID()
		refuse := func(e *apiError) { fault.Send(w, r, failure(requestID, e), fault.None, 0) }
		if e := s.authenticate(r); e != nil {
			refuse(e)
			return
		}
		p, e := form(w, r)
		if e != nil {
			refuse(e)
			return
		}
		kind, delay := s.faults.Match(method, path, s.sagaOf(r.PathValue("id"), p))
		switch kind {
		case fault.TooMany:
			a := failure(requestID, &apiError{Status: http.StatusTooManyRequests, Type: "invalid_request_error", Code: "rate_limit", Message: "Too many requests. Please slow down."})
			a.Header.Set("Stripe-Should-Retry", "true")
			fault.Send(w, r, a, fault.None, 0)
			return
		case fault.Conflict:
			refuse(inUse())
			return
		case fault.TimeoutBeforeExecute:
			fault.Hold(r, 0)
			fault.Cut()
		default:
		}
		a := s.execute(r, requestID, do, p, kind)
		if kind == fault.WrongObject {
			a = wrongObject(a)
		}
		fault.Send(w, r, a, kind, delay)
	}
}

// execute runs an endpoint through the idempotency layer.
func (s *Server) execute(r *http.Request, requestID string, do endpoint, p params, kind fault.Kind) fault.Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	if r.Method != http.MethodPost {
		key = ""
	}
	request := r.Method + " " + r.URL.Path + "?" + p.canonical()
	now := s.now()
	if have, ok := s.state.keys[key]; ok && key != "" && now.Sub(have.At) < 24*time.Hour {
		return replay(requestID, have, request)
	}
	t := s.begin(now, requestID, key)
	var a fault.Answer
	if kind == fault.Before500 {
		a = failure(requestID, internal())
	} else {
		o, e := do(t, r.PathValue("id"), p)
		a = s.answer(t, requestID, o, e, p)
		if e != nil && e.Early {
			return a
		}
		if kind == fault.ExecuteThen500 {
			a = failure(requestID, internal())
		}
	}
	if key != "" {
		t.change.Keys = append(t.change.Keys, stored{Key: key, Request: request, Status: a.Status, Body: a.Body, ID: requestID, At: now})
	}
	if r.Method == http.MethodPost {
		if err := s.commit(t.change); err != nil {
			return failure(requestID, internal())
		}
	}
	return a
}

// commit writes a change to the journal and then makes it.
func (s *Server) commit(c change) error {
	if err := s.journal.Append(c); err != nil {
		return err
	}
	s.state.apply(c)
	for _, e := range c.Events {
		s.hooks.send(e)
	}
	return nil
}

func replay(requestID string, have *stored, request string) fault.Answer {
	if have.Request != request {
		return failure(requestID, &apiError{
			Status: http.StatusBadRequest, Type: "idempotency_error",
			Message: "Keys for idempotent requests can only be used with the same parameters they were first used with.",
		})
	}
	return fault.Answer{Status: have.Status, Body: have.Body, Header: http.Header{
		"Content-Type": {"application/json"}, "Request-Id": {requestID}, "Idempotent-Replayed": {"true"}, "Original-Request": {have.ID},
		"Idempotency-Key": {have.Key},
	}}
}

func (s *Server) answer(t *tx, requestID string, o any, e *apiError, p params) fault.Answer {
	if e != nil {
		return failure(requestID, e)
	}
	body := render(o)
	for _, path := range p.array("expand") {
		t.expand(body, strings.Split(path, "."))
	}
	raw, err := json.MarshalIndent(body, "", "  ")
	if err != nil {
		return failure(requestID, internal())
	}
	return fault.Answer{Status: http.StatusOK, Body: raw, Header: http.Header{"Content-Type": {"application/json"}, "Request-Id": {requestID}}}
}

func failure(requestID string, e *apiError) fault.Answer {
	raw, err := json.MarshalIndent(map[string]any{"error": e}, "", "  ")
	if err != nil { // strings always encode
		raw = []byte(`{"error":{"type":"api_error","message":"An unknown error occurred"}}`)
	}
	return fault.Answer{Status: e.Status, Body: raw, Header: http.Header{"Content-Type": {"application/json"}, "Request-Id": {requestID}}}
}

func inUse() *apiError {
	return &apiError{
		Status: http.StatusConflict, Type: "idempotency_error", Code: "idempotency_key_in_use",
		Message: "There is currently another in-progress request using this Idempotent Key.",
	}
}

// wrongObject answers about another object than was asked for.
func wrongObject(a fault.Answer) fault.Answer {
	var body map[string]any
	if json.Unmarshal(a.Body, &body) == nil {
		body["id"], body["amount"], body["metadata"] = "pi_of_somebody_else", 1, map[string]string{"saga_id": "sg_of_somebody_else"}
		if raw, err := json.Marshal(body); err == nil {
			a.Body = raw
		}
	}
	return a
}

func (s *Server) authenticate(r *http.Request) *apiError {
	key, _, ok := r.BasicAuth()
	if !ok {
		key, ok = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	live := len(s.keys) == 0 && (strings.HasPrefix(key, "sk_test_") || strings.HasPrefix(key, "rk_test_"))
	for _, k := range s.keys {
		live = live || k == key
	}
	if ok && live {
		return nil
	}
	return &apiError{Status: http.StatusUnauthorized, Type: "invalid_request_error", Message: "Invalid API Key provided."}
}

func form(w http.ResponseWriter, r *http.Request) (params, *apiError) {
	if r.Method == http.MethodGet {
		return params{r.URL.Query()}, nil
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		return params{}, early("", "", "The body cannot be read.")
	}
	values, err := url.ParseQuery(string(raw))
	if err != nil {
		return params{}, early("", "", "The body is not a form.")
	}
	return params{values}, nil
}

// sagaOf finds whose saga a request is about, for faults that are planted for
// one saga.
func (s *Server) sagaOf(id string, p params) string {
	if saga := p.metadata()["saga_id"]; saga != "" {
		return saga
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if pi := p.Get("payment_intent"); pi != "" {
		id = pi
	}
	return s.state.intents[id].Metadata["saga_id"]
}

var errNoClock = errors.New("advance needs seconds")
