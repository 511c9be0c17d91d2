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

// Recorded is a transaction as the books have it.
type Recorded struct {
	ledger.Transaction
	Seq        int64
	RecordedAt time.Time
}

// TrialBalance lists every account of the tenant in one currency, or in all
// when currency is empty, by currency and code.
func (s *Store) TrialBalance(ctx context.Context, tenant uuid.UUID, currency string) ([]Balance, error) {
	var out []Balance
	err := pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := ledgerdb.New(tx).TrialBalance(ctx, ledgerdb.TrialBalanceParams{TenantID: tenant, Currency: currency})
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

// TransactionsOfSaga lists what a saga posted, in the order it was recorded.
func (s *Store) TransactionsOfSaga(ctx context.Context, tenant uuid.UUID, saga string) ([]Recorded, error) {
	var out []Recorded
	err := pgtenant.ReadTx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := ledgerdb.New(tx).TransactionsOfSaga(ctx, ledgerdb.TransactionsOfSagaParams{TenantID: tenant, SagaID: saga})
		for _, r := range rows {
			if len(out) == 0 || out[len(out)-1].Seq != r.Seq {
				out = append(out, Recorded{
					Seq: r.Seq, RecordedAt: r.RecordedAt.UTC(),
					Transaction: ledger.Transaction{
						ID: r.ID, Kind: ledger.Kind(r.Kind), Resolves: orNil(r.Resolves), Reverses: orNil(r.Reverses),
						Purpose: r.Purpose, EffectiveOn: r.EffectiveOn, Actor: r.Actor, Reason: r.Reason,
						SagaID: r.SagaID, OrderRef: r.OrderRef, Document: r.Document,
					},
				})
			}
			if r.Line > 0 {
				last := &out[len(out)-1]
				last.Entries = append(last.Entries, ledger.Entry{
					Account: r.Code, Side: ledger.Side(r.Side), Amount: r.Amount, Currency: r.Currency,
				})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("transactions of saga: %w", err)
	}
	return out, nil
}

func orNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}
