package ledgerbench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// latencies posts for the measured time and tells how long each posting took.
// With perSecond over 0 they are due at moments of their own, at random at
// that rate (Poisson), whether the ones before are answered or not, and time
// runs from the moment a posting was due: who waits for a free connection is
// counted as waiting. With 0 each client posts when its last was answered.
func latencies(ctx context.Context, clients []*client, pick shape, perSecond float64) ([]time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, warm+measure)
	defer cancel()
	began := time.Now().Add(warm)
	until := began.Add(measure)
	var mu sync.Mutex
	next := time.Now()
	due := func() time.Time {
		if perSecond == 0 {
			return time.Now()
		}
		mu.Lock()
		defer mu.Unlock()
		next = next.Add(time.Duration(rand.ExpFloat64() / perSecond * float64(time.Second)))
		return next
	}
	var failed atomic.Pointer[error]
	took := make([][]time.Duration, len(clients))
	var all sync.WaitGroup
	for n, c := range clients {
		all.Go(func() {
			for {
				at := due()
				if ctx.Err() != nil || at.After(until) {
					return
				}
				wait := time.NewTimer(time.Until(at))
				<-wait.C
				d, credit := pick()
				if err := c.post(d, credit, 1+rand.Int64N(1000)); err != nil {
					failed.Store(&err)
					cancel()
					return
				}
				if at.After(began) {
					took[n] = append(took[n], time.Since(at))
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return nil, *err
	}
	return slices.Concat(took...), nil
}

// printLatencies tells what a caller waits at half and at four fifths of the
// rate that the clients reach without pause, beside what they wait there.
func printLatencies(ctx context.Context, clients []*client, name string, pick shape, reached float64, print func(Line)) error {
	closed, err := latencies(ctx, clients, pick, 0)
	if err != nil {
		return err
	}
	for _, share := range []float64{0.5, 0.8} {
		open, err := latencies(ctx, clients, pick, share*reached)
		if err != nil {
			return err
		}
		for _, p := range []float64{50, 95, 99, 99.9} {
			print(Line{
				Bench: "ledger.http.latency", Shape: fmt.Sprintf("%s, due at %.0f a second, p%g", name, share*reached, p), Clients: len(clients),
				Value: ms(quantile(open, p)), Unit: "ms", Baseline: "64 clients without pause", BaselineValue: ms(quantile(closed, p)),
			})
		}
	}
	return nil
}
