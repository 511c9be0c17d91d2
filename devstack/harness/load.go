package harness

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
)

// A Placed order is one the API has acknowledged, and how it ended.
type Placed struct {
	Order Order
	Key   string
	Saga  string
	Final Saga
	Err   error // it was not seen to end
}

// Load places orders from several clients at once, spread over Over, and
// follows each to its end.
type Load struct {
	APIs    []string
	Key     string
	N       int
	Clients int
	Make    func(n int) Order
	// Meanwhile, if not nil, runs for every order between its 202 and its end.
	Meanwhile func(ctx context.Context, c *Client, s Saga, n int)
	Over      time.Duration
	// Placed, if not nil, runs when all are placed.
	Placed func()
	// Place bounds placing, Drain what follows.
	Place, Drain time.Duration
}

// Run returns what was placed. An error means that an order could not be placed.
func (l Load) Run(ctx context.Context) ([]Placed, error) {
	placing, stop := context.WithTimeout(ctx, l.Place)
	defer stop()
	placed := make([]Placed, l.N)
	errs := make([]error, l.N)
	next := make(chan int)
	go func() {
		defer close(next)
		for n := range l.N {
			select {
			case next <- n:
			case <-placing.Done():
				return
			}
			if l.N > 1 && pause(placing, l.Over/time.Duration(l.N)) != nil {
				return
			}
		}
	}()
	var clients, followers sync.WaitGroup
	for i := range l.Clients {
		clients.Go(func() {
			c := NewClient(l.APIs[i%len(l.APIs)], l.Key)
			for n := range next {
				placed[n] = Placed{Order: l.Make(n), Key: uuid.NewString()}
				s, _, err := c.Book(placing, placed[n].Key, placed[n].Order)
				if err != nil {
					errs[n] = fmt.Errorf("order %s: %w", placed[n].Order.OrderRef, err)
					continue
				}
				placed[n].Saga = s.ID
				followers.Go(func() { l.follow(ctx, c, s, n, &placed[n]) })
			}
		})
	}
	clients.Wait()
	if l.Placed != nil {
		l.Placed()
	}
	followers.Wait()
	var out []Placed
	for _, p := range placed {
		if p.Saga != "" {
			out = append(out, p)
		}
	}
	err := errors.Join(errs...)
	if err == nil && len(out) < l.N {
		err = fmt.Errorf("only %d of %d orders were placed in %s", len(out), l.N, l.Place)
	}
	return out, err
}

func (l Load) follow(ctx context.Context, c *Client, s Saga, n int, p *Placed) {
	if l.Meanwhile != nil {
		l.Meanwhile(ctx, c, s, n)
	}
	drain, stop := context.WithTimeout(ctx, l.Drain)
	defer stop()
	p.Final, p.Err = c.Wait(drain, s.ID)
}

// IDs are the acknowledged sagas.
func IDs(placed []Placed) []string {
	var out []string
	for _, p := range placed {
		out = append(out, p.Saga)
	}
	return out
}
