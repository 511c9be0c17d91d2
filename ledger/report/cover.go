package report

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/recourse/recourse/ledger"
)

// Basis says by what entries belong to a report.
type Basis string

// The bases.
const (
	ByPeriod   Basis = "accounting_period" // the month an entry counts in
	ByRecorded Basis = "recorded_time"     // from inclusive, to exclusive, UTC
	OfOne      Basis = "transaction"       // the audit trail's
)

// A Checkpoint is a place in the book's chain. Note is the signed checkpoint
// that covers it, when there is one.
type Checkpoint struct {
	Seq  int64
	Hash [32]byte
	Note string
}

// A Total is the control total of one column in one currency, minor units.
type Total struct {
	Currency string
	Column   string
	Amount   int64
}

// A Cover says what a report is, as of which place in the chain, and what its
// rows come to. Rows, Totals, Balanced and DataSHA256 are filled in by Write.
//
// Final means that its figures cannot change any more: the period is closed,
// or all that was recorded in the range is known. GeneratedAt is then the time
// of the last transaction it covers and GeneratedBy the product: the bytes do
// not depend on who asks and when, which is kept in the record of the export.
type Cover struct {
	Entity      string
	Basis       Basis
	Query       Query
	Final       bool
	GeneratedAt time.Time
	GeneratedBy string
	Checkpoint  Checkpoint // of the last transaction it covers

	Rows       int64
	Totals     []Total
	Balanced   *bool // nil: the report has no two columns that must be equal
	DataSHA256 [32]byte
}

// Product is who generates a final report.
const Product = "recourse"

// A field is one line of the cover as people read it.
type field struct{ name, detail, value string }

// fields is the cover in the order in which it is written.
func (c *Cover) fields(d *Definition) []field {
	out := []field{{"report", "", string(d.Name)}, {"title", "", d.Title}, {"entity", "", c.Entity}, {"basis", "", string(c.Basis)}}
	for _, name := range []string{"period", "from", "to", "account", "currency", "transaction", "line"} {
		if v, ok := c.Query.Parameters()[name]; ok {
			out = append(out, field{name, "", v})
		}
	}
	out = append(out,
		field{"final", "", strconv.FormatBool(c.Final)},
		field{"generated_at", "", stamp(c.GeneratedAt)},
		field{"generated_by", "", c.GeneratedBy},
		field{"row_count", "", strconv.FormatInt(c.Rows, 10)},
	)
	for _, t := range c.Totals {
		out = append(out, field{"control_total", t.Currency + " " + t.Column, ledger.FormatAmount(t.Amount, t.Currency)})
	}
	if c.Balanced != nil {
		out = append(out, field{"balanced", "", strconv.FormatBool(*c.Balanced)})
	}
	out = append(out,
		field{"checkpoint_seq", "", strconv.FormatInt(c.Checkpoint.Seq, 10)},
		field{"checkpoint_hash", "", hex.EncodeToString(c.Checkpoint.Hash[:])},
	)
	if c.Checkpoint.Note != "" {
		out = append(out, field{"checkpoint_note", "", c.Checkpoint.Note})
	}
	return append(out, field{"data_sha256", "", hex.EncodeToString(c.DataSHA256[:])})
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000Z")
}
