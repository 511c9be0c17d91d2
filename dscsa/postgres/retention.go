package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/recourse/recourse/internal/pgtenant"
)

var (
	sqlRetentionClasses = statement("queries/retention_classes")
	sqlRetentionOver    = statement("queries/retention_over")
	sqlDocumentsDue     = statement("queries/documents_due")
	sqlToday            = statement("queries/today")
)

// Retention is what is kept and what need not be any more.
type Retention struct {
	Before  time.Time // UTC midnight: what was to be kept until a day before this one is over
	UpTo    int64     // the chain's last sequence then
	Classes []RetentionClass
	// Documents whose dates are over and whose bytes are there: those that may
	// go, with their bytes, and those that a hold in force keeps. An event with
	// a later date than its document's may keep some of the first longer.
	Documents, Bytes, Held int64
}

// RetentionClass is the records of one class of the law; one may be of several.
type RetentionClass struct {
	Class   string
	Records int64
	Open    int64 // whose six years have not begun
	Over    int64 // whose six years are over by this class
}

// DueDocument is a document one of whose classes is over.
type DueDocument struct {
	Seq        int64
	SHA256     []byte
	Size       int64
	KeptUntil  time.Time // the last day; zero: open, or a hold in force keeps it
	Goes       bool      // nothing keeps it any more
	looked     bool      // else it was not looked at what keeps it
	RecordedAt time.Time
	Sender     string
}

// ErrFuture means that a purge was asked for of what is still to be kept.
var ErrFuture = errors.New("what is kept until a day in the future is not over: name today or a day before")

// RetainTx says from which day on a document or decision is kept for six
// years, by record class: K1 the transaction, K2 the making, K3 the end of the
// investigation, K4 the end of the disposition (FD&C 582). The zero time: that
// has not come yet. The latest day counts.
func (st *Store) RetainTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, subject int64, class string, from time.Time) error {
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return err
	}
	return s.retain(ctx, subject, class, from)
}

// RetentionTx counts what is kept, and what is over before a day, in the
// caller's transaction; the zero day is today, UTC. ErrFuture.
func (st *Store) RetentionTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, before time.Time) (Retention, error) {
	s, err := look(ctx, tx, tenant)
	if err != nil {
		return Retention{}, err
	}
	out := Retention{UpTo: s.seq}
	if out.Before, err = s.day(ctx, before); err != nil {
		return out, err
	}
	out.Classes, err = collect(ctx, tx, "read how long records are kept", sqlRetentionClasses, func(rows pgx.Rows) (c RetentionClass, err error) {
		err = rows.Scan(&c.Class, &c.Records, &c.Open, &c.Over)
		return c, err
	}, s.id, out.Before)
	if err != nil {
		return out, err
	}
	if err := tx.QueryRow(ctx, sqlRetentionOver, s.id, out.Before).Scan(&out.Documents, &out.Bytes, &out.Held); err != nil {
		return out, fmt.Errorf("read whose time is over: %w", err)
	}
	return out, nil
}

// Retention is RetentionTx by itself.
func (st *Store) Retention(ctx context.Context, tenant uuid.UUID, before time.Time) (out Retention, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, err = st.RetentionTx(ctx, tx, tenant, before)
		return err
	})
	return out, err
}

// DocumentsDue lists documents one of whose classes is over before a day, in
// order, after one, and which of them may go. ErrFuture.
func (st *Store) DocumentsDue(ctx context.Context, tenant uuid.UUID, before time.Time, after int64, limit int) (out []DueDocument, err error) {
	err = pgtenant.ReadTx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		s, err := look(ctx, tx, tenant)
		if err != nil {
			return err
		}
		if before, err = s.day(ctx, before); err != nil {
			return err
		}
		out, err = s.due(ctx, after, s.seq, before, limit, math.MaxInt64)
		return err
	})
	return out, err
}

// day is a day up to today, by the database's clock.
func (s *session) day(ctx context.Context, asked time.Time) (time.Time, error) {
	var today time.Time
	if err := s.tx.QueryRow(ctx, sqlToday).Scan(&today); err != nil {
		return today, fmt.Errorf("read the day: %w", err)
	}
	switch {
	case asked.IsZero():
		return today, nil
	case asked.After(today):
		return today, ErrFuture
	}
	return asked.UTC().Truncate(24 * time.Hour), nil
}

func (s *session) due(ctx context.Context, after, upTo int64, before time.Time, limit int, bytes int64) ([]DueDocument, error) {
	return collect(ctx, s.tx, "look for documents whose time is over", sqlDocumentsDue, func(rows pgx.Rows) (d DueDocument, err error) {
		var until *time.Time
		err = rows.Scan(&d.Seq, &d.SHA256, &d.Size, &d.RecordedAt, &d.Sender, &d.looked, &until)
		if d.RecordedAt = d.RecordedAt.UTC(); until != nil {
			d.KeptUntil, d.Goes = *until, until.Before(before)
		}
		return d, err
	}, s.id, after, upTo, before, limit, bytes)
}

func isConstraint(err error, name string) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && refused.ConstraintName == name
}
