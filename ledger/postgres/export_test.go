package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/ledger"
)

// PostBatch is the door's statement, for tests that knock by themselves.
var PostBatch = postBatch

// NewAt is New with a clock.
func NewAt(pool *pgxpool.Pool, now func() time.Time) *Store {
	s := New(pool)
	s.now = now
	return s
}

// Compute locks the book and computes a batch on its head as PostTx does, and
// posts nothing.
func (s *Store) Compute(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) (ledger.Head, []*ledger.Recorded, []ledger.Result, error) {
	sh, err := readLocked(ctx, tx, book, batch)
	if err != nil {
		return ledger.Head{}, nil, nil, err
	}
	recorded, results := compute(sh, batch, s.now())
	return sh.before, recorded, results, nil
}

// DoorArguments are those of PostBatch.
func DoorArguments(book ledger.Book, before ledger.Head, recorded []*ledger.Recorded) []any {
	return doorArguments(book, before, recorded)
}

// Queued is how many calls wait for a book's writer.
func (s *Store) Queued(book ledger.Book) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.writers[book]; w != nil {
		return len(w.queue)
	}
	return 0
}
