package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/ledger"
)

// The bounds of a writer. A full queue answers ledger.ErrBusy.
const (
	maxTransactions = 1000             // of one trip through the door
	maxLines        = 8000             // of one trip, and of one call
	queueLength     = 8192             // calls that wait
	maxAccounts     = 200_000          // remembered by a writer before it forgets all
	idle            = time.Minute      // after which a writer ends
	tripTime        = 15 * time.Second // one trip
	resolveTime     = 30 * time.Second // how long the outcome of a lost commit is asked for
	gatherAtMost    = 300 * time.Microsecond
)

// A call is one caller's batch. done is closed when results or err are there.
type call struct {
	batch   []ledger.Transaction
	results []ledger.Result
	err     error
	done    chan struct{}
}

func (c *call) finish(results []ledger.Result, err error) {
	c.results, c.err = results, err
	close(c.done)
}

// A writer posts to one book. It remembers the head and the accounts it has
// touched, so that a batch needs one round trip; that somebody else has posted
// it learns from the door, which refuses a batch that does not follow from the
// head as it is.
type writer struct {
	store *Store
	book  ledger.Book
	queue chan *call
	sheet *sheet // nil: nothing is known
	last  int    // calls in the last trip
}

// enqueue hands a call to the book's writer, starting one if there is none.
func (s *Store) enqueue(book ledger.Book, c *call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.writers[book]
	if w == nil {
		w = &writer{store: s, book: book, queue: make(chan *call, queueLength)}
		s.writers[book] = w
		go w.run()
	}
	select {
	case w.queue <- c:
		return nil
	default:
		return ledger.ErrBusy
	}
}

// run serves the queue until nothing came for a while.
func (w *writer) run() {
	quiet := time.NewTimer(idle)
	defer quiet.Stop()
	for {
		select {
		case c := <-w.queue:
			w.trip(w.gather(c))
			quiet.Reset(idle)
		case <-quiet.C:
			if w.leave() {
				return
			}
			quiet.Reset(idle)
		}
	}
}

// leave ends the writer unless a call has come in.
func (w *writer) leave() bool {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if len(w.queue) > 0 {
		return false
	}
	delete(w.store.writers, w.book)
	return true
}

// gather takes the calls that wait. The callers of the last trip have just got
// their answers and are about to come back: it waits for as many, a moment.
func (w *writer) gather(first *call) []*call {
	calls, n, m := []*call{first}, len(first.batch), lines(first.batch)
	var patience *time.Timer
	for n < maxTransactions && m < maxLines {
		var c *call
		select {
		case c = <-w.queue:
		default:
			if len(calls) >= w.last {
				w.last = len(calls)
				return calls
			}
			if patience == nil {
				patience = time.NewTimer(gatherAtMost)
				defer patience.Stop()
			}
			select {
			case c = <-w.queue:
			case <-patience.C:
				w.last = len(calls)
				return calls
			}
		}
		calls, n, m = append(calls, c), n+len(c.batch), m+lines(c.batch)
	}
	w.last = len(calls)
	return calls
}

// trip carries calls through the door and finishes each of them.
func (w *writer) trip(calls []*call) {
	ctx, cancel := context.WithTimeout(context.Background(), tripTime)
	defer cancel()
	var batch []ledger.Transaction
	for _, c := range calls {
		batch = append(batch, c.batch...)
	}
	results, err := w.post(ctx, batch)
	if err != nil && isRefusal(err) && len(calls) > 1 {
		// The database found a fault the rules did not foresee. Whose it is
		// shows when each goes alone.
		for _, c := range calls {
			w.trip([]*call{c})
		}
		return
	}
	for _, c := range calls {
		if err != nil {
			c.finish(nil, err)
			continue
		}
		c.finish(results[:len(c.batch):len(c.batch)], nil)
		results = results[len(c.batch):]
	}
}

// post puts a batch into the books: straight through the door when everything
// about it is known, otherwise with the book locked while it is looked up.
func (w *writer) post(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
	if w.foreseeable(batch) {
		if err := w.know(ctx, batch); err == nil {
			results, done, err := w.straight(ctx, batch)
			if done || err != nil {
				return results, err
			}
		} else if unknown(err) {
			return nil, err // nothing was sent yet
		}
	}
	return w.locked(ctx, batch)
}

// foreseeable reports whether a batch depends on nothing but the head and the
// accounts: nothing in it refers to another transaction.
func (w *writer) foreseeable(batch []ledger.Transaction) bool {
	if w.sheet == nil {
		return false
	}
	for i := range batch {
		if batch[i].Resolves != uuid.Nil || batch[i].Reverses != uuid.Nil {
			return false
		}
	}
	return true
}

// know reads the accounts of a batch that the writer has not met. A balance
// read without a lock can be newer than the head the writer knows: then the
// head has moved, and the door says so.
func (w *writer) know(ctx context.Context, batch []ledger.Transaction) error {
	if len(w.sheet.Accounts) > maxAccounts {
		clear(w.sheet.Accounts)
	}
	var codes, currencies []string
	for i := range batch {
		for _, e := range batch[i].Entries {
			if w.sheet.Accounts[ledger.AccountKey{Code: e.Account, Currency: e.Currency}] == nil {
				codes, currencies = append(codes, e.Account), append(currencies, e.Currency)
			}
		}
	}
	if len(codes) == 0 {
		return nil
	}
	q := &pgx.Batch{}
	q.Queue(setTenant, w.book.Tenant.String())
	q.Queue(accountsOf, w.book.Tenant, w.book.Entity, codes, currencies).Query(w.sheet.scanAccounts)
	return w.store.pool.SendBatch(ctx, q).Close()
}

const setTenant = `select set_config('app.tenant', $1, true)`

// straight goes through the door in one round trip. done is false when the
// door wants the batch looked up first: nothing was posted then.
func (w *writer) straight(ctx context.Context, batch []ledger.Transaction) (results []ledger.Result, done bool, err error) {
	clear(w.sheet.Known)
	recorded, results := compute(w.sheet, batch, w.store.now())
	if len(recorded) < len(batch) {
		w.sheet = nil // a refusal is an answer only to what is not in the books already
		return nil, false, nil
	}
	var answer doorAnswer
	q := &pgx.Batch{}
	q.Queue(setTenant, w.book.Tenant.String())
	q.Queue(postBatch, doorArguments(w.book, w.sheet.before, recorded)...).QueryRow(answer.scan)
	err = w.store.pool.SendBatch(ctx, q).Close()
	switch {
	case err == nil && answer.posted():
		return results, true, nil
	case err == nil, isKnownAlready(err):
		w.sheet = nil
		return nil, false, nil
	case unknown(err):
		return w.resolve(batch, err)
	default:
		w.sheet = nil
		return nil, false, err
	}
}

// locked looks everything up with the book locked, and posts.
func (w *writer) locked(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
	results, err := w.attempt(ctx, batch)
	if unknown(err) {
		results, _, err = w.resolve(batch, err)
	}
	return results, err
}

// attempt is one transaction: lock, look up, compute, post.
func (w *writer) attempt(ctx context.Context, batch []ledger.Transaction) (results []ledger.Result, err error) {
	w.sheet = nil
	var sh *sheet
	err = w.store.inTenant(ctx, w.book.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		sh, results, err = w.store.postLocked(ctx, tx, w.book, batch)
		return err
	})
	if err != nil {
		return nil, err
	}
	w.sheet = sh
	return results, nil
}

// resolve finds out what became of a batch whose commit was not learned. It
// moves the book's version first: what may still be on its way is refused when
// it arrives, so that what is not there now never will be. Transactions that
// are not there are posted then; they could not be sooner.
func (w *writer) resolve(batch []ledger.Transaction, cause error) (results []ledger.Result, done bool, err error) {
	w.sheet = nil
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		results, err := w.fenced(ctx, batch)
		if err == nil || isRefusal(err) {
			return results, true, err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, false, fmt.Errorf("%w: %w", ledger.ErrOutcomeUnknown, cause)
		}
	}
}

// fenced is an attempt after the version has been moved in a transaction of
// its own: the fence stands whatever becomes of the attempt.
func (w *writer) fenced(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
	err := w.store.inTenant(ctx, w.book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		var h ledger.Head
		return scanHead(tx.QueryRow(ctx, lockBook, w.book.Tenant, w.book.Entity, true), &h)
	})
	if err != nil {
		return nil, err
	}
	return w.attempt(ctx, batch)
}

// isKnownAlready reports whether the door found an id of the batch in the
// books.
func isKnownAlready(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.ConstraintName == "journal_key_pkey" || pg.ConstraintName == "journal_link_once")
}

// isRefusal reports whether the database answered, and the answer was no.
func isRefusal(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && !unknown(err) && !isTransient(pg)
}

// isTransient reports whether the database could not, for the time being.
func isTransient(pg *pgconn.PgError) bool {
	switch pg.Code[:2] {
	case "40", "53", "55", "58": // rolled back, resources, locks, system
		return true
	}
	return false
}

// unknown reports whether after an error nobody knows if the commit happened:
// the connection failed, or the server went away.
func unknown(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code[:2] == "08" || pg.Code[:2] == "57"
	}
	return err != nil && !errors.Is(err, errLockedAndStale)
}
