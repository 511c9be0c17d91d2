package api

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/dispatch"
)

//go:embed openapi.yaml
var contract []byte

// Config is what the API stands on.
type Config struct {
	Store        Store
	Books        Books
	Trade        Trade
	Custody      Custody
	Actions      Actions
	Documents    epcisapi.Repository
	Credentials  Credentials
	Starter      Starter
	Orchestrator Orchestrator
	Watcher      Watcher
	Log          *slog.Logger
	Now          func() time.Time
	// BaseURL is what links start with, without a slash at its end.
	BaseURL string
	// CursorKey signs list cursors.
	CursorKey []byte
	Live      bool
	Version   string
	Schema    int64
	// Checks are what readiness asks, by name.
	Checks map[string]func(context.Context) error
	// Draining ends streams and long polls and readiness when it is closed.
	Draining <-chan struct{}

	// Investigations are those of suspect product.
	Investigations Investigations
}

// Credentials finds who is behind a key.
type Credentials interface {
	Check(ctx context.Context, key string) (auth.Principal, error)
}

// Starter hands an accepted saga on. It never blocks; what it misses is found.
type Starter interface {
	Nudge(s dispatch.Saga)
}

type server struct {
	cfg      Config
	log      *slog.Logger
	document *openapi3.T
	routes   map[string]operation // "POST /v1/bookings"
	byName   map[string]operation // "createBooking"
	exports  chan struct{}        // as many reports at a time

	documents *epcisapi.Handler
}

var _ StrictServerInterface = (*server)(nil)

// New returns the API as an http.Handler.
func New(cfg Config) (http.Handler, error) {
	gin.SetMode(gin.ReleaseMode)
	document, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, fmt.Errorf("read the contract: %w", err)
	}
	s := &server{cfg: cfg, log: cfg.Log, document: document, exports: make(chan struct{}, exportsAtOnce)}
	if s.routes, err = operations(document); err != nil {
		return nil, err
	}
	s.byName = map[string]operation{}
	for _, op := range s.routes {
		s.byName[op.op.OperationID] = op
	}

	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.ContextWithFallback = true // handlers get the request's context
	engine.RedirectTrailingSlash = false
	if err := engine.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("trust no proxy: %w", err)
	}
	engine.Use(s.identify, s.recover, s.harden)
	engine.NoRoute(func(c *gin.Context) { s.abort(c, refuse("route_not_found")) })
	engine.NoMethod(func(c *gin.Context) { s.abort(c, refuse("method_not_allowed")) })
	engine.GET("/errors/:code", s.page)
	engine.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/yaml", contract) })

	guarded := engine.Group("", s.authenticate, s.authorize, s.readBody, s.requireKey, s.validate, s.postPlainly)
	failed := func(c *gin.Context, err error) { s.abort(c, err) }
	RegisterHandlersWithOptions(guarded, NewStrictHandlerWithOptions(s, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc:  func(c *gin.Context, err error) { s.abort(c, malformed(err)) },
		HandlerErrorFunc:         failed,
		ResponseErrorHandlerFunc: failed,
	}), GinServerOptions{ErrorHandler: func(c *gin.Context, err error, _ int) { s.abort(c, malformed(err)) }})
	s.mountDocuments(engine)
	for _, r := range epcisapi.Routes() {
		if _, ok := s.byName[r.Operation]; !ok {
			return nil, fmt.Errorf("%s %s is served and not in the contract", r.Method, r.Path)
		}
	}
	for _, r := range engine.Routes() {
		if _, ok := s.routes[r.Method+" "+r.Path]; !ok && !isDocuments(r.Path) && r.Path != "/errors/:code" && r.Path != "/openapi.yaml" {
			return nil, fmt.Errorf("%s %s is served and not in the contract", r.Method, r.Path)
		}
	}
	return engine, nil
}

// malformed is a request that the generated code could not read though it
// passed the schema: a number written with a fraction, for example.
func malformed(err error) error {
	var r *refusal
	if errors.As(err, &r) {
		return r
	}
	return &refusal{code: "validation_failed", detail: "A field or parameter has the wrong form."}
}
