// Package lease lets one process of several do work in the background. A lease
// is a row with a holder and an end by the database's clock, the only one all
// of them share; its epoch grows with every new holder.
//
//	follows ──► leads (the lease is free or has run out) ──► follows (it could not be renewed)
//	               └──► gives it back when it ends
//
// Invariant: a round of work never outlives the lease it was begun under.
//
// What happens on failure: a round that fails is reported, and the next one is
// the retry. A leader that dies is followed when its lease has run out; one that
// sleeps through its lease may for a moment believe that it leads, so what it
// does must do no harm when two do it.
package lease

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/lease/internal/leasedb"
)

// A Leader does jobs while no other process with a Leader of that name does.
type Leader struct {
	Pool  *pgxpool.Pool
	Name  string
	Renew time.Duration // the lease is renewed so often; it lasts three times as long
	Log   *slog.Logger
	Jobs  []Job

	holder string
}

// A Job is something to be done again and again. Jobs of a Leader wait for each
// other.
type Job struct {
	Name  string
	Every time.Duration
	Do    func(ctx context.Context) error
}

// Run works until ctx ends, leading whenever nobody else does.
func (l Leader) Run(ctx context.Context) {
	l.holder = uuid.NewString()
	defer l.release()
	leads := false
	renew, due := time.Now(), make([]time.Time, len(l.Jobs))
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		next, job := renew, -1
		for i, at := range due {
			if leads && at.Before(next) {
				next, job = at, i
			}
		}
		wait.Reset(time.Until(next))
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		now := time.Now()
		if job < 0 || !now.Before(renew) { // a round begins within a third of the lease's time and takes two at most
			renew = now.Add(l.Renew)
			was := leads
			leads = l.acquire(ctx)
			switch {
			case leads && !was:
				l.Log.InfoContext(ctx, "this process leads", slog.String("lease", l.Name))
			case was && !leads && ctx.Err() == nil:
				l.Log.InfoContext(ctx, "this process does not lead any more", slog.String("lease", l.Name))
			}
			continue
		}
		l.round(ctx, l.Jobs[job])
		due[job] = time.Now().Add(l.Jobs[job].Every) // what it has missed is not made up for
	}
}

// acquire takes or renews the lease and reports whether we lead now. When
// nobody knows, we do not.
func (l Leader) acquire(ctx context.Context) bool {
	bounded, cancel := context.WithTimeout(ctx, l.Renew)
	defer cancel()
	_, err := leasedb.New(l.Pool).AcquireLease(bounded, leasedb.AcquireLeaseParams{Name: l.Name, Holder: l.holder, Duration: 3 * l.Renew})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) && ctx.Err() == nil {
		l.Log.WarnContext(ctx, "a lease cannot be renewed", slog.String("lease", l.Name), slog.Any("error", err))
	}
	return err == nil
}

// release gives the lease back, so that another need not wait for its end.
func (l Leader) release() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = leasedb.New(l.Pool).ReleaseLease(ctx, leasedb.ReleaseLeaseParams{Name: l.Name, Holder: l.holder}) // not released, it runs out by itself
}

func (l Leader) round(ctx context.Context, j Job) {
	bounded, cancel := context.WithTimeout(ctx, 2*l.Renew)
	defer cancel()
	if err := j.Do(bounded); err != nil && ctx.Err() == nil {
		l.Log.WarnContext(ctx, "a round in the background failed", slog.String("lease", l.Name), slog.String("job", j.Name), slog.Any("error", err))
	}
}
