package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/recourse/recourse/devstack"
	"github.com/recourse/recourse/devstack/harness"
)

// booking measures one booking on an idle machine, part by part, and how many a
// second go through. The baseline is Temporal itself: a workflow with the same
// shape whose activities do nothing, on the same server.
func booking(ctx context.Context, dev devstack.Dev, n int) error {
	c := harness.NewClient(dev.API, dev.Keys["marketplace"])
	for _, flow := range []string{"authorize", "charge"} {
		fmt.Fprintf(os.Stderr, "recourse: %d bookings one after another, %s\n", n, flow)
		parts := map[string][]time.Duration{}
		for i := range n + 20 {
			one, err := measure(ctx, c, harness.Whole(fmt.Sprintf("bench-%s-%s", flow, uuid.NewString()), flow))
			if err != nil {
				return err
			}
			if i < 20 {
				continue // warming up
			}
			for name, d := range one {
				parts[name] = append(parts[name], d)
			}
		}
		bare, err := bareTemporal(ctx, dev.Temporal, flow, n)
		if err != nil {
			return err
		}
		for _, p := range []float64{50, 95, 99} {
			print(line{
				Bench: "booking.latency", Shape: fmt.Sprintf("%s p%.0f", flow, p), Clients: 1, Value: millis(quantile(parts["total"], p)), Unit: "ms",
				Baseline: "the same workflow shape with no-op activities on the same Temporal", BaselineValue: millis(quantile(bare, p)),
			})
		}
		delete(parts, "total")
		var names []string
		for name := range parts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			print(line{Bench: "booking.part", Shape: flow + " " + name + " p50", Clients: 1, Value: millis(quantile(parts[name], 50)), Unit: "ms"})
		}
	}
	return throughput(ctx, dev)
}

// measure places one order and reads where its time went from the saga itself:
// accept is the HTTP answer, start the time until the first step, then each
// step from its intent to its settlement, and finish what is left.
func measure(ctx context.Context, c *harness.Client, o harness.Order) (map[string]time.Duration, error) {
	began := time.Now()
	s, _, err := c.Book(ctx, uuid.NewString(), o)
	if err != nil {
		return nil, err
	}
	accepted := time.Now()
	if s, err = c.Wait(ctx, s.ID); err != nil {
		return nil, err
	}
	total := time.Since(began)
	if s.Status != "completed" {
		return nil, errors.New("a booking ended " + s.Status)
	}
	parts := map[string]time.Duration{"total": total, "1 accept": accepted.Sub(began)}
	first, last := s.Steps[0].StartedAt, s.Steps[0].FinishedAt
	for _, step := range s.Steps {
		if step.StartedAt.Before(first) {
			first = step.StartedAt
		}
		if step.FinishedAt.After(last) {
			last = step.FinishedAt
		}
		parts["3 step "+step.Name] = step.FinishedAt.Sub(step.StartedAt)
	}
	parts["2 start"] = first.Sub(accepted)
	parts["4 all steps"] = last.Sub(first)
	parts["5 finish"] = total - last.Sub(began)
	return parts, nil
}

// throughput places bookings from 16 clients, each waiting for its end.
func throughput(ctx context.Context, dev devstack.Dev) error {
	const clients, each = 16, 15
	fmt.Fprintf(os.Stderr, "recourse: %d bookings from %d clients\n", clients*each, clients)
	var failed atomic.Int64
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			c := harness.NewClient(dev.API, dev.Keys["marketplace"])
			for range each {
				if _, err := measure(ctx, c, harness.Whole("bench-"+uuid.NewString(), "authorize")); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d bookings failed", failed.Load())
	}
	rate := float64(clients*each) / time.Since(began).Seconds()
	bare, err := bareRate(ctx, dev.Temporal, clients, each)
	if err != nil {
		return err
	}
	print(line{
		Bench: "booking.rate", Shape: "authorize", Clients: clients, Value: rate, Unit: "1/s",
		Baseline: "the same workflow shape with no-op activities on the same Temporal", BaselineValue: bare,
	})
	return nil
}

const bareQueue = "bench-bare"

// bareShape has the round trips of a booking and does nothing: stages of
// ordinary activities, and local ones where the booking has them.
func bareShape(ctx workflow.Context, flow string) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Second})
	remote := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Second})
	stages := []int{1, 3, 1, 3}
	if flow == "charge" {
		stages = []int{1, 1, 1, 1, 3}
	}
	if err := workflow.ExecuteLocalActivity(local, "Nothing").Get(ctx, nil); err != nil {
		return err
	}
	for _, n := range stages {
		var futures []workflow.Future
		for range n {
			futures = append(futures, workflow.ExecuteActivity(remote, "Nothing"))
		}
		for _, f := range futures {
			if err := f.Get(ctx, nil); err != nil {
				return err
			}
		}
	}
	if err := workflow.ExecuteLocalActivity(local, "Nothing").Get(ctx, nil); err != nil {
		return err
	}
	return workflow.ExecuteLocalActivity(local, "Nothing").Get(ctx, nil)
}

type nothing struct{}

// Nothing does nothing.
func (*nothing) Nothing(context.Context) error { return nil }

// withBare runs fn with a worker for the bare shape.
func withBare(address string, fn func(start func(ctx context.Context, flow string) (time.Duration, error)) error) error {
	c, err := client.Dial(client.Options{HostPort: address, Namespace: "recourse", Logger: quiet{}})
	if err != nil {
		return fmt.Errorf("reach Temporal: %w", err)
	}
	defer c.Close()
	w := worker.New(c, bareQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: 8, MaxConcurrentActivityTaskPollers: 16})
	w.RegisterWorkflow(bareShape)
	w.RegisterActivity(&nothing{})
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the bare worker: %w", err)
	}
	defer w.Stop()
	return fn(func(ctx context.Context, flow string) (time.Duration, error) {
		began := time.Now()
		run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: uuid.NewString(), TaskQueue: bareQueue}, bareShape, flow)
		if err == nil {
			err = run.Get(ctx, nil)
		}
		return time.Since(began), err
	})
}

func bareTemporal(ctx context.Context, address, flow string, n int) (took []time.Duration, err error) {
	fmt.Fprintf(os.Stderr, "recourse: %d bare workflows of the same shape\n", n)
	err = withBare(address, func(start func(context.Context, string) (time.Duration, error)) error {
		for i := range n + 20 {
			d, err := start(ctx, flow)
			if err != nil {
				return err
			}
			if i >= 20 {
				took = append(took, d)
			}
		}
		return nil
	})
	return took, err
}

func bareRate(ctx context.Context, address string, clients, each int) (rate float64, err error) {
	err = withBare(address, func(start func(context.Context, string) (time.Duration, error)) error {
		began := time.Now()
		errs := make(chan error, clients)
		for range clients {
			go func() {
				var err error
				for range each {
					if _, e := start(ctx, "authorize"); e != nil {
						err = e
					}
				}
				errs <- err
			}()
		}
		for range clients {
			if e := <-errs; e != nil {
				err = e
			}
		}
		rate = float64(clients*each) / time.Since(began).Seconds()
		return err
	})
	return rate, err
}

func quantile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Clone(all)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*p/100))]
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}
