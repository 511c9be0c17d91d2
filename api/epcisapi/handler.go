package epcisapi

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/recourse/recourse/internal/auth"
)

// Config is what the dialect stands on.
type Config struct {
	Repository Repository
	// Who is behind a request, which has been let in.
	Who func(*http.Request) auth.Principal
	Log *slog.Logger
	Now func() time.Time
	// BaseURL is what links start with, without a slash at its end.
	BaseURL string
}

type server struct {
	Config
	log   *slog.Logger
	slots chan struct{} // as many captures at a time
}

// capturesAtOnce bounds the memory that documents being taken need.
const capturesAtOnce = 4

// A Route is one operation under /epcis. Path is the standard's, behind the
// prefix.
type Route struct {
	Method, Path string
	Operation    string // as the contract names it
	handle       func(*server) http.HandlerFunc
}

// Routes are all operations, in the order of the standard.
func Routes() []Route {
	routes := []Route{
		{"OPTIONS", "/epcis", "epcisDiscover", func(*server) http.HandlerFunc { return discover("OPTIONS, GET", false) }},
		{"GET", "/epcis", "epcisResources", func(s *server) http.HandlerFunc { return s.resources }},
		{"OPTIONS", "/epcis/capture", "captureDiscover", func(*server) http.HandlerFunc { return discover("OPTIONS, GET, POST", true) }},
		{"POST", "/epcis/capture", "capture", func(s *server) http.HandlerFunc { return s.capture }},
		{"GET", "/epcis/capture", "captureJobs", func(s *server) http.HandlerFunc { return s.jobs }},
		{"GET", "/epcis/capture/{captureID}", "captureJob", func(s *server) http.HandlerFunc { return s.job }},
		{"OPTIONS", "/epcis/events", "eventsDiscover", func(*server) http.HandlerFunc { return discover("OPTIONS, GET, POST", true) }},
		{"GET", "/epcis/events", "queryEvents", func(s *server) http.HandlerFunc { return s.events(nil) }},
		{"POST", "/epcis/events", "captureEvent", func(s *server) http.HandlerFunc { return s.captureEvent }},
		{"GET", "/epcis/events/{eventID}", "getEvent", func(s *server) http.HandlerFunc { return s.event }},
		{"GET", "/epcis/eventTypes", "listEventTypes", func(s *server) http.HandlerFunc { return s.eventTypes }},
		{"GET", "/epcis/eventTypes/{name}/events", "eventsOfType", func(s *server) http.HandlerFunc { return s.events(parameters["eventTypes"]) }},
	}
	for _, c := range []struct {
		of        Collection
		one, list string
	}{
		{EPCs, "eventsOfEPC", "listEPCs"},
		{BizSteps, "eventsOfBizStep", "listBizSteps"},
		{Dispositions, "eventsOfDisposition", "listDispositions"},
		{ReadPoints, "eventsOfReadPoint", "listReadPoints"},
		{BizLocations, "eventsOfBizLocation", "listBizLocations"},
	} {
		routes = append(routes,
			Route{"GET", "/epcis/" + string(c.of), c.list, func(s *server) http.HandlerFunc { return s.names(c.of) }},
			Route{"GET", "/epcis/" + string(c.of) + "/{name}/events", c.one, func(s *server) http.HandlerFunc { return s.events(parameters[c.of]) }})
	}
	return routes
}

// Handler serves everything under /epcis.
type Handler struct {
	mux        *http.ServeMux
	operations map[string]string // by pattern
}

// New returns the dialect as a handler.
func New(cfg Config) *Handler {
	s := &server{Config: cfg, log: cfg.Log, slots: make(chan struct{}, capturesAtOnce)}
	h := &Handler{mux: http.NewServeMux(), operations: map[string]string{}}
	for _, r := range Routes() {
		h.mux.HandleFunc(r.Method+" "+r.Path, r.handle(s))
		h.operations[r.Method+" "+r.Path] = r.Operation
	}
	h.mux.HandleFunc("/epcis/", func(w http.ResponseWriter, r *http.Request) { s.fail(w, r, notFound) })
	return h
}

// Operation names what a request asks for, as the contract does; "" when there
// is no such thing.
func (h *Handler) Operation(r *http.Request) string {
	_, pattern := h.mux.Handler(r)
	return h.operations[pattern]
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }
