package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/postgres/internal/ledgerdb"
	"github.com/recourse/recourse/ledger/report"
)

// ErrNoBook means that the tenant has no book of that legal entity.
var ErrNoBook = errors.New("there is no book of this legal entity")

// ErrNoTransaction means that the book has no such transaction.
var ErrNoTransaction = errors.New("there is no such transaction in the book")

// ErrNoAccount means that the book has no account of that code, or none in the
// currency asked for.
var ErrNoAccount = errors.New("there is no such account in the book")

// forReports is set for the transaction of a report. A statement of it is given
// longer than the role's own limit, because a whole year may be summed in one.
// Compiling is off: the partitions make every statement look dear, and compiling
// one costs a hundred times what running it does (600 ms against 6 ms, measured).
const forReports = `select set_config('statement_timeout', '120s', true), set_config('jit', 'off', true)`

// Report calls write with the cover and the rows of a report, all as of one
// moment. The cover lacks what Write counts; GeneratedAt and GeneratedBy are
// there only when the report is final. The rows are read as write asks for
// them and end with it. Answers ErrNoBook,
// ErrNoAccount and ErrNoTransaction.
func (s *Store) Report(ctx context.Context, book ledger.Book, q report.Query, write func(report.Cover, iter.Seq2[[]report.Cell, error]) error) error {
	err := pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		part, cover, err := s.open(ctx, tx, book, q)
		if err != nil {
			return err
		}
		return write(cover, part.rows(ctx, q, book))
	})
	if err != nil {
		return fmt.Errorf("report %s: %w", q.Report, err)
	}
	return nil
}

// Cover is the cover of a report without its rows: whether it is final, and
// the place in the chain it covers.
func (s *Store) Cover(ctx context.Context, book ledger.Book, q report.Query) (cover report.Cover, err error) {
	err = pgtenant.ReadTx(ctx, s.pool, book.Tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, cover, err = s.open(ctx, tx, book, q)
		return err
	})
	if err != nil {
		return cover, fmt.Errorf("report %s: %w", q.Report, err)
	}
	return cover, nil
}

// A scope is the part of a book that a report reads: what was recorded at or
// after from and before to and, if period is there, counts in that month.
type scope struct {
	tx       pgx.Tx
	book     int32
	from, to pgtype.Timestamptz
	period   pgtype.Date
	account  string
	currency string
}

var always = pgtype.Timestamptz{InfinityModifier: pgtype.Infinity, Valid: true}

func at(t time.Time) pgtype.Timestamptz { return pgtype.Timestamptz{Time: t, Valid: true} }

func (s *scope) arguments() []any {
	return []any{s.book, s.from, s.to, s.period, s.account, s.currency}
}

func (s *Store) open(ctx context.Context, tx pgx.Tx, book ledger.Book, q report.Query) (*scope, report.Cover, error) {
	part := &scope{tx: tx, account: q.Account, currency: q.Currency}
	cover := report.Cover{Entity: book.Entity, Query: q}
	if _, err := tx.Exec(ctx, forReports); err != nil {
		return nil, cover, fmt.Errorf("prepare the transaction: %w", err)
	}
	var covered struct {
		hash []byte
		at   time.Time
	}
	db := ledgerdb.New(tx)
	switch {
	case q.Report == report.AuditTrail || q.Period.IsZero():
		until := q.To
		cover.Basis = report.ByRecorded
		if q.Report == report.AuditTrail {
			until, cover.Basis = endOfTime, report.OfOne
		}
		row, err := db.ReportRange(ctx, ledgerdb.ReportRangeParams{TenantID: book.Tenant, Entity: book.Entity, Until: until})
		if err != nil {
			return nil, cover, noBook(err)
		}
		part.book, part.from, part.to = row.ID, at(q.From), at(until)
		cover.Final, cover.Checkpoint.Seq, covered.hash, covered.at = row.Final, row.CoveredSeq, row.CoveredHash, row.CoveredAt
	default:
		row, err := db.ReportPeriod(ctx, ledgerdb.ReportPeriodParams{TenantID: book.Tenant, Entity: book.Entity, Period: q.Period})
		if err != nil {
			return nil, cover, noBook(err)
		}
		cover.Basis = report.ByPeriod
		part.book, part.period = row.ID, pgtype.Date{Time: q.Period, Valid: true}
		part.from, part.to = always, always // nothing counts in the period or later
		if row.FirstAt.Unix() > 0 {
			part.from, part.to = at(row.FirstAt), at(row.FirstAt)
		}
		if row.LastAt.Unix() > 0 {
			part.to = at(row.LastAt.Add(time.Microsecond))
		}
		cover.Final, cover.Checkpoint.Seq, covered.hash, covered.at = row.Final, row.CoveredSeq, row.CoveredHash, row.CoveredAt
	}
	if q.Account != "" {
		found, err := db.AccountOfBook(ctx, ledgerdb.AccountOfBookParams{
			TenantID: book.Tenant, Entity: book.Entity, Code: q.Account, Currency: q.Currency,
		})
		if err != nil {
			return nil, cover, fmt.Errorf("find the account: %w", err)
		}
		if !found.Known {
			return nil, cover, ErrNoAccount
		}
	}
	cover.Checkpoint.Hash = [32]byte(covered.hash)
	seal, err := db.CoveringCheckpoint(ctx, ledgerdb.CoveringCheckpointParams{BookID: part.book, Seq: cover.Checkpoint.Seq})
	if err != nil {
		return nil, cover, fmt.Errorf("find the checkpoint: %w", err)
	}
	cover.Checkpoint.Note = seal.Note
	// What the sealer has not come to yet will have another cover in a moment.
	cover.Final = cover.Final && (seal.Note != "" || !seal.Sealed)
	if cover.Final {
		cover.GeneratedBy = report.Product
		if covered.at.Unix() > 0 {
			cover.GeneratedAt = covered.at.UTC()
		}
	}
	return part, cover, nil
}

// endOfTime is later than anything is recorded.
var endOfTime = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func noBook(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNoBook
	}
	return fmt.Errorf("find the part of the book: %w", err)
}

// An Export is one report that left the product, or a part of it.
type Export struct {
	Query       report.Query
	Entity      string
	Format      report.Format
	RequestedBy string // api key id
	RequestID   string
	StartedAt   time.Time
	Cover       report.Cover
	Complete    bool
	SHA256      [32]byte // of the bytes, when complete
}

// RecordExport puts an export on record, in a transaction of its own.
func (s *Store) RecordExport(ctx context.Context, tenant uuid.UUID, e Export) error {
	parameters, err := json.Marshal(e.Query.Parameters())
	if err != nil {
		return fmt.Errorf("record export: %w", err)
	}
	p := ledgerdb.RecordExportParams{
		TenantID: tenant, Entity: e.Entity, Report: string(e.Query.Report), Format: string(e.Format), Parameters: parameters,
		RequestedBy: e.RequestedBy, RequestID: e.RequestID, RowCount: e.Cover.Rows, Final: e.Cover.Final,
		CheckpointSeq: e.Cover.Checkpoint.Seq, StartedAt: e.StartedAt,
	}
	if e.Complete {
		p.Sha256, p.DataSha256 = e.SHA256[:], e.Cover.DataSHA256[:]
	}
	err = pgtenant.Tx(ctx, s.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := ledgerdb.New(tx).RecordExport(ctx, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("record export: %w", err)
	}
	return nil
}
