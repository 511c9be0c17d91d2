package api

import (
	"context"
	"net/http"
	"sync"
	"time"
)

type healthView struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks"`
}

// Healthz answers as long as the process does.
func (*server) Healthz(context.Context, HealthzRequestObject) (HealthzResponseObject, error) {
	return jsonAnswer(http.StatusOK, healthView{Status: "ok", Checks: map[string]string{}})
}

// Readyz asks everything a request needs, side by side, and says what failed
// in words that hold no address and no credential.
func (s *server) Readyz(ctx context.Context, _ ReadyzRequestObject) (ReadyzResponseObject, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	out := healthView{Status: "ok", Checks: map[string]string{}}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for name, check := range s.cfg.Checks {
		wait.Go(func() {
			word := "ok"
			if err := check(ctx); err != nil {
				word = "failing"
			}
			mu.Lock()
			defer mu.Unlock()
			if out.Checks[name] = word; word != "ok" {
				out.Status = "failing"
			}
		})
	}
	wait.Wait()
	select {
	case <-s.cfg.Draining:
		out.Status, out.Checks["draining"] = "failing", "failing"
	default:
	}
	status := http.StatusOK
	if out.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	return jsonAnswer(status, out)
}

// Version says what is running.
func (s *server) Version(context.Context, VersionRequestObject) (VersionResponseObject, error) {
	return jsonAnswer(http.StatusOK, struct {
		Version string `json:"version"`
		Schema  int64  `json:"schema"`
	}{s.cfg.Version, s.cfg.Schema})
}
