package postgres

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
)

var (
	//go:embed door/lock_book.sql
	lockBook string
	//go:embed door/accounts.sql
	accountsOf string
	//go:embed door/known.sql
	knownOf string
)

// A sheet is what a writer computes on: the book's head and the accounts it
// has read. before is the head that the batch was computed on.
type sheet struct {
	ledger.Sheet

	before ledger.Head
	ahead  readAhead
}

func newSheet() *sheet {
	return &sheet{Sheet: ledger.Sheet{
		Accounts: map[ledger.AccountKey]*ledger.OpenAccount{}, Known: map[uuid.UUID]*ledger.Recorded{},
		Resolved: map[uuid.UUID]bool{}, Reversed: map[uuid.UUID]bool{},
	}}
}

// readLocked locks the head and reads, in one round trip, all that the rules
// ask about a batch.
func readLocked(ctx context.Context, tx pgx.Tx, book ledger.Book, batch []ledger.Transaction) (*sheet, error) {
	codes, currencies := accountsIn(batch)
	ids := idsIn(batch)
	q := &pgx.Batch{}
	sh := newSheet()
	q.Queue(lockBook, book.Tenant, book.Entity, false).QueryRow(func(row pgx.Row) error { return scanHead(row, &sh.Head) })
	q.Queue(knownOf, book.Tenant, book.Entity, ids).Query(func(rows pgx.Rows) error {
		return scanRecorded(rows, func(r *ledger.Recorded, resolved, reversed bool) {
			sh.Known[r.ID] = r
			sh.Resolved[r.ID], sh.Reversed[r.ID] = resolved, reversed
		})
	})
	q.Queue(accountsOf, book.Tenant, book.Entity, codes, currencies).Query(sh.scanAccounts)
	if err := tx.SendBatch(ctx, q).Close(); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.ConstraintName == "book_is_open" {
			return nil, fmt.Errorf("%w: %w", ledger.ErrNoBook, err)
		}
		return nil, fmt.Errorf("read the book: %w", err)
	}
	// What a batch resolves has accounts that the batch does not name.
	codes, currencies = codes[:0], currencies[:0]
	for _, r := range sh.Known {
		for _, l := range r.Lines {
			key := ledger.AccountKey{Code: l.Account, Currency: l.Currency}
			if r.Kind == ledger.Pending && sh.Accounts[key] == nil {
				codes, currencies = append(codes, key.Code), append(currencies, key.Currency)
			}
		}
	}
	if len(codes) > 0 {
		rows, err := tx.Query(ctx, accountsOf, book.Tenant, book.Entity, codes, currencies)
		if err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
		if err := sh.scanAccounts(rows); err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
	}
	return sh, nil
}

func (sh *sheet) scanAccounts(rows pgx.Rows) error {
	return eachAccount(rows, func(key ledger.AccountKey, a *ledger.OpenAccount) { sh.Accounts[key] = a })
}

func eachAccount(rows pgx.Rows, each func(key ledger.AccountKey, a *ledger.OpenAccount)) error {
	var a ledger.OpenAccount
	var key ledger.AccountKey
	_, err := pgx.ForEachRow(rows, []any{
		&a.ID, &key.Code, &key.Currency, &a.Normal, &a.Floor, &a.Ceiling, &a.Closed,
		&a.DebitsPosted, &a.CreditsPosted, &a.DebitsPending, &a.CreditsPending,
	}, func() error {
		one := a
		each(key, &one)
		a.Floor, a.Ceiling = nil, nil
		return nil
	})
	return err
}

func scanHead(row pgx.Row, h *ledger.Head) error {
	var hash []byte
	var closed, soft *time.Time
	if err := row.Scan(&h.BookID, &h.Seq, &hash, &h.RecordedAt, &h.Version, &closed, &soft); err != nil {
		return err
	}
	h.Hash, h.RecordedAt = [32]byte(hash), h.RecordedAt.UTC()
	h.ClosedThrough, h.SoftClosedThrough = time.Time{}, time.Time{}
	if closed != nil {
		h.ClosedThrough = *closed
	}
	if soft != nil {
		h.SoftClosedThrough = *soft
	}
	return nil
}

// scanRecorded reads transactions with their lines, one row a line.
func scanRecorded(rows pgx.Rows, each func(r *ledger.Recorded, resolved, reversed bool)) error {
	var last *ledger.Recorded
	var pending func()
	for rows.Next() {
		var r ledger.Recorded
		var l ledger.Line
		var resolves, reverses *uuid.UUID
		var expires *time.Time
		var hash []byte
		var resolved, reversed bool
		err := rows.Scan(&r.ID, &r.Seq, &r.RecordedAt, &r.Kind, &resolves, &reverses, &r.Purpose, &r.EffectiveOn, &r.Period, &expires,
			&r.Actor, &r.Reason, &r.SagaID, &r.OrderRef, &r.Document, &r.Approval, &hash, &resolved, &reversed,
			&l.Number, &l.Layer, &l.AccountID, &l.Account, &l.Currency, &l.Side, &l.Amount, &l.PostedAfter, &l.HeldDebitsAfter, &l.HeldCreditsAfter)
		if err != nil {
			return err
		}
		if last == nil || last.Seq != r.Seq {
			if pending != nil {
				pending()
			}
			r.Resolves, r.Reverses, r.RecordedAt = orNil(resolves), orNil(reverses), r.RecordedAt.UTC()
			if expires != nil {
				r.ExpiresAt = expires.UTC()
			}
			if len(hash) == len(r.Hash) {
				r.Hash = [32]byte(hash)
			}
			one := r
			last = &one
			pending = func() { one.WithLines(one.Lines); each(&one, resolved, reversed) }
		}
		last.Lines = append(last.Lines, l)
	}
	if pending != nil {
		pending()
	}
	rows.Close()
	return rows.Err()
}

func orNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

func idsIn(batch []ledger.Transaction) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(batch))
	for _, t := range batch {
		ids = append(ids, t.ID)
		if t.Resolves != uuid.Nil {
			ids = append(ids, t.Resolves)
		}
		if t.Reverses != uuid.Nil {
			ids = append(ids, t.Reverses)
		}
	}
	return ids
}

func accountsIn(batch []ledger.Transaction) (codes, currencies []string) {
	seen := map[ledger.AccountKey]bool{}
	codes, currencies = []string{}, []string{}
	for _, t := range batch {
		for _, e := range t.Entries {
			key := ledger.AccountKey{Code: e.Account, Currency: e.Currency}
			if !seen[key] {
				seen[key] = true
				codes, currencies = append(codes, e.Account), append(currencies, e.Currency)
			}
		}
	}
	return codes, currencies
}

// notOpen is the currencies in which the batch uses an account of the standard
// chart that is not open yet.
func (sh *sheet) notOpen(batch []ledger.Transaction) map[string]bool {
	missing := map[string]bool{}
	for _, t := range batch {
		for _, e := range t.Entries {
			key := ledger.AccountKey{Code: e.Account, Currency: e.Currency}
			if sh.Accounts[key] == nil && ledger.InChart(e.Account) && ledger.KnownCurrency(e.Currency) {
				missing[e.Currency] = true
			}
		}
	}
	return missing
}

// suppose puts the accounts of the standard chart on the sheet as they would be
// if they were open in these currencies; a supposed account has no id.
func (sh *sheet) suppose(currencies map[string]bool) {
	for currency := range currencies {
		for _, a := range ledger.Chart() {
			key := ledger.AccountKey{Code: a.Code, Currency: currency}
			if sh.Accounts[key] == nil {
				sh.Accounts[key] = &ledger.OpenAccount{Normal: a.Normal}
			}
		}
	}
}

// forgetSupposed takes them off again.
func (sh *sheet) forgetSupposed() {
	maps.DeleteFunc(sh.Accounts, func(_ ledger.AccountKey, a *ledger.OpenAccount) bool { return a.ID == 0 })
}

// openChart opens the standard chart in some currencies.
func openChart(ctx context.Context, tx pgx.Tx, book ledger.Book, currencies map[string]bool) error {
	p := ledgerdb.OpenAccountsParams{TenantID: book.Tenant, Entity: book.Entity}
	for currency := range currencies {
		for _, a := range ledger.Chart() {
			p.Codes, p.Names = append(p.Codes, a.Code), append(p.Names, a.Name)
			p.Types, p.Sides = append(p.Types, string(a.Type)), append(p.Sides, string(a.Normal))
			p.Currencies = append(p.Currencies, currency)
		}
	}
	// No bounds: unnest fills the shorter arrays with nulls.
	p.Floors, p.Ceilings = []int64{}, []int64{}
	if _, err := ledgerdb.New(tx).OpenAccounts(ctx, p); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	return nil
}
