package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
)

// The bounds of a writer. A full queue answers ledger.ErrBusy.
const (
	maxTransactions = 1000             // of one trip through the door
	maxLines        = 8000             // of one trip, and of one call
	maxUnderWay     = 2                // trips at the same time
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

// A trip is the batch of some calls on its way through the door. results are
// what becomes of it if err, known when done is closed, is nil.
type trip struct {
	calls   []*call
	batch   []ledger.Transaction
	results []ledger.Result
	err     error
	done    chan struct{}
}

func newTrip(calls []*call) *trip {
	t := &trip{calls: calls, done: make(chan struct{})}
	for _, c := range calls {
		t.batch = append(t.batch, c.batch...)
	}
	return t
}

// answer gives each call its part.
func (t *trip) answer(results []ledger.Result, err error) {
	for _, c := range t.calls {
		if err != nil {
			c.finish(nil, err)
			continue
		}
		n := len(c.batch)
		c.finish(results[:n:n], nil)
		results = results[n:]
	}
}

// A writer posts to one book. It remembers the head and the accounts it has
// touched, so that a trip is one round trip, and it sends the next trip, on
// top of the head that the last one will leave, before that one has come back.
// That somebody else has posted it learns from the door, which refuses a batch
// that does not follow from the head as it is; then all that is under way is
// refused too, and each batch is looked up and posted again with the book
// locked.
type writer struct {
	store    *Store
	book     ledger.Book
	queue    chan *call
	sheet    *sheet // nil: nothing is known
	underWay []*trip
	last     int // calls in the last trip
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
		// While as many trips are under way as may be, calls gather in the queue.
		var back <-chan struct{}
		next := w.queue
		if len(w.underWay) > 0 {
			back = w.underWay[0].done
		}
		if len(w.underWay) >= maxUnderWay {
			next = nil
		}
		select {
		case <-back:
			w.settle()
		case c := <-next:
			w.send(newTrip(w.gather(c)))
			quiet.Reset(idle)
		case <-quiet.C:
			if w.leave() {
				return
			}
			quiet.Reset(idle)
		}
	}
}

// leave ends the writer unless there is something to do.
func (w *writer) leave() bool {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if len(w.queue) > 0 || len(w.underWay) > 0 {
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

// send sets a trip off when all about it is known: nothing in it refers to
// another transaction, the accounts are known, and nothing is refused. A
// refusal is an answer only to what is not in the books already, so that is
// looked up, as everything else is, with the book locked and nothing under way.
func (w *writer) send(t *trip) {
	ctx, cancel := context.WithTimeout(context.Background(), tripTime)
	if w.sheet == nil || !foreseeable(t.batch) || w.know(ctx, t.batch) != nil {
		cancel()
		w.drain()
		w.answer(t)
		return
	}
	clear(w.sheet.Known)
	recorded, results := compute(w.sheet, t.batch, w.store.now())
	if len(recorded) < len(t.batch) {
		cancel()
		w.sheet = nil
		w.drain()
		w.answer(t)
		return
	}
	t.results = results
	before, bounded := w.sheet.before, w.sheet.Bounded
	w.underWay = append(w.underWay, t)
	go func() {
		defer close(t.done)
		defer cancel()
		t.err = w.pass(ctx, before, recorded, bounded)
	}()
}

// pass borrows a connection for one trip through the door.
func (w *writer) pass(ctx context.Context, before ledger.Head, recorded []*ledger.Recorded, bounded bool) error {
	conn, err := w.store.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire a connection: %w", err)
	}
	defer conn.Release()
	return pass(ctx, conn.Conn(), true, w.book, before, recorded, bounded)
}

// drain waits for everything under way.
func (w *writer) drain() {
	for len(w.underWay) > 0 {
		w.settle()
	}
}

// settle takes the oldest trip that is under way. If it was refused, so will
// those be that followed it; each is posted again in its turn.
func (w *writer) settle() {
	t := w.underWay[0]
	<-t.done
	if t.err == nil {
		w.underWay = w.underWay[1:]
		t.answer(t.results, nil)
		return
	}
	failed := w.underWay
	w.underWay, w.sheet = nil, nil
	for _, t := range failed {
		<-t.done
	}
	for _, t := range failed {
		switch {
		case t.err == nil:
			t.answer(t.results, nil)
		case unknown(t.err):
			t.answer(w.resolve(t.batch, t.err))
		default:
			w.answer(t)
		}
	}
}

// answer posts a trip's batch with the book locked and answers its calls. When
// the database finds a fault that the rules did not foresee, each call goes
// alone: that shows whose it is.
func (w *writer) answer(t *trip) {
	ctx, cancel := context.WithTimeout(context.Background(), tripTime)
	defer cancel()
	results, err := w.attempt(ctx, t.batch)
	for again := 0; deadlocked(err) && again < 3; again++ {
		results, err = w.attempt(ctx, t.batch)
	}
	switch {
	case unknown(err):
		results, err = w.resolve(t.batch, err)
	case err != nil && !isRefusal(err):
		err = fmt.Errorf("%w: %w", ledger.ErrBusy, err)
	case err != nil && len(t.calls) > 1:
		for _, c := range t.calls {
			w.answer(newTrip([]*call{c}))
		}
		return
	}
	t.answer(results, err)
}

// foreseeable reports whether a batch depends on nothing but the head and the
// accounts.
func foreseeable(batch []ledger.Transaction) bool {
	for i := range batch {
		if batch[i].Resolves != uuid.Nil || batch[i].Reverses != uuid.Nil {
			return false
		}
	}
	return true
}

// know reads the accounts of a batch that the writer has not met, and some
// ahead: what is under way does not touch them. A balance read without a lock can be newer
// than the head the writer knows: then the head has moved, and the door says so.
func (w *writer) know(ctx context.Context, batch []ledger.Transaction) error {
	if len(w.sheet.Accounts) > maxAccounts {
		w.drain()
		if w.sheet == nil {
			return errForgotten
		}
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
	w.sheet.ahead.queue(q, w.sheet)
	return w.store.pool.SendBatch(ctx, q).Close()
}

var errForgotten = errors.New("the writer has forgotten its book")

// attempt is one transaction: lock, look up, compute, post.
func (w *writer) attempt(ctx context.Context, batch []ledger.Transaction) (results []ledger.Result, err error) {
	w.sheet = nil
	var sh *sheet
	err = pgtenant.Tx(ctx, w.store.pool, w.book.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
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
func (w *writer) resolve(batch []ledger.Transaction, cause error) ([]ledger.Result, error) {
	w.sheet = nil
	ctx, cancel := context.WithTimeout(context.Background(), resolveTime)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		results, err := w.fenced(ctx, batch)
		if err == nil || isRefusal(err) {
			return results, err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil, fmt.Errorf("%w: %w", ledger.ErrOutcomeUnknown, cause)
		}
	}
}

// fenced is an attempt after the version has been moved in a transaction of
// its own: the fence stands whatever becomes of the attempt.
func (w *writer) fenced(ctx context.Context, batch []ledger.Transaction) ([]ledger.Result, error) {
	err := pgtenant.Tx(ctx, w.store.pool, w.book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		var h ledger.Head
		return scanHead(tx.QueryRow(ctx, lockBook, w.book.Tenant, w.book.Entity, true), &h)
	})
	if err != nil {
		return nil, err
	}
	return w.attempt(ctx, batch)
}

// isRefusal reports whether the database answered, and the answer was no,
// rather than that it could not for the time being: rolled back, out of
// resources, locked, a system error. Either way nothing was posted.
func isRefusal(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || unknown(err) {
		return false
	}
	switch pg.Code[:2] {
	case "40", "53", "55", "58":
		return false
	}
	return true
}

// deadlocked reports whether the database took back one of two transactions
// that waited for each other: the same id, posted here and elsewhere at once.
func deadlocked(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "40P01"
}

// unknown reports whether after an error nobody knows if the commit happened:
// the connection failed, or the server went away.
func unknown(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code[:2] == "08" || pg.Code[:2] == "57"
	}
	return err != nil
}
