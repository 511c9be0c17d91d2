package report

import (
	"encoding/hex"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

// The lines of the reports. A store reads them; Cells lays one out in its
// report's columns, using buf again.

// A BalanceLine is one account of the trial balance: what it stood at before
// the period, what moved in it, and nothing else. Minor units; Opening is debits
// less credits.
type BalanceLine struct {
	AccountID       int64
	Code, Name      string
	Type            ledger.AccountType
	Normal          ledger.Side
	Currency        string
	Opening         int64
	Debits, Credits int64
}

// Closing is debits less credits at the end.
func (l *BalanceLine) Closing() int64 { return l.Opening + l.Debits - l.Credits }

var trialBalance = &Definition{
	Name: TrialBalance, Title: "Trial balance",
	Columns: []Column{
		{"account_code", Text, false},
		{"account_name", Text, false},
		{"type", Text, false},
		{"currency", Text, false},
		{"opening_debit", Money, true},
		{"opening_credit", Money, true},
		{"period_debit", Money, true},
		{"period_credit", Money, true},
		{"closing_debit", Money, true},
		{"closing_credit", Money, true},
	},
	Ties: [][2]string{{"opening_debit", "opening_credit"}, {"period_debit", "period_credit"}, {"closing_debit", "closing_credit"}},
}

// Cells is the line in the columns of the trial balance.
func (l *BalanceLine) Cells(buf []Cell) []Cell {
	closing := l.Closing()
	return append(buf[:0],
		String(l.Code), String(l.Name), String(string(l.Type)), String(l.Currency),
		Amount(max(l.Opening, 0)), Amount(max(-l.Opening, 0)),
		Amount(l.Debits), Amount(l.Credits),
		Amount(max(closing, 0)), Amount(max(-closing, 0)))
}

// An EntryLine is one line of a transaction with what the transaction says.
// Balance is the account's running balance after it, debits less credits, in
// the order and within the basis of the report.
type EntryLine struct {
	Seq         int64
	RecordedAt  time.Time
	EffectiveOn time.Time
	Period      time.Time
	ID          uuid.UUID
	Reverses    uuid.UUID
	Line        int16
	AccountID   int64
	Account     string
	Currency    string
	Side        ledger.Side
	Layer       ledger.Layer
	Amount      int64
	PostedAfter int64
	HeldDebits  int64
	HeldCredits int64
	Purpose     string
	Actor       string
	Reason      string
	SagaID      string
	OrderRef    string
	Document    string
	ApprovalID  string
	ApprovedBy  string
	Balance     int64
	Kind        ledger.Kind
	Resolves    uuid.UUID
	Hash        []byte
	Relation    string // of the audit trail: asked, or how it hangs together with it
}

// Signed is the line's amount, a credit negative.
func (l *EntryLine) Signed() int64 {
	if l.Side == ledger.Credit {
		return -l.Amount
	}
	return l.Amount
}

func (l *EntryLine) debitCredit() (debit, credit Cell) {
	if l.Side == ledger.Credit {
		return Cell{}, Amount(l.Amount)
	}
	return Amount(l.Amount), Cell{}
}

// Description is what the transaction was for, and why.
func (l *EntryLine) Description() string {
	if l.Reason == "" || l.Reason == l.Purpose {
		return l.Purpose
	}
	return l.Purpose + ": " + l.Reason
}

var ofStripe = regexp.MustCompile(`^(ch|pi|py|pyr|re|po|dp|du|tr|txn|in|seti)_[A-Za-z0-9]`)

// StripeID is the supporting document when it is one of Stripe's objects.
func (l *EntryLine) StripeID() string {
	if ofStripe.MatchString(l.Document) {
		return l.Document
	}
	return ""
}

// Source is what the entry comes from: the saga that posted it, the approval
// that let a person post it, or the document that it books.
func (l *EntryLine) Source() (kind, id string) {
	switch {
	case l.SagaID != "":
		return "saga", l.SagaID
	case strings.HasPrefix(l.Purpose, ledger.ManualPrefix):
		return "manual", l.ApprovalID
	case l.Document != "":
		return "document", l.Document
	default:
		return "system", ""
	}
}

// TransactionName is a transaction's id as the API writes it.
func TransactionName(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return "txn_" + id.String()
}

var generalLedger = &Definition{
	Name: GeneralLedger, Title: "General ledger detail",
	Columns: []Column{
		{"posted_at", Timestamp, false},
		{"effective_on", Date, false},
		{"period", Text, false},
		{"txn_id", Text, false},
		{"seq", Integer, false},
		{"line", Integer, false},
		{"account_code", Text, false},
		{"description", Text, false},
		{"debit", Money, true},
		{"credit", Money, true},
		{"running_balance", Money, false},
		{"currency", Text, false},
		{"saga_id", Text, false},
		{"order_ref", Text, false},
		{"source_type", Text, false},
		{"source_id", Text, false},
		{"stripe_id", Text, false},
		{"reversal_of", Text, false},
		{"created_by", Text, false},
		{"approved_by", Text, false},
	},
	Ties: [][2]string{{"debit", "credit"}},
}

// LedgerCells is the line in the columns of the general ledger.
func (l *EntryLine) LedgerCells(buf []Cell) []Cell {
	debit, credit := l.debitCredit()
	sourceType, sourceID := l.Source()
	return append(buf[:0],
		Time(l.RecordedAt), Time(l.EffectiveOn), String(l.Period.Format("2006-01")), String(TransactionName(l.ID)), Int(l.Seq), Int(int64(l.Line)),
		String(l.Account), String(l.Description()), debit, credit, Amount(l.Balance), String(l.Currency), String(l.SagaID), String(l.OrderRef),
		String(sourceType), String(sourceID), String(l.StripeID()), String(TransactionName(l.Reverses)), String(l.Actor), String(l.ApprovedBy))
}

var accountStatement = &Definition{
	Name: AccountStatement, Title: "Account statement",
	Columns: []Column{
		{"item", Text, false},
		{"posted_at", Timestamp, false},
		{"effective_on", Date, false},
		{"period", Text, false},
		{"txn_id", Text, false},
		{"seq", Integer, false},
		{"line", Integer, false},
		{"description", Text, false},
		{"debit", Money, true},
		{"credit", Money, true},
		{"balance", Money, false},
		{"currency", Text, false},
		{"saga_id", Text, false},
		{"order_ref", Text, false},
		{"document", Text, false},
		{"reversal_of", Text, false},
		{"created_by", Text, false},
		{"approved_by", Text, false},
	},
}

// StatementCells is the line in the columns of a statement.
func (l *EntryLine) StatementCells(buf []Cell) []Cell {
	debit, credit := l.debitCredit()
	return append(buf[:0],
		String("entry"), Time(l.RecordedAt), Time(l.EffectiveOn), String(l.Period.Format("2006-01")), String(TransactionName(l.ID)), Int(l.Seq),
		Int(int64(l.Line)), String(l.Description()), debit, credit, Amount(l.Balance), String(l.Currency), String(l.SagaID), String(l.OrderRef),
		String(l.Document), String(TransactionName(l.Reverses)), String(l.Actor), String(l.ApprovedBy))
}

// StatementEdge is the first or last row of a statement: the balance before
// and after its entries, debits less credits.
func StatementEdge(buf []Cell, item string, balance int64, currency string) []Cell {
	return append(buf[:0], String(item), Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Amount(balance), String(currency),
		Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{})
}

// A MovementLine is what one purpose added to an account and took from it, on
// the account's normal side, minor units.
type MovementLine struct {
	AccountID  int64
	Purpose    string
	Additions  int64
	Reductions int64
}

var accountRollforward = &Definition{
	Name: AccountRollforward, Title: "Account rollforward",
	Columns: []Column{
		{"account_code", Text, false},
		{"account_name", Text, false},
		{"type", Text, false},
		{"currency", Text, false},
		{"item", Text, false}, // opening, movement, closing
		{"purpose", Text, false},
		{"opening", Money, true},
		{"additions", Money, true},
		{"reductions", Money, true},
		{"closing", Money, true},
	},
}

// RollforwardCells are an account's opening or closing, or one movement of it,
// in the columns of the rollforward. Amounts are on the account's normal side.
func (l *BalanceLine) RollforwardCells(buf []Cell, item string, m *MovementLine) []Cell {
	row := append(buf[:0], String(l.Code), String(l.Name), String(string(l.Type)), String(l.Currency), String(item))
	sign := int64(1)
	if l.Normal == ledger.Credit {
		sign = -1
	}
	switch {
	case m != nil:
		return append(row, String(m.Purpose), Cell{}, Amount(m.Additions), Amount(m.Reductions), Cell{})
	case item == "opening":
		return append(row, Cell{}, Amount(sign*l.Opening), Cell{}, Cell{}, Cell{})
	default:
		return append(row, Cell{}, Cell{}, Cell{}, Cell{}, Amount(sign*l.Closing()))
	}
}

var journalExport = &Definition{
	Name: JournalExport, Title: "Journal export",
	Columns: []Column{
		{"journal_no", Integer, false},
		{"date", Date, false},
		{"account", Text, false},
		{"debit", Money, true},
		{"credit", Money, true},
		{"currency", Text, false},
		{"memo", Text, false},
		{"entity", Text, false},
		{"dimension1", Text, false}, // order reference
		{"dimension2", Text, false}, // saga
		{"dimension3", Text, false}, // supporting document
	},
	Ties: [][2]string{{"debit", "credit"}},
}

// JournalCells is the line in the columns of the journal export. The date lies
// in the entry's period: what happened in a closed month has the first day of
// the month it counts in.
func (l *EntryLine) JournalCells(buf []Cell, entity string) []Cell {
	debit, credit := l.debitCredit()
	date := l.EffectiveOn
	if date.Before(l.Period) {
		date = l.Period
	}
	return append(buf[:0], Int(l.Seq), Time(date), String(l.Account), debit, credit, String(l.Currency), String(l.Description()), String(entity),
		String(l.OrderRef), String(l.SagaID), String(l.Document))
}

var auditTrail = &Definition{
	Name: AuditTrail, Title: "Audit trail",
	Columns: []Column{
		{"relation", Text, false},
		{"seq", Integer, false},
		{"txn_id", Text, false},
		{"kind", Text, false},
		{"when", Timestamp, false},
		{"effective_on", Date, false},
		{"period", Text, false},
		{"who", Text, false},
		{"purpose", Text, false},
		{"why", Text, false},
		{"approval_id", Text, false},
		{"approved_by", Text, false},
		{"document", Text, false},
		{"line", Integer, false},
		{"account_code", Text, false},
		{"currency", Text, false},
		{"layer", Text, false}, // posted, held, released
		{"debit", Money, false},
		{"credit", Money, false},
		{"prior_value", Money, false},
		{"new_value", Money, false},
		{"resolves", Text, false},
		{"reverses", Text, false},
		{"chain_hash", Text, false},
	},
}

// Values are the balance that the line moved, before and after it: of a posted
// line the account's balance, debits less credits; of the others what is held
// on the line's side.
func (l *EntryLine) Values() (prior, after int64) {
	if l.Layer == ledger.LayerPosted {
		return l.PostedAfter - l.Signed(), l.PostedAfter
	}
	after, change := l.HeldDebits, l.Amount
	if l.Side == ledger.Credit {
		after = l.HeldCredits
	}
	if l.Layer == ledger.LayerReleased {
		change = -change
	}
	return after - change, after
}

var layerNames = map[ledger.Layer]string{ledger.LayerPosted: "posted", ledger.LayerHeld: "held", ledger.LayerReleased: "released"}

// TrailCells is the line in the columns of the audit trail.
func (l *EntryLine) TrailCells(buf []Cell) []Cell {
	debit, credit := l.debitCredit()
	prior, after := l.Values()
	return append(buf[:0],
		String(l.Relation), Int(l.Seq), String(TransactionName(l.ID)), String(string(l.Kind)), Time(l.RecordedAt), Time(l.EffectiveOn),
		String(l.Period.Format("2006-01")), String(l.Actor), String(l.Purpose), String(l.Reason), String(l.ApprovalID), String(l.ApprovedBy),
		String(l.Document), Int(int64(l.Line)), String(l.Account), String(l.Currency), String(layerNames[l.Layer]), debit, credit,
		Amount(prior), Amount(after), String(TransactionName(l.Resolves)), String(TransactionName(l.Reverses)), String(hex.EncodeToString(l.Hash)))
}
