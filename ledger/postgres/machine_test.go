package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// Random histories of everything one can do to a book, against the model.
func TestTheStoreAgreesWithTheModelInEverything(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pool, super := db.Pool("app_worker"), db.Super()
	unasked(t, db)
	ledgertest.Play(t, long(t, 12, 1000), func(now func() time.Time) (ledgertest.Subject, ledger.Book) {
		s := &played{pool: pool, super: super, now: now, book: ledger.Main(db.Tenant())}
		for i := range s.stores {
			s.Forget(i)
		}
		return s, s.book
	})
	requireSound(t, db)
}

// played is a book under the machine.
type played struct {
	pool, super *pgxpool.Pool
	now         func() time.Time
	book        ledger.Book
	stores      [ledgertest.Stores]*postgres.Store
}

func (s *played) Forget(i int) { s.stores[i] = postgres.NewAt(s.pool, s.now) }

func (s *played) Post(ctx context.Context, i int, batch []ledger.Transaction) ([]ledger.Result, error) {
	return s.stores[i].Post(ctx, s.book, batch)
}

func (s *played) PostTx(ctx context.Context, i int, batch []ledger.Transaction, keep bool) (results []ledger.Result, err error) {
	err = pgtenant.Tx(ctx, s.pool, s.book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		if results, err = s.stores[i].PostTx(ctx, tx, s.book, batch); err == nil && !keep {
			return errNotKept
		}
		return err
	})
	if errors.Is(err, errNotKept) {
		err = nil
	}
	return results, err
}

// owner runs fn as the ledger's owner.
func (s *played) owner(ctx context.Context, fn func(tx pgx.Tx) error) error {
	return pgtenant.Tx(ctx, s.super, s.book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local role ledger_owner`); err != nil {
			return err
		}
		return fn(tx)
	})
}

func (s *played) Open(ctx context.Context, a ledgertest.Account, normal ledger.Side, floor, ceiling *int64) error {
	return s.owner(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select ledger.add_accounts($1, $2, array[$3], array[$3], array['asset'], array[$4], array[$5], array[$6::bigint], array[$7::bigint])`,
			s.book.Tenant, s.book.Entity, a.Code, string(normal), a.Currency, floor, ceiling)
		return err
	})
}

func (s *played) Change(ctx context.Context, a ledgertest.Account, closed bool, floor, ceiling *int64) (string, error) {
	var there bool
	err := s.owner(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `select ledger.change_account($1, $2, $3, $4, $5, $6, $7)`,
			s.book.Tenant, s.book.Entity, a.Code, a.Currency, closed, floor, ceiling).Scan(&there)
	})
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "LG001":
		return pg.ConstraintName, nil
	case err == nil && !there:
		return "missing", nil
	}
	return "changed", err
}

func (s *played) Close(ctx context.Context, through, soft time.Time) error {
	return s.owner(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `select ledger.lock_book($1, $2, false)`, s.book.Tenant, s.book.Entity)
		if err == nil {
			_, err = tx.Exec(ctx, `select set_config('ledger.door', 'open', true)`)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `update ledger.book set closed_through = $1, soft_closed_through = $2, version = version + 1 where tenant_id = $3 and entity = $4`,
				through, soft, s.book.Tenant, s.book.Entity)
		}
		return err
	})
}

func (s *played) Sums(ctx context.Context) (map[ledgertest.Account]ledgertest.Sums, error) {
	return sumsOf(ctx, s.stores[0], s.book)
}

func (s *played) Recorded(ctx context.Context) ([]*ledger.Recorded, error) {
	return s.stores[0].TransactionsOfSaga(ctx, s.book, ledgertest.Saga)
}

// sumsOf are the balances that are not zero.
func sumsOf(ctx context.Context, store *postgres.Store, book ledger.Book) (map[ledgertest.Account]ledgertest.Sums, error) {
	list, err := store.TrialBalance(ctx, book, "")
	got := map[ledgertest.Account]ledgertest.Sums{}
	for _, b := range list {
		sums := ledgertest.Sums{
			DebitsPending: b.DebitsPending, CreditsPending: b.CreditsPending,
			DebitsPosted: b.DebitsPosted, CreditsPosted: b.CreditsPosted,
		}
		if sums != (ledgertest.Sums{}) {
			got[ledgertest.Account{Code: b.Account.Code, Currency: b.Currency}] = sums
		}
	}
	return got, err
}
