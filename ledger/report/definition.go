package report

import (
	"slices"
	"time"
)

// Name is a report's name in paths and commands.
type Name string

// The reports.
const (
	TrialBalance       Name = "trial_balance"
	GeneralLedger      Name = "general_ledger"
	AccountStatement   Name = "account_statement"
	AccountRollforward Name = "account_rollforward"
	JournalExport      Name = "journal_export"
	AuditTrail         Name = "audit_trail"
)

// Kind says what a column holds and how it is written.
type Kind string

// The kinds of columns.
const (
	Text      Kind = "text"
	Integer   Kind = "integer"
	Date      Kind = "date"      // 2026-10-31
	Timestamp Kind = "timestamp" // UTC, microseconds: 2026-10-31T23:59:59.000001Z
	Money     Kind = "money"     // minor units of the row's currency; a plain decimal in CSV and XLSX
)

// A Column of a report. Summed columns have a control total in each currency.
type Column struct {
	Name   string
	Kind   Kind
	Summed bool
}

// A Definition is what a report shows.
type Definition struct {
	Name    Name
	Title   string
	Columns []Column
	// Ties are pairs of summed columns whose totals must be equal in each
	// currency when the report covers all accounts.
	Ties [][2]string
}

// Definitions lists every report.
func Definitions() []*Definition {
	return []*Definition{trialBalance, generalLedger, accountStatement, accountRollforward, journalExport, auditTrail}
}

// Find returns the report of that name, or nil.
func Find(name Name) *Definition {
	for _, d := range Definitions() {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// column is the place of a column, or -1.
func (d *Definition) column(name string) int {
	return slices.IndexFunc(d.Columns, func(c Column) bool { return c.Name == name })
}

// currency is the place of the column that names a row's currency.
func (d *Definition) currency() int { return d.column("currency") }

// A Cell is one value; the column says of which kind. The zero Cell is empty.
type Cell struct {
	filled bool
	text   string
	number int64
	time   time.Time
}

// String is a text cell; an empty text is an empty cell.
func String(s string) Cell { return Cell{filled: s != "", text: s} }

// Int is an integer cell.
func Int(n int64) Cell { return Cell{filled: true, number: n} }

// Amount is a money cell, in minor units of the row's currency.
func Amount(minor int64) Cell { return Cell{filled: true, number: minor} }

// Time is a date or timestamp cell; the zero time is an empty cell.
func Time(t time.Time) Cell { return Cell{filled: !t.IsZero(), time: t.UTC()} }
