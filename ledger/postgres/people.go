package postgres

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

// AccountFilter selects accounts. Zero fields do not filter.
type AccountFilter struct {
	ID       int64
	Code     string
	Currency string
}

// AccountState is an account of the chart as it stands. Floor and Ceiling bound
// the posted balance on the normal side, minor units; nil: no bound.
type AccountState struct {
	Balance

	ID       int64
	Floor    *int64
	Ceiling  *int64
	OpenedAt time.Time
	ClosedAt *time.Time
}

// Accounts lists accounts of a book by code and currency; ledger.ErrNoBook when
// the legal entity has no books.
func (s *Store) Accounts(ctx context.Context, book ledger.Book, f AccountFilter) (out []AccountState, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, err = AccountsTx(ctx, tx, book, f)
		return err
	})
	return out, err
}

// bookIsOpen answers ledger.ErrNoBook unless the book is open, or will be by the
// first posting.
func bookIsOpen(ctx context.Context, tx pgx.Tx, book ledger.Book) error {
	if book.Entity == ledger.MainEntity {
		return nil
	}
	_, err := ledgerdb.New(tx).AccountOfBook(ctx, ledgerdb.AccountOfBookParams{TenantID: book.Tenant, Entity: book.Entity})
	if errors.Is(err, pgx.ErrNoRows) {
		return ledger.ErrNoBook
	}
	if err != nil {
		return fmt.Errorf("look for the book: %w", err)
	}
	return nil
}

// AccountsTx is Accounts in the caller's transaction; ledger.ErrNoBook when the
// legal entity has no books.
func AccountsTx(ctx context.Context, tx pgx.Tx, book ledger.Book, f AccountFilter) ([]AccountState, error) {
	rows, err := ledgerdb.New(tx).Accounts(ctx, ledgerdb.AccountsParams{
		TenantID: book.Tenant, Entity: book.Entity, ID: f.ID, Code: f.Code, Currency: f.Currency,
	})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	if len(rows) == 0 {
		if err := bookIsOpen(ctx, tx, book); err != nil {
			return nil, err
		}
	}
	var out []AccountState
	for _, r := range rows {
		out = append(out, AccountState{
			ID: r.ID, Floor: r.Floor, Ceiling: r.Ceiling, OpenedAt: r.OpenedAt, ClosedAt: r.ClosedAt,
			Balance: Balance{
				Account:  ledger.Account{Code: r.Code, Name: r.Name, Type: ledger.AccountType(r.Type), Normal: ledger.Side(r.NormalSide)},
				Currency: r.Currency, DebitsPending: r.DebitsPending, CreditsPending: r.CreditsPending,
				DebitsPosted: r.DebitsPosted, CreditsPosted: r.CreditsPosted,
			},
		})
	}
	return out, nil
}

// Pending is what is held for the normal side less what is held against it.
func (b Balance) Pending() int64 {
	if b.Account.Normal == ledger.Debit {
		return b.DebitsPending - b.CreditsPending
	}
	return b.CreditsPending - b.DebitsPending
}

// Available is what is posted on the normal side less what is held against it.
func (b Balance) Available() int64 {
	if b.Account.Normal == ledger.Debit {
		return b.Posted() - b.CreditsPending
	}
	return b.Posted() - b.DebitsPending
}

//go:embed door/balance_at.sql
var balanceAt string

// BalanceAt is an account's balances at a moment: Posted is debits less
// credits, Seq the last transaction that moved them, 0 before the first.
type BalanceAt struct {
	Posted, HeldDebits, HeldCredits, Seq int64
}

// BalanceAt reads an account's balances after everything that was recorded at
// or before a moment, without reading its history. A zero moment means now.
func (s *Store) BalanceAt(ctx context.Context, book ledger.Book, account int64, at time.Time) (b BalanceAt, err error) {
	if at.IsZero() {
		at = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		err := tx.QueryRow(ctx, balanceAt, account, at).Scan(&b.Posted, &b.HeldDebits, &b.HeldCredits, &b.Seq)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return BalanceAt{}, fmt.Errorf("balance as of %s: %w", at.Format(time.RFC3339), err)
	}
	return b, nil
}

// RecordedTx reads one transaction of a book, in the caller's transaction, and
// whether it has been reversed. pgx.ErrNoRows: there is none.
func RecordedTx(ctx context.Context, tx pgx.Tx, book ledger.Book, id uuid.UUID) (found *ledger.Recorded, reversed bool, err error) {
	rows, err := tx.Query(ctx, knownOf, book.Tenant, book.Entity, []uuid.UUID{id})
	if err != nil {
		return nil, false, fmt.Errorf("read transaction: %w", err)
	}
	err = scanRecorded(rows, func(r *ledger.Recorded, _, back bool) { found, reversed = r, back })
	if err != nil {
		return nil, false, fmt.Errorf("read transaction: %w", err)
	}
	if found == nil {
		return nil, false, pgx.ErrNoRows
	}
	return found, reversed, nil
}

// ErrNoPeriod means that a period is before the first one of the books, or in
// the future.
var ErrNoPeriod = errors.New("there is no such period in these books")

// The states of a period.
const (
	PeriodOpen       = "open"
	PeriodSoftClosed = "soft_closed"
	PeriodClosed     = "closed"
	PeriodReopened   = "reopened"
)

// PeriodState is how a period stands. Period is the first day of the month;
// Version says how often it was closed.
type PeriodState struct {
	Period  time.Time
	State   string
	Version int
}

// Periods lists the periods of a book, from the first with postings to the
// running month.
func (s *Store) Periods(ctx context.Context, book ledger.Book) (out []PeriodState, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, err = periods(ctx, tx, ledgerdb.PeriodsParams{TenantID: book.Tenant, Entity: book.Entity, AllOfThem: true})
		return err
	})
	return out, err
}

// PeriodTx reads how one period stands, in the caller's transaction.
// Errors: ErrNoPeriod.
func PeriodTx(ctx context.Context, tx pgx.Tx, book ledger.Book, period time.Time) (PeriodState, error) {
	found, err := periods(ctx, tx, ledgerdb.PeriodsParams{TenantID: book.Tenant, Entity: book.Entity, Period: period})
	if err == nil && len(found) == 0 {
		err = ErrNoPeriod
	}
	if err != nil {
		return PeriodState{}, err
	}
	return found[0], nil
}

func periods(ctx context.Context, tx pgx.Tx, p ledgerdb.PeriodsParams) ([]PeriodState, error) {
	rows, err := ledgerdb.New(tx).Periods(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("read periods: %w", err)
	}
	var out []PeriodState
	for _, r := range rows {
		out = append(out, PeriodState{Period: r.Period, State: r.State, Version: int(r.Version)})
	}
	return out, nil
}

// PeriodEvent is one move of a period: PeriodSoftClosed, PeriodClosed or
// PeriodReopened. Seq and ChainHash say where the book stood.
type PeriodEvent struct {
	Event, ApprovalID, Actor, ChainHash string
	Version                             int
	At                                  time.Time
	Seq                                 int64
}

// PeriodTotal is what was posted to an account in a period when that was
// closed, minor units.
type PeriodTotal struct {
	Version         int
	Code, Currency  string
	Debits, Credits int64
}

// PeriodHistory is a period with its moves in order, and what was frozen at
// each closing.
type PeriodHistory struct {
	PeriodState

	Events []PeriodEvent
	Totals []PeriodTotal
}

// PeriodHistory reads a period whole. Errors: ErrNoPeriod.
func (s *Store) PeriodHistory(ctx context.Context, book ledger.Book, period time.Time) (h PeriodHistory, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		if h.PeriodState, err = PeriodTx(ctx, tx, book, period); err != nil {
			return err
		}
		q := ledgerdb.New(tx)
		events, err := q.PeriodEvents(ctx, ledgerdb.PeriodEventsParams{TenantID: book.Tenant, Entity: book.Entity, Period: period})
		if err != nil {
			return fmt.Errorf("read the period's events: %w", err)
		}
		for _, e := range events {
			h.Events = append(h.Events, PeriodEvent{
				Event: e.Event, ApprovalID: e.ApprovalID, Actor: e.Actor, ChainHash: hex.EncodeToString(e.Hash),
				Version: int(e.Version), At: e.At, Seq: e.Seq,
			})
		}
		totals, err := q.PeriodTotals(ctx, ledgerdb.PeriodTotalsParams{TenantID: book.Tenant, Entity: book.Entity, Period: period})
		if err != nil {
			return fmt.Errorf("read the period's totals: %w", err)
		}
		for _, t := range totals {
			h.Totals = append(h.Totals, PeriodTotal{Version: int(t.Version), Code: t.Code, Currency: t.Currency, Debits: t.Debits, Credits: t.Credits})
		}
		return nil
	})
	return h, err
}
