package ledgerbench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
)

const (
	loaders = 4   // callers that load
	aCall   = 500 // transfers of one call
	warmed  = 10_000
)

// load posts n transfers through the door. Every tenth moves one account, and
// so many move a second one that it has about ten thousand lines in the end,
// however long the history is. It reports how fast the first and the last tenth
// went.
func (s *server) load(ctx context.Context, n int, talk io.Writer, print func(Line)) error {
	store := postgres.New(s.pool)
	often := max(1, n/warmed)
	var taken, done atomic.Int64
	var failed atomic.Pointer[error]
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var tenth, ninth atomic.Int64 // nanoseconds after which a tenth and nine tenths were there
	var all sync.WaitGroup
	for range loaders {
		all.Go(func() {
			for ctx.Err() == nil {
				first := int(taken.Add(aCall)) - aCall
				if first >= n {
					return
				}
				batch := make([]ledger.Transaction, min(aCall, n-first))
				for i := range batch {
					d, c := uniform()
					switch {
					case (first+i)%10 == 0:
						d, c = hot()
					case (first+i)%often == often-1:
						d, c = 1, 2+rand.IntN(accounts-2)
					}
					batch[i] = transfer(d, c, 1+rand.Int64N(1000))
				}
				if _, err := store.Post(ctx, ledger.Main(s.tenant), batch); err != nil {
					failed.Store(&err)
					cancel()
					return
				}
				now := done.Add(int64(len(batch)))
				if now >= int64(n/10) {
					tenth.CompareAndSwap(0, int64(time.Since(began)))
				}
				if now >= int64(n-n/10) {
					ninth.CompareAndSwap(0, int64(time.Since(began)))
				}
			}
		})
	}
	stop := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() { progress(talk, &done, n, stop) })
	all.Wait()
	close(stop)
	told.Wait()
	if err := failed.Load(); err != nil {
		return fmt.Errorf("load: %w", *err)
	}
	took := time.Since(began)
	shape := fmt.Sprintf("%d transfers, %d a call", n, aCall)
	print(Line{Bench: "ledger.load", Shape: shape, Clients: loaders, Value: float64(n) / took.Seconds(), Unit: "1/s"})
	print(Line{
		Bench: "ledger.load", Shape: shape + ", the last tenth", Clients: loaders,
		Value: float64(n) / 10 / (took - time.Duration(ninth.Load())).Seconds(), Unit: "1/s",
		Baseline: "the first tenth", BaselineValue: float64(n) / 10 / time.Duration(tenth.Load()).Seconds(),
	})
	return nil
}

func progress(talk io.Writer, done *atomic.Int64, n int, stop <-chan struct{}) {
	const every = 10 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := int64(0)
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			now := done.Load()
			fmt.Fprintf(talk, "recourse: %d of %d transfers, %d/s\n", now, n, (now-last)/int64(every/time.Second))
			last = now
		}
	}
}
