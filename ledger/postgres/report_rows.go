package postgres

import (
	"context"
	_ "embed"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/report"
)

var (
	//go:embed reports/balances.sql
	balancesSQL string
	//go:embed reports/entries.sql
	entriesSQL string
	//go:embed reports/journal.sql
	journalSQL string
	//go:embed reports/movements.sql
	movementsSQL string
	//go:embed reports/trail.sql
	trailSQL string
)

// atOnce is how many rows are fetched from a cursor at a time: what a report
// holds in memory.
const atOnce = 1000

// A cursor reads the rows of one query some at a time, so that neither the
// program nor a statement's time limit sees them all, and a slow reader holds
// no statement open.
type cursor[T any] struct {
	tx   pgx.Tx
	name string
	scan func(pgx.Rows, *T) error
	page []T
	next int
	end  bool
}

// declare opens a cursor; it ends with its transaction.
func declare[T any](ctx context.Context, tx pgx.Tx, name, sql string, args []any, scan func(pgx.Rows, *T) error) (*cursor[T], error) {
	if _, err := tx.Exec(ctx, "declare "+name+" no scroll cursor for "+sql, args...); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return &cursor[T]{tx: tx, name: name, scan: scan, page: make([]T, 0, atOnce)}, nil
}

// row returns the row the cursor stands at, or nil at the end. It is good
// until the next page is fetched.
func (c *cursor[T]) row(ctx context.Context) (*T, error) {
	if c.next == len(c.page) && !c.end {
		if err := c.fetch(ctx); err != nil {
			return nil, fmt.Errorf("read %s: %w", c.name, err)
		}
	}
	if c.next == len(c.page) {
		return nil, nil
	}
	return &c.page[c.next], nil
}

func (c *cursor[T]) skip() { c.next++ }

func (c *cursor[T]) fetch(ctx context.Context) error {
	rows, err := c.tx.Query(ctx, fmt.Sprintf("fetch %d from %s", atOnce, c.name))
	if err != nil {
		return err
	}
	defer rows.Close()
	clear(c.page) // what was read lets its memory go
	c.page, c.next = c.page[:0], 0
	for rows.Next() {
		c.page = append(c.page, *new(T))
		if err := c.scan(rows, &c.page[len(c.page)-1]); err != nil {
			return err
		}
	}
	c.end = len(c.page) < atOnce
	return rows.Err()
}

func scanBalance(rows pgx.Rows, l *report.BalanceLine) error {
	return rows.Scan(&l.AccountID, &l.Code, &l.Name, &l.Type, &l.Normal, &l.Currency, &l.Opening, &l.Debits, &l.Credits)
}

func scanEntry(rows pgx.Rows, l *report.EntryLine) error {
	var reverses, resolves *uuid.UUID
	err := rows.Scan(&l.Seq, &l.RecordedAt, &l.EffectiveOn, &l.Period, &l.ID, &reverses, &l.Line, &l.AccountID, &l.Account, &l.Currency, &l.Side,
		&l.Layer, &l.Amount, &l.PostedAfter, &l.HeldDebits, &l.HeldCredits, &l.Purpose, &l.Actor, &l.Reason, &l.SagaID, &l.OrderRef, &l.Document,
		&l.ApprovalID, &l.ApprovedBy, &l.Kind, &resolves, &l.Hash, &l.Relation)
	l.Reverses, l.Resolves = orNil(reverses), orNil(resolves)
	return err
}

func scanMovement(rows pgx.Rows, l *report.MovementLine) error {
	return rows.Scan(&l.AccountID, &l.Purpose, &l.Additions, &l.Reductions)
}

// rows are the rows of a report. Every report is one or two queries, however
// many accounts and entries there are.
func (s *scope) rows(ctx context.Context, q report.Query, book ledger.Book) iter.Seq2[[]report.Cell, error] {
	return func(yield func([]report.Cell, error) bool) {
		out := &emitter{yield: yield, buf: make([]report.Cell, 0, 32)}
		var err error
		switch q.Report {
		case report.TrialBalance:
			err = s.trialBalance(ctx, out)
		case report.GeneralLedger:
			err = s.byAccount(ctx, out, false)
		case report.AccountStatement:
			err = s.byAccount(ctx, out, true)
		case report.AccountRollforward:
			err = s.rollforward(ctx, out)
		case report.JournalExport:
			err = s.journal(ctx, out, book.Entity)
		case report.AuditTrail:
			err = s.trail(ctx, out, q)
		}
		if err != nil && !out.over {
			yield(nil, err)
		}
	}
}

// An emitter hands rows on until the reader has had enough.
type emitter struct {
	yield func([]report.Cell, error) bool
	buf   []report.Cell
	over  bool
}

// put hands a row on and reports whether there may be another.
func (e *emitter) put(cells []report.Cell) bool {
	e.buf = cells[:0]
	e.over = e.over || !e.yield(cells, nil)
	return !e.over
}

// balances opens the accounts with their openings. What counts in a later
// period belongs to the difference between now and then, so a period's has no
// end.
func (s *scope) balances(ctx context.Context) (*cursor[report.BalanceLine], error) {
	args := s.arguments()
	if s.period.Valid {
		args[2] = always
	}
	return declare(ctx, s.tx, "balances", balancesSQL, args, scanBalance)
}

func (s *scope) trialBalance(ctx context.Context, out *emitter) error {
	accounts, err := s.balances(ctx)
	if err != nil {
		return err
	}
	for {
		a, err := accounts.row(ctx)
		if a == nil || err != nil {
			return err
		}
		if !out.put(a.Cells(out.buf)) {
			return nil
		}
		accounts.skip()
	}
}

// byAccount walks the accounts and their entries side by side; both come in
// the same order. edges adds a statement's opening and closing rows.
func (s *scope) byAccount(ctx context.Context, out *emitter, edges bool) error {
	accounts, err := s.balances(ctx)
	if err != nil {
		return err
	}
	entries, err := declare(ctx, s.tx, "entries", entriesSQL, s.arguments(), scanEntry)
	if err != nil {
		return err
	}
	for {
		a, err := accounts.row(ctx)
		if a == nil || err != nil {
			return err
		}
		balance := a.Opening
		if edges && !out.put(report.StatementEdge(out.buf, "opening", balance, a.Currency)) {
			return nil
		}
		for {
			e, err := entries.row(ctx)
			if err != nil {
				return err
			}
			if e == nil || e.AccountID != a.AccountID {
				break
			}
			balance += e.Signed()
			e.Balance = balance
			cells := e.LedgerCells
			if edges {
				cells = e.StatementCells
			}
			if !out.put(cells(out.buf)) {
				return nil
			}
			entries.skip()
		}
		if balance != a.Closing() {
			return fmt.Errorf("account %s %s: the entries come to %d and the balance to %d", a.Code, a.Currency, balance, a.Closing())
		}
		if edges && !out.put(report.StatementEdge(out.buf, "closing", balance, a.Currency)) {
			return nil
		}
		accounts.skip()
	}
}

func (s *scope) rollforward(ctx context.Context, out *emitter) error {
	accounts, err := s.balances(ctx)
	if err != nil {
		return err
	}
	movements, err := declare(ctx, s.tx, "movements", movementsSQL, s.arguments(), scanMovement)
	if err != nil {
		return err
	}
	for {
		a, err := accounts.row(ctx)
		if a == nil || err != nil {
			return err
		}
		if !out.put(a.RollforwardCells(out.buf, "opening", nil)) {
			return nil
		}
		for {
			m, err := movements.row(ctx)
			if err != nil {
				return err
			}
			if m == nil || m.AccountID != a.AccountID {
				break
			}
			if !out.put(a.RollforwardCells(out.buf, "movement", m)) {
				return nil
			}
			movements.skip()
		}
		if !out.put(a.RollforwardCells(out.buf, "closing", nil)) {
			return nil
		}
		accounts.skip()
	}
}

// byTheKey keeps a book's journal from being sorted on disk before its first
// row: it stands in order in its key.
const byTheKey = `select set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)`

func (s *scope) journal(ctx context.Context, out *emitter, entity string) error {
	if _, err := s.tx.Exec(ctx, byTheKey); err != nil {
		return fmt.Errorf("prepare the transaction: %w", err)
	}
	entries, err := declare(ctx, s.tx, "journal", journalSQL, s.arguments(), scanEntry)
	if err != nil {
		return err
	}
	for {
		e, err := entries.row(ctx)
		if e == nil || err != nil || !out.put(e.JournalCells(out.buf, entity)) {
			return err
		}
		entries.skip()
	}
}

func (s *scope) trail(ctx context.Context, out *emitter, q report.Query) error {
	entries, err := declare(ctx, s.tx, "trail", trailSQL, []any{s.book, pgtype.UUID{Bytes: q.Transaction, Valid: q.Transaction != uuid.Nil}, q.Seq, q.Line}, scanEntry)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		e, err := entries.row(ctx)
		if e == nil && n == 0 && err == nil {
			return ErrNoTransaction
		}
		if e == nil || err != nil || !out.put(e.TrailCells(out.buf)) {
			return err
		}
		entries.skip()
	}
}
