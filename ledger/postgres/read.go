package postgres

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

// Balance is the four sums of one account, minor units of Currency.
type Balance struct {
	Account        ledger.Account
	Currency       string
	DebitsPending  int64
	CreditsPending int64
	DebitsPosted   int64
	CreditsPosted  int64
}

// Posted is the final balance on the account's normal side.
func (b Balance) Posted() int64 {
	if b.Account.Normal == ledger.Debit {
		return b.DebitsPosted - b.CreditsPosted
	}
	return b.CreditsPosted - b.DebitsPosted
}

// TrialBalance lists every account of the book in one currency, or in all
// when currency is empty, by currency and code.
func (s *Store) TrialBalance(ctx context.Context, book ledger.Book, currency string) ([]Balance, error) {
	var out []Balance
	err := pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := ledgerdb.New(tx).TrialBalance(ctx, ledgerdb.TrialBalanceParams{TenantID: book.Tenant, Entity: book.Entity, Currency: currency})
		for _, r := range rows {
			out = append(out, Balance{
				Account: ledger.Account{
					Code: r.Code, Name: r.Name, Type: ledger.AccountType(r.Type), Normal: ledger.Side(r.NormalSide),
				},
				Currency:      r.Currency,
				DebitsPending: r.DebitsPending, CreditsPending: r.CreditsPending,
				DebitsPosted: r.DebitsPosted, CreditsPosted: r.CreditsPosted,
			})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("trial balance: %w", err)
	}
	return out, nil
}

//go:embed door/of_saga.sql
var ofSaga string

// TransactionsOfSaga lists what a saga posted, in the order it was recorded.
func (s *Store) TransactionsOfSaga(ctx context.Context, book ledger.Book, saga string) ([]*ledger.Recorded, error) {
	var out []*ledger.Recorded
	err := pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, ofSaga, book.Tenant, book.Entity, saga)
		if err != nil {
			return err
		}
		return scanRecorded(rows, func(r *ledger.Recorded, _, _ bool) { out = append(out, r) })
	})
	if err != nil {
		return nil, fmt.Errorf("transactions of saga: %w", err)
	}
	return out, nil
}
