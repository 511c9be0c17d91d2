// Package lease lets one process of several lead. A lease is a row with a
// holder and an end by the database's clock, the only one all of them share;
// its epoch grows with every new holder.
//
// What happens on failure: a leader that dies is followed when its lease has
// run out; one that sleeps through its lease may for a moment believe that it
// leads, so what it does must do no harm when two do it.
package lease

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/lease/internal/leasedb"
)

// Acquire takes or renews a lease for a while and reports whether holder leads
// now. An error means that nobody knows; act as if not.
func Acquire(ctx context.Context, pool *pgxpool.Pool, name, holder string, lasts time.Duration) (bool, error) {
	_, err := leasedb.New(pool).AcquireLease(ctx, leasedb.AcquireLeaseParams{Name: name, Holder: holder, Duration: lasts})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Release gives a lease back, so that another need not wait for its end.
func Release(ctx context.Context, pool *pgxpool.Pool, name, holder string) error {
	return leasedb.New(pool).ReleaseLease(ctx, leasedb.ReleaseLeaseParams{Name: name, Holder: holder})
}
