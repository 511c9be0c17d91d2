package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/ledger"
)

// Store is the ledger of all tenants. It is safe for concurrent use.
type Store struct {
	pool *pgxpool.Pool
	now  func() time.Time

	mu      sync.Mutex
	writers map[ledger.Book]*writer
}

var _ ledger.Poster = (*Store)(nil)

// New returns the store behind pool, whose role must be able to execute the
// door to post and to select to read.
func New(pool *pgxpool.Pool) *Store {
	return &Store{pool: pool, now: time.Now, writers: map[ledger.Book]*writer{}}
}

// Post puts a batch into the books. Batches of all callers of this process are
// gathered: one lock, one round trip and one commit carry many of them. Each
// transaction has its own result; those of one call are recorded in order, not
// necessarily next to each other.
//
// Errors: ledger.ErrBusy, ledger.ErrOutcomeUnknown, or the database refused
// the whole.
func (s *Store) Post(ctx context.Context, book ledger.Book, batch []ledger.Transaction) ([]ledger.Result, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	if len(batch) > maxTransactions || lines(batch) > maxLines {
		return nil, fmt.Errorf("post: %d transactions with %d entries are too many for one call: %d and %d at most", len(batch), lines(batch), maxTransactions, maxLines)
	}
	c := &call{batch: batch, done: make(chan struct{})}
	if err := s.enqueue(book, c); err != nil {
		return nil, fmt.Errorf("post: %w", err)
	}
	select {
	case <-c.done:
		if c.err != nil {
			return nil, fmt.Errorf("post: %w", c.err)
		}
		return c.results, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("post: %w: %w", ledger.ErrOutcomeUnknown, ctx.Err())
	}
}

// PostTx puts a batch into the books in the caller's transaction, which must
// belong to the tenant (pgtenant.Tx). The book is locked until that ends. If
// the caller rolls back, nothing was posted, whatever the results said.
func (s *Store) PostTx(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) ([]ledger.Result, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	_, results, err := s.postLocked(ctx, tx, book, batch)
	return results, err
}

// postLocked locks the book, looks up what a batch needs to know, opens what
// is accepted of it uses of the standard chart, and posts it. It returns what
// it knows now.
func (s *Store) postLocked(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) (*sheet, []ledger.Result, error) {
	sh, err := readLocked(ctx, tx, book, batch)
	if err != nil {
		return nil, nil, err
	}
	now := s.now()
	missing := sh.notOpen(batch)
	sh.suppose(missing)
	recorded, results := compute(sh, batch, now)
	// A currency is opened by what is posted in it, not by what is refused.
	if used := inUse(recorded, missing); len(used) > 0 {
		if err := openChart(ctx, tx, book, used); err != nil {
			return nil, nil, err
		}
		if sh, err = readLocked(ctx, tx, book, batch); err != nil {
			return nil, nil, err
		}
		sh.suppose(missing)
		recorded, results = compute(sh, batch, now)
	}
	sh.forgetSupposed()
	if len(recorded) == 0 {
		return sh, results, nil
	}
	if err := pass(ctx, tx.Conn(), false, book, sh.before, recorded, sh.Bounded); err != nil {
		return nil, nil, err
	}
	return sh, results, nil
}

// inUse is those of the currencies that something recorded is in.
func inUse(recorded []*ledger.Recorded, currencies map[string]bool) map[string]bool {
	used := map[string]bool{}
	if len(currencies) == 0 {
		return used
	}
	for _, r := range recorded {
		for _, l := range r.Lines {
			if currencies[l.Currency] {
				used[l.Currency] = true
			}
		}
	}
	return used
}

// compute puts a batch on a sheet, each transaction at a time of its own.
func compute(sh *sheet, batch []ledger.Transaction, now time.Time) ([]*ledger.Recorded, []ledger.Result) {
	sh.before, sh.Bounded = sh.Head, false
	at := now.UTC().Truncate(time.Microsecond)
	if !at.After(sh.Head.RecordedAt) {
		at = sh.Head.RecordedAt.Add(time.Microsecond)
	}
	recorded := make([]*ledger.Recorded, 0, len(batch))
	results := make([]ledger.Result, len(batch))
	for i, t := range batch {
		var r *ledger.Recorded
		r, results[i] = sh.Next(t, at)
		if results[i].Outcome == ledger.Created {
			recorded = append(recorded, r)
			at = at.Add(time.Microsecond)
		}
	}
	return recorded, results
}

func lines(batch []ledger.Transaction) int {
	n := 0
	for _, t := range batch {
		n += max(len(t.Entries), 2)
	}
	return n
}
