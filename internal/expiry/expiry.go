package expiry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/internal/lease"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres"
)

// Pace says how often what is done. A hold ends within Look of its time, a
// backlog by a thousand of each book a round.
type Pace struct {
	Renew time.Duration // the lease is renewed; it lasts three times as long
	Look  time.Duration // holds that are due are looked for
}

// Usual is the pace of the product.
var Usual = Pace{Renew: 3 * time.Second, Look: time.Second}

// Loop is the background job of the workers: one of them leads.
type Loop struct {
	Pool  *pgxpool.Pool // as role app_worker
	Books *postgres.Store
	Log   *slog.Logger
	Pace  Pace

	// Expired counts the holds that this process has ended.
	Expired atomic.Int64
}

const (
	ofABook = 1000   // holds of one book in a round: what fits into one call
	ofAll   = 20_000 // holds of a round
	atOnce  = 4      // books side by side
)

// Run works until ctx ends, leading whenever nobody else does.
func (l *Loop) Run(ctx context.Context) {
	lease.Leader{Pool: l.Pool, Name: "expiry", Renew: l.Pace.Renew, Log: l.Log, Jobs: []lease.Job{{Name: "expire holds", Every: l.Pace.Look, Do: l.Round}}}.Run(ctx)
}

// Round ends what is due. One book's trouble does not hold up the others.
func (l *Loop) Round(ctx context.Context) error {
	due, err := l.Books.DueHolds(ctx, ofABook, ofAll)
	if err != nil {
		return err
	}
	books := map[ledger.Book][]postgres.DueHold{}
	for _, h := range due {
		books[h.Book] = append(books[h.Book], h)
	}
	var g errgroup.Group
	g.SetLimit(atOnce)
	errs := make(chan error, len(books))
	for book, holds := range books {
		g.Go(func() error {
			errs <- l.expire(ctx, book, holds)
			return nil
		})
	}
	_ = g.Wait() // each book's error is in errs
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// expire ends the holds of one book, and takes off the list those that have
// ended, by this or otherwise.
func (l *Loop) expire(ctx context.Context, book ledger.Book, holds []postgres.DueHold) error {
	batch := make([]ledger.Transaction, len(holds))
	for i, h := range holds {
		batch[i] = Expiry(h)
	}
	results, err := l.Books.Post(ctx, book, batch)
	if err != nil {
		return fmt.Errorf("expire %d holds of %s/%s: %w", len(holds), book.Tenant, book.Entity, err)
	}
	var ended []uuid.UUID
	n := 0
	for i, r := range results {
		switch r.Outcome {
		case ledger.Created:
			n++
			ended = append(ended, holds[i].ID)
		case ledger.Exists, ledger.PendingAlreadyResolved:
			ended = append(ended, holds[i].ID)
		case ledger.PendingNotExpired: // by this process' clock; the next round comes
		default:
			err = errors.Join(err, fmt.Errorf("expire the hold %s of %s/%s: %w", holds[i].ID, book.Tenant, book.Entity, r.Err()))
		}
	}
	if n > 0 {
		l.Expired.Add(int64(n))
		l.Log.InfoContext(ctx, "holds have expired", slog.String("tenant", book.Tenant.String()), slog.String("entity", book.Entity),
			slog.Int("holds", n), slog.Time("oldest", holds[0].ExpiresAt))
	}
	if len(ended) > 0 {
		_, forgot := l.Books.ForgetHolds(ctx, book, ended)
		err = errors.Join(err, forgot)
	}
	return err
}

// Expiry is the transaction that ends a hold.
func Expiry(h postgres.DueHold) ledger.Transaction {
	return ledger.Transaction{
		ID: ledger.ExpiryID(h.ID), Kind: ledger.ExpirePending, Resolves: h.ID, Purpose: "hold.expire", Actor: "expiry",
		Reason: "its time is over", SagaID: h.SagaID, OrderRef: h.OrderRef,
	}
}
