package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api"
	auditpg "github.com/recourse/recourse/audit/postgres"
	"github.com/recourse/recourse/db"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/capture"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/internal/investigation"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/internal/tradebook"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// world is one database with an API on it and a key a role.
type world struct {
	*testing.T
	db       *pgtest.DB
	server   *httptest.Server
	keys     map[string]string
	tenant   uuid.UUID
	started  *started
	told     *told
	log      *syncBuffer
	draining chan struct{}
	pool     *pgxpool.Pool // nil: every API has one of its own
}

type started struct {
	mu  sync.Mutex
	all []dispatch.Saga
}

func (s *started) Nudge(what dispatch.Saga) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, what)
}

func (s *started) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

type nudge func()

func (n nudge) Nudge(dispatch.Saga) { n() }

// told is what reached running sagas.
type told struct {
	mu    sync.Mutex
	words []string
	err   error
}

func (o *told) say(word string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return o.err
	}
	o.words = append(o.words, word)
	return nil
}

func (o *told) CancelSaga(_ context.Context, saga string) error { return o.say("cancel " + saga) }

func (o *told) ResolveSaga(_ context.Context, saga, approval, step, action string) error {
	return o.say(strings.Join([]string{"resolve", saga, approval, step, action}, " "))
}

func (o *told) WakeSaga(_ context.Context, saga, step string) error {
	return o.say("wake " + saga + " " + step)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, db: pgtest.New(t), keys: map[string]string{}, started: &started{}, told: &told{}, log: &syncBuffer{}, draining: make(chan struct{})}
	conn, err := pgx.Connect(t.Context(), w.db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	w.tenant, err = tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "ours")
	require.NoError(t, err)
	other, err := tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "theirs")
	require.NoError(t, err)
	put := func(name, role string, tenant uuid.UUID) {
		k, err := auth.NewKey("test")
		require.NoError(t, err)
		require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: k.ID, Tenant: tenant, Role: role, Name: name, SecretSHA256: k.Digest}))
		w.keys[name] = k.Text
	}
	for _, role := range tenancy.Roles {
		put(role, role, w.tenant)
		put("other_"+role, role, other)
	}
	put("second_operator", "operator", w.tenant)
	put("second_marketplace", "marketplace", w.tenant)
	put("second_finance_reviewer", "finance_reviewer", w.tenant)
	w.server = w.another()
	return w
}

// another is one more API process on the same database.
func (w *world) another() *httptest.Server {
	w.Helper()
	return w.on(apidb.New(w.db.Pool("app_api")), nil)
}

// on is an API process on a store.
func (w *world) on(store api.Store, nudged func()) *httptest.Server {
	w.Helper()
	pool := w.pool
	if pool == nil {
		pool = w.db.Pool("app_api")
	}
	var starter api.Starter = w.started
	if nudged != nil {
		starter = nudge(nudged)
	}
	log := slog.New(slog.NewJSONHandler(w.log, nil))
	watch := apidb.NewWatch(w.db.URL("app_api"), log)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); watch.Run(ctx) }()
	handler, err := api.New(api.Config{
		Store: store, Books: ledgerpg.New(pool), Trade: tradebook.New(pool), Custody: custodypg.New(pool), Actions: auditpg.New(pool), Investigations: investigation.New(pool),
		Documents: capture.New(pool, custodypg.New(pool), tradebook.New(pool), time.Now), Credentials: auth.NewChecker(pool, time.Now), Starter: starter,
		Orchestrator: w.told, Watcher: watch, Log: log, Now: time.Now, BaseURL: "http://api.test", CursorKey: []byte("key of the cursors"),
		Version: "test", Schema: db.Latest(), Draining: w.draining,
		Checks: map[string]func(context.Context) error{"database": pool.Ping},
	})
	require.NoError(w, err)
	server := httptest.NewServer(handler)
	w.Cleanup(func() { server.Close(); stop(); <-done })
	return server
}

type call struct {
	method, path, key, role, body string
	header                        map[string]string
	base                          string
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(a.body, &v), string(a.body))
	return v
}

func (a answer) code(t *testing.T) any { t.Helper(); return a.json(t)["code"] }

// do sends a call and holds the answer against the contract.
func (w *world) do(c call) answer {
	w.Helper()
	if c.base == "" {
		c.base = w.server.URL
	}
	req, err := http.NewRequestWithContext(w.Context(), c.method, c.base+c.path, strings.NewReader(c.body))
	require.NoError(w, err)
	if c.role != "" {
		req.Header.Set("Authorization", "Bearer "+w.keys[c.role])
	}
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	for name, value := range c.header {
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(w, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	require.NoError(w, err)
	a := answer{res.StatusCode, res.Header, body}
	conforms(w.T, req, a)
	return a
}

var contract = sync.OnceValues(func() (routers.Router, error) {
	document, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(document)
})

// conforms holds an answer against the contract: every one has a request id,
// every error is a problem whose code has a page.
func conforms(t *testing.T, req *http.Request, a answer) {
	t.Helper()
	require.NotEmpty(t, a.header.Get("Request-Id"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	if a.status >= 400 && a.status != http.StatusServiceUnavailable || a.header.Get("Content-Type") == "application/problem+json" {
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), string(a.body))
	}
	router, err := contract()
	require.NoError(t, err)
	plain := *req
	plain.URL = &url.URL{Path: req.URL.Path, RawQuery: req.URL.RawQuery}
	route, params, err := router.FindRoute(&plain)
	if err != nil {
		return // the contract has no such route; neither has the API
	}
	require.NoError(t, openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: &plain, PathParams: params, Route: route},
		Status:                 a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body)),
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}), string(a.body))
}

const whole = `{"order_ref":"A-1001","currency":"usd","payment_method":"pm_card_visa",
	"traveler":{"name":"Ada Example","email":"ada@example.com"},
	"flight":{"sku":"FL-LHR-JFK-0612","price":90000},
	"hotel":{"sku":"HT-NYC-0042","price":45000,"nights":3},
	"car":{"sku":"CAR-JFK-ECON","price":15000},
	"payment_flow":"authorize"}`

func order(ref string) string { return strings.Replace(whole, "A-1001", ref, 1) }

// book places an order and returns its saga's id.
func (w *world) book(ref string) string {
	w.Helper()
	a := w.do(call{method: "POST", path: "/v1/bookings", role: "marketplace", key: uuid.NewString(), body: order(ref)})
	require.Equal(w, http.StatusAccepted, a.status, string(a.body))
	id, ok := a.json(w.T)["id"].(string)
	require.True(w, ok)
	return id
}

func (w *world) count(table string) (n int) {
	w.Helper()
	require.NoError(w, w.db.Super().QueryRow(w.Context(), "select count(*) from app."+table).Scan(&n))
	return n
}
