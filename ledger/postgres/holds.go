package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

// A DueHold is a pending transaction that is past its time and may have been
// resolved.
type DueHold struct {
	Book      ledger.Book
	ID        uuid.UUID
	ExpiresAt time.Time
	SagaID    string
	OrderRef  string
}

// DueHolds lists holds of all tenants that are past their time, by the
// database's clock, those first that have been for longest: at most each of one
// book, and atMost of all. It reads no more than it lists.
func (s *Store) DueHolds(ctx context.Context, each, atMost int) ([]DueHold, error) {
	rows, err := ledgerdb.New(s.pool).DueHolds(ctx, ledgerdb.DueHoldsParams{Each: int32(each), AtMost: int32(atMost)})
	if err != nil {
		return nil, fmt.Errorf("look for holds that are due: %w", err)
	}
	var out []DueHold
	for _, r := range rows {
		out = append(out, DueHold{
			Book: ledger.Book{Tenant: r.TenantID, Entity: r.Entity}, ID: r.ID, ExpiresAt: r.ExpiresAt, SagaID: r.SagaID, OrderRef: r.OrderRef,
		})
	}
	return out, nil
}

// ForgetHolds takes those that have been resolved off the list of DueHolds; the
// others stay. It returns how many it took off.
func (s *Store) ForgetHolds(ctx context.Context, book ledger.Book, ids []uuid.UUID) (n int, err error) {
	err = pgtenant.Tx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		gone, err := ledgerdb.New(tx).ForgetHolds(ctx, ledgerdb.ForgetHoldsParams{TenantID: book.Tenant, Entity: book.Entity, Ids: ids})
		n = int(gone)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget holds: %w", err)
	}
	return n, nil
}
