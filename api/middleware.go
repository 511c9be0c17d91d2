package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/recourse/recourse/internal/auth"
)

// where is what the middleware found out about a request.
type where struct {
	requestID string
	path      string
	route     string
	operation operation
	who       auth.Principal
	body      []byte
	posting   *posting // the body, when it was read in one walk
	once      Once
	ticket    bool
	stream    bool // the client wants events as a stream
	plain     bool // the client takes plain text
}

type whereKey struct{}

func withWhere(ctx context.Context, w *where) context.Context {
	return context.WithValue(ctx, whereKey{}, w)
}

// whereOf returns what is known of the request.
func whereOf(ctx context.Context) *where {
	if w, ok := ctx.Value(whereKey{}).(*where); ok {
		return w
	}
	return &where{}
}

// identify names the request and logs it: no body, no query, no credential.
func (s *server) identify(c *gin.Context) {
	w := &where{requestID: newID("req_", s.cfg.Now()), path: c.Request.URL.Path, route: c.FullPath(), operation: s.operationOf(c)}
	c.Request = c.Request.WithContext(withWhere(c.Request.Context(), w))
	c.Header("Request-Id", w.requestID)
	start := time.Now()
	c.Next()
	s.log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request",
		slog.String("request_id", w.requestID), slog.String("method", c.Request.Method), slog.String("route", w.route),
		slog.Int("status", c.Writer.Status()), slog.Duration("duration", time.Since(start)),
		slog.String("tenant", w.who.Tenant.String()), slog.String("key_id", w.who.KeyID))
}

// recover turns a panic into a 500 whose stack is in the log.
func (s *server) recover(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p) // a stream that broke off: the server ends the connection
			}
			s.abort(c, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	c.Next()
}

// hardened is what every answer carries. The values are shared by all answers:
// nobody changes one in place.
var hardened = http.Header{
	"Cache-Control":                {"no-store"},
	"Vary":                         {"Authorization, Accept"},
	"X-Content-Type-Options":       {"nosniff"},
	"X-Frame-Options":              {"DENY"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Referrer-Policy":              {"no-referrer"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
}

func (*server) harden(c *gin.Context) {
	maps.Copy(c.Writer.Header(), hardened)
	c.Next()
}

func (*server) operation(c *gin.Context) operation { return whereOf(c.Request.Context()).operation }

func (s *server) operationOf(c *gin.Context) operation {
	if isDocuments(c.FullPath()) {
		return s.byName[s.documents.Operation(c.Request)]
	}
	return s.routes[c.Request.Method+" "+c.FullPath()]
}

// authenticate finds who asks. A stream may be opened with a ticket instead.
func (s *server) authenticate(c *gin.Context) {
	op := s.operation(c)
	if op.open {
		return
	}
	ctx := c.Request.Context()
	w := whereOf(ctx)
	if ticket := c.Query("ticket"); ticket != "" && op.op.OperationID == "sagaEvents" && c.GetHeader("Authorization") == "" {
		who, err := s.redeem(ctx, ticket, c.Param("id"))
		if err != nil {
			s.abort(c, err)
			return
		}
		w.who, w.ticket = who, true
		return
	}
	scheme, key, ok := strings.Cut(c.GetHeader("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "bearer") {
		s.abort(c, refuse("unauthenticated"))
		return
	}
	who, err := s.cfg.Credentials.Check(ctx, strings.TrimSpace(key))
	switch {
	case errors.Is(err, auth.ErrMalformed), errors.Is(err, auth.ErrUnknown):
		s.abort(c, refuse("unauthenticated"))
	case err != nil:
		s.abort(c, fmt.Errorf("%w: %w", ErrUnavailable, err))
	default:
		w.who = who
	}
}

// authorize holds the role against the route.
func (s *server) authorize(c *gin.Context) {
	op, w := s.operation(c), whereOf(c.Request.Context())
	if op.open || w.ticket {
		return
	}
	if !slices.Contains(roles[op.op.OperationID], w.who.Role) {
		s.abort(c, refuse("forbidden"))
	}
}

// requireKey reads the Idempotency-Key of a changing request and makes the
// fingerprint by which a repeat is told from another request.
func (s *server) requireKey(c *gin.Context) {
	op := s.operation(c)
	if c.Request.Method != http.MethodPost || keyless[op.op.OperationID] {
		return
	}
	key, err := idempotencyKey(c.Request.Header.Values("Idempotency-Key"))
	if err != nil {
		s.abort(c, err)
		return
	}
	w := whereOf(c.Request.Context())
	// A transaction is the record of its key, and the books compare what was
	// asked. What only the canonical form refuses, half a surrogate pair, needs
	// an escape.
	var print [32]byte
	if op.op.OperationID != "postTransaction" || bytes.Contains(w.body, []byte(`\u`)) {
		if print, err = fingerprint(c.Request.Method, c.Request.URL.Path, w.body); err != nil {
			s.abort(c, refuse("invalid_json"))
			return
		}
	}
	now := s.cfg.Now().UTC()
	w.once = Once{
		Tenant: w.who.Tenant, Key: key, Fingerprint: print, RequestID: w.requestID, At: now, Expires: now.Add(keyKept),
		Actor: w.who.KeyID, Role: w.who.Role, Operation: op.op.OperationID, Path: recordable(w.path), Remote: c.RemoteIP(),
	}
}

// recordable is a path as the audit log keeps it: text, of a bounded length.
func recordable(path string) string {
	path = strings.ReplaceAll(strings.ToValidUTF8(path, "\uFFFD"), "\x00", "\uFFFD")
	for n := range path {
		if n > 450 {
			return path[:n] + "…"
		}
	}
	return path
}
