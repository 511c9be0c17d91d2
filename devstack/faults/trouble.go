package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/recourse/recourse/devstack"
)

// trouble makes faults and counts those that struck.
type trouble struct {
	system *devstack.System
	dev    devstack.Dev
	hits   atomic.Int64
	struck int // by rules, read when healed
}

func (t *trouble) hit()       { t.hits.Add(1) }
func (t *trouble) count() int { return int(t.hits.Load()) + t.struck }

// every runs fn again and again until ctx ends, with d between two runs.
func every(ctx context.Context, d time.Duration, fn func(ctx context.Context) error) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wait.C:
		}
		if err := fn(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		wait.Reset(d)
	}
}

// kill ends processes with SIGKILL and waits for them to be back.
func (t *trouble) kill(names ...string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute) // what was killed is waited for
		defer cancel()
		done := make(chan error, len(names))
		for _, name := range names {
			go func() { done <- t.system.Kill(ctx, name) }()
		}
		for range names {
			if err := <-done; err != nil {
				return err
			}
			t.hit()
		}
		return nil
	}
}

// plant gives a simulator a fault rule.
func (t *trouble) plant(ctx context.Context, base string, rule map[string]any) error {
	raw, err := json.Marshal(rule)
	if err != nil {
		return err
	}
	return call(ctx, http.MethodPost, base+"/_sim/faults", raw, nil)
}

// heal takes all rules away, counts what they did, and waits for peace.
func (t *trouble) heal(ctx context.Context) error {
	for _, base := range []string{t.dev.StripeSim, t.dev.Participants} {
		var rules struct {
			Data []struct{ Hits int }
		}
		if err := call(ctx, http.MethodGet, base+"/_sim/faults", nil, &rules); err != nil {
			return err
		}
		for _, r := range rules.Data {
			t.struck += r.Hits
		}
		if err := call(ctx, http.MethodDelete, base+"/_sim/faults", nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// call speaks to a simulator, which may be starting again.
func call(ctx context.Context, method, url string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		res, err := (&http.Client{}).Do(req)
		if err == nil {
			defer func() { _ = res.Body.Close() }()
			if res.StatusCode >= 300 {
				return fmt.Errorf("%s %s: %s", method, url, res.Status)
			}
			if into == nil {
				return nil
			}
			return json.NewDecoder(res.Body).Decode(into)
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
