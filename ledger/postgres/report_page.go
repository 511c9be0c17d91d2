package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
	"github.com/recourse/recourse/ledger/report"
)

var (
	//go:embed reports/page.sql
	pageSQL string
	//go:embed door/of_order.sql
	ofOrder string
	//go:embed door/of_id.sql
	ofID string
)

// A Page is a part of an account's lines: at most Limit after the line
// AfterLine that was recorded at AfterAt. The zero time is the beginning.
type Page struct {
	Account, Currency string // an empty currency is all of the account's
	AfterAt           time.Time
	AfterLine         int16
	Limit             int
}

// Entries lists lines of one account, held and released ones too, in the order
// they were recorded. Answers ErrNoBook and ErrNoAccount.
func (s *Store) Entries(ctx context.Context, book ledger.Book, p Page) ([]report.EntryLine, error) {
	var out []report.EntryLine
	err := pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		found, err := ledgerdb.New(tx).AccountOfBook(ctx, ledgerdb.AccountOfBookParams{
			TenantID: book.Tenant, Entity: book.Entity, Code: p.Account, Currency: p.Currency,
		})
		if err != nil {
			return noBook(err)
		}
		if !found.Known {
			return ErrNoAccount
		}
		after := p.AfterAt
		if after.IsZero() {
			after = time.Unix(0, 0)
		}
		rows, err := tx.Query(ctx, pageSQL, found.ID, p.Account, p.Currency, after, p.AfterLine, p.Limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var l report.EntryLine
			if err := scanEntry(rows, &l); err != nil {
				return err
			}
			out = append(out, l)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("entries of account %s: %w", p.Account, err)
	}
	return out, nil
}

// TransactionsOfOrder lists what was posted for an order reference, in the
// order it was recorded.
func (s *Store) TransactionsOfOrder(ctx context.Context, book ledger.Book, orderRef string) ([]*ledger.Recorded, error) {
	return s.transactions(ctx, book, ofOrder, orderRef)
}

// TransactionByID is one transaction in a list, or none.
func (s *Store) TransactionByID(ctx context.Context, book ledger.Book, id uuid.UUID) ([]*ledger.Recorded, error) {
	return s.transactions(ctx, book, ofID, id)
}

func (s *Store) transactions(ctx context.Context, book ledger.Book, sql string, of any) ([]*ledger.Recorded, error) {
	var out []*ledger.Recorded
	err := pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, sql, book.Tenant, book.Entity, of)
		if err != nil {
			return err
		}
		return scanRecorded(rows, func(r *ledger.Recorded, _, _ bool) { out = append(out, r) })
	})
	if err != nil {
		return nil, fmt.Errorf("transactions: %w", err)
	}
	return out, nil
}
