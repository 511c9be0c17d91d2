package report

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

// A Query is what is asked of a report. Its basis is one accounting period, or
// a range of the time at which entries were recorded; the audit trail needs
// none, because it is of one transaction.
type Query struct {
	Report      Name
	Period      time.Time // first day of the month; zero: From and To
	From, To    time.Time // recorded at or after From and before To, UTC
	Account     string    // code; empty: all
	Currency    string    // ISO 4217, lower case; empty: all
	Transaction uuid.UUID // of the audit trail
	Seq         int64     // of the audit trail: the transaction by its number instead
	Line        int       // of the audit trail: one line; 0: all
}

// A FieldError is a parameter that cannot be taken.
type FieldError struct{ Field, Detail string }

func (e *FieldError) Error() string { return e.Field + " " + e.Detail }

// ParsePeriod reads an accounting period such as 2026-10.
func ParsePeriod(s string) (time.Time, error) {
	t, err := time.Parse("2006-01", s)
	if err != nil || t.Year() < 1970 {
		return time.Time{}, &FieldError{"period", "must be a month such as 2026-10"}
	}
	return t, nil
}

var number = regexp.MustCompile(`^[0-9]{1,18}$`)

// ParseTransaction reads what names a transaction: txn_ and its id, the id, or
// its number in the book.
func (q *Query) ParseTransaction(s string) error {
	if number.MatchString(s) {
		_, err := fmt.Sscan(s, &q.Seq)
		if err == nil && q.Seq > 0 {
			return nil
		}
	}
	id, err := uuid.Parse(strings.TrimPrefix(s, "txn_"))
	if err != nil || id == uuid.Nil {
		return &FieldError{"transaction", "must be a transaction's id (txn_…) or its number in the book"}
	}
	q.Transaction = id
	return nil
}

// Validate says what to change when the query cannot be answered.
func (q *Query) Validate() error {
	if Find(q.Report) == nil {
		return &FieldError{"report", "is not one of the reports"}
	}
	if q.Currency != "" && !ledger.KnownCurrency(q.Currency) {
		return &FieldError{"currency", "must be an ISO 4217 code in lower case"}
	}
	if q.Report == AuditTrail {
		if q.Transaction == uuid.Nil && q.Seq == 0 {
			return &FieldError{"transaction", "is missing: name the transaction whose trail to show"}
		}
		return nil
	}
	switch {
	case q.Transaction != uuid.Nil || q.Seq != 0 || q.Line != 0:
		return &FieldError{"transaction", "is for audit_trail only"}
	case !q.Period.IsZero() && (!q.From.IsZero() || !q.To.IsZero()):
		return &FieldError{"period", "cannot be given together with from and to"}
	case !q.Period.IsZero() && !ledger.PeriodOf(q.Period).Equal(q.Period):
		return &FieldError{"period", "must be the first day of a month"}
	case q.Period.IsZero() && (q.From.IsZero() || q.To.IsZero()):
		return &FieldError{"period", "is missing: give a month such as 2026-10, or both from and to"}
	case q.Period.IsZero() && !q.From.Before(q.To):
		return &FieldError{"to", "must be after from"}
	case q.Report == AccountStatement && q.Account == "":
		return &FieldError{"account", "is missing: a statement is of one account, such as 1020"}
	}
	return nil
}

// Parameters is the query as it is kept in the record of an export, and by
// which two queries are told apart.
func (q *Query) Parameters() map[string]string {
	out := map[string]string{}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	if !q.Period.IsZero() {
		put("period", q.Period.Format("2006-01"))
	}
	if !q.From.IsZero() {
		put("from", q.From.UTC().Format(time.RFC3339Nano))
		put("to", q.To.UTC().Format(time.RFC3339Nano))
	}
	put("account", q.Account)
	put("currency", q.Currency)
	if q.Transaction != uuid.Nil {
		put("transaction", "txn_"+q.Transaction.String())
	}
	if q.Seq != 0 {
		put("transaction", fmt.Sprint(q.Seq))
	}
	if q.Line != 0 {
		put("line", fmt.Sprint(q.Line))
	}
	return out
}
