package faults

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
)

// A Result is one row of the report.
type Result struct {
	ID         string              `json:"id"`
	What       string              `json:"what"`
	Violations int                 `json:"violations"`
	Hits       int                 `json:"hits"`
	Drain      float64             `json:"drain_seconds"`
	Figures    map[string]float64  `json:"figures"`
	Found      []harness.Violation `json:"found,omitempty"`
	Error      string              `json:"error,omitempty"`
}

// OK reports whether the row shows what it should.
func (r Result) OK() bool { return r.Violations == 0 && r.Hits > 0 && r.Error == "" }

// A Runner runs rows against one system.
type Runner struct {
	System  *devstack.System
	N       int // orders a row
	Clients int
	Seed    uint64
	Talk    io.Writer

	accepted []string // by all rows
}

const (
	spread      = 20 * time.Second
	placeWithin = 3 * time.Minute
	drainWithin = 2 * time.Minute
)

// Run runs one row: load and trouble together, then peace, then the check.
func (r *Runner) Run(ctx context.Context, row Row) Result {
	out := Result{ID: row.ID, What: row.What, Figures: map[string]float64{}}
	dev, err := r.System.Dev()
	if err != nil {
		out.Error = err.Error()
		return out
	}
	run := fmt.Sprintf("%s-%d", row.ID, time.Now().UnixNano())
	load := harness.Load{
		APIs: dev.APIs, Key: dev.Keys["marketplace"], N: r.N, Clients: r.Clients, Place: placeWithin, Drain: drainWithin,
		Make: func(n int) harness.Order { return harness.Mixed(run, r.Seed, n) },
	}
	if row.N > 0 {
		load.N = row.N
	}
	if row.Make != nil {
		load.Make = func(n int) harness.Order { return row.Make(run, r.Seed, n) }
	}
	t := &trouble{system: r.System, dev: dev}
	load.Meanwhile = row.meanwhile(t)
	if load.Over = spread; load.N < r.N {
		load.Over = spread / 4
	}

	stirring, calm := context.WithCancel(ctx)
	load.Placed = calm // the rest of the sagas' lives is in peace
	done := make(chan error, 1)
	go func() { done <- row.stir(stirring, t) }()
	began := time.Now()
	placed, err := load.Run(ctx)
	calm()
	if stirErr := <-done; err == nil {
		err = stirErr
	}
	if err == nil {
		err = t.heal(ctx)
	}
	if err != nil {
		out.Error = err.Error()
	}
	healed := time.Now()
	r.accepted = append(r.accepted, harness.IDs(placed)...)
	found, checkErr := r.settle(ctx)
	if checkErr != nil && out.Error == "" {
		out.Error = checkErr.Error()
	}
	out.Found, out.Violations = found, len(found)
	if len(out.Found) > 20 {
		out.Found = out.Found[:20]
	}
	out.Hits, out.Drain = t.count(), time.Since(healed).Seconds()
	out.Figures["orders"], out.Figures["seconds"] = float64(len(placed)), time.Since(began).Seconds()
	for _, p := range placed {
		out.Figures[p.Final.Status]++
	}
	delete(out.Figures, "")
	return out
}

// settle checks until everything has ended, or the time for it is over: what
// the last check finds is what is broken.
func (r *Runner) settle(ctx context.Context) (found []harness.Violation, err error) {
	deadline := time.Now().Add(drainWithin)
	for {
		dev, err := r.System.Dev()
		if err == nil {
			var facts harness.Facts
			if facts, err = harness.Gather(ctx, dev.Postgres, dev.StripeSim, dev.Participants); err == nil {
				found = harness.Check(facts, r.accepted)
			}
		}
		if err == nil && len(found) == 0 || time.Now().After(deadline) {
			return found, err
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return found, ctx.Err()
		case <-t.C:
		}
	}
}
