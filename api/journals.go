package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/recourse/recourse/ledger"
)

const (
	journalAction  = "ledger.journal"
	writeOffAction = "ledger.write_off"
	reversalAction = "ledger.reversal"

	dateFormat = "2006-01-02"
)

// A journalPayload is what an approval about a posting says. The database holds
// what is posted against it, word by word: see ledger.check_approved.
type journalPayload struct {
	Entity        string         `json:"entity"`
	TransactionID uuid.UUID      `json:"transaction_id"`
	EffectiveOn   string         `json:"effective_on"`
	Reason        string         `json:"reason"`
	Document      string         `json:"document,omitempty"`
	Reverses      *uuid.UUID     `json:"reverses,omitempty"`
	Entries       []journalEntry `json:"entries"`
}

type journalEntry struct {
	Account  string `json:"account"`
	Side     string `json:"side"`
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// transaction is what a payload becomes in the books once it is approved.
func (p journalPayload) transaction(action, maker, approval string) (ledger.Transaction, error) {
	day, err := time.Parse(dateFormat, p.EffectiveOn)
	if err != nil {
		return ledger.Transaction{}, fmt.Errorf("read effective_on of the payload: %w", err)
	}
	t := ledger.Transaction{
		ID: p.TransactionID, Kind: ledger.Posted, Purpose: ledger.ManualPrefix + strings.TrimPrefix(action, "ledger."),
		EffectiveOn: day, Actor: maker, Reason: p.Reason, Document: p.Document, Approval: approval,
	}
	if p.Reverses != nil {
		t.Reverses = *p.Reverses
	}
	for _, e := range p.Entries {
		t.Entries = append(t.Entries, ledger.Entry{Account: e.Account, Side: ledger.Side(e.Side), Amount: e.Amount, Currency: e.Currency})
	}
	return t, nil
}

// ProposeJournal records a journal for another person to approve.
func (s *server) ProposeJournal(ctx context.Context, request ProposeJournalRequestObject) (ProposeJournalResponseObject, error) {
	body := request.Body
	action := journalAction
	if body.Kind != nil {
		action = "ledger." + string(*body.Kind)
	}
	p, err := s.payload(body.Entity, body.EffectiveOn, body.Reason, body.Document)
	if err != nil {
		return nil, err
	}
	for _, e := range body.Entries {
		p.Entries = append(p.Entries, journalEntry{Account: e.AccountCode, Side: string(e.Side), Amount: e.Amount, Currency: e.Currency})
	}
	t, err := p.transaction(action, whereOf(ctx).who.KeyID, "to be given")
	if err != nil {
		return nil, err
	}
	if err := t.Validate(); err != nil {
		return s.decline(ctx, notAJournal(err))
	}
	return s.put(ctx, proposal{
		action: action, subject: transactionName(p.TransactionID), reason: body.Reason, ticket: body.Ticket, payload: p,
		check: func(ctx context.Context, tx Tx, id string) error {
			return rehearse(ctx, tx, action, p, id, "/entries", p.Entries)
		},
	})
}

// ProposeReversal records for another person to approve that a transaction is
// to be taken back.
func (s *server) ProposeReversal(ctx context.Context, request ProposeReversalRequestObject) (ProposeReversalResponseObject, error) {
	body := request.Body
	original, err := uuid.Parse(strings.TrimPrefix(body.TransactionId, "txn_"))
	if err != nil {
		return nil, refuseField("validation_failed", "/transaction_id", "must be a transaction's id")
	}
	p, err := s.payload(body.Entity, body.EffectiveOn, body.Reason, body.Document)
	if err != nil {
		return nil, err
	}
	p.Reverses = &original
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		t, reversed, err := tx.Recorded(ctx, p.book(ctx), original)
		switch {
		case errors.Is(err, ErrNotFound):
			return Answer{}, &refusal{code: "not_found", fields: []FieldError{{Pointer: "/transaction_id", Code: "not_found", Detail: "is not in these books"}}}
		case err != nil:
			return Answer{}, err
		case t.Kind != ledger.Posted && t.Kind != ledger.PostPending:
			return s.problem(ctx, refusedBy(ledger.Result{Outcome: ledger.NotReversible}, "/transaction_id", nil)), nil
		case reversed:
			return s.problem(ctx, refusedBy(ledger.Result{Outcome: ledger.AlreadyReversed}, "/transaction_id", nil)), nil
		}
		for _, e := range t.Entries {
			side := ledger.Debit
			if e.Side == ledger.Debit {
				side = ledger.Credit
			}
			p.Entries = append(p.Entries, journalEntry{Account: e.Account, Side: string(side), Amount: e.Amount, Currency: e.Currency})
		}
		return s.propose(ctx, tx, proposal{
			action: reversalAction, subject: transactionName(original), reason: body.Reason, ticket: body.Ticket, payload: p,
			check: func(ctx context.Context, tx Tx, id string) error {
				return rehearse(ctx, tx, reversalAction, p, id, "/transaction_id", nil)
			},
		})
	})
}

// payload is the common part of what people post. The day is today, UTC, when
// nobody gives one; tomorrow's has begun somewhere, a later one nowhere.
func (s *server) payload(entity *string, day *openapi_types.Date, reason string, document *string) (journalPayload, error) {
	today := ledger.Date(s.cfg.Now())
	p := journalPayload{Entity: orMain(entity), TransactionID: uuid.Must(uuid.NewV7()), EffectiveOn: today.Format(dateFormat), Reason: reason}
	if day != nil {
		if day.After(today.AddDate(0, 0, 1)) || day.Year() < 1970 {
			return p, refuseField("validation_failed", "/effective_on", "must be between 1970-01-01 and tomorrow in UTC")
		}
		p.EffectiveOn = day.Format(dateFormat)
	}
	if document != nil {
		p.Document = *document
	}
	return p, nil
}

func (p journalPayload) book(ctx context.Context) ledger.Book {
	return ledger.Book{Tenant: whereOf(ctx).who.Tenant, Entity: p.Entity}
}

func orMain(entity *string) string {
	if entity == nil {
		return ledger.MainEntity
	}
	return *entity
}

var errRehearsed = errors.New("it would work")

// rehearse posts and takes it back: the books themselves say what is wrong
// before anybody is asked. pointer and entries are those of refusedBy.
func rehearse(ctx context.Context, tx Tx, action string, p journalPayload, approval, pointer string, entries []journalEntry) error {
	t, err := p.transaction(action, whereOf(ctx).who.KeyID, approval)
	if err != nil {
		return err
	}
	err = tx.Try(ctx, func(ctx context.Context) error {
		result, err := tx.Post(ctx, p.book(ctx), t)
		if err != nil {
			return err
		}
		if !result.Posted() {
			return refusedBy(result, pointer, entries)
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// postApproved posts what an approval says.
func postApproved(ctx context.Context, tx Tx, tenant uuid.UUID, a ApprovalRecord) (any, error) {
	var p journalPayload
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	t, err := p.transaction(a.Action, a.Maker, a.ID)
	if err != nil {
		return nil, err
	}
	book := ledger.Book{Tenant: tenant, Entity: p.Entity}
	result, err := tx.Post(ctx, book, t)
	if err != nil {
		return nil, err
	}
	if !result.Posted() {
		return nil, refusedBy(result, "", nil)
	}
	recorded, _, err := tx.Recorded(ctx, book, t.ID)
	if err != nil {
		return nil, err
	}
	return viewTransaction(recorded), nil
}

// outcomes says in words why the books refuse what people post.
var outcomes = map[ledger.Outcome]string{
	ledger.IDReused:         "Another transaction has this id.",
	ledger.AccountUnknown:   "There is no such account in this currency; open it first.",
	ledger.AccountClosed:    "The account is closed.",
	ledger.FloorBreached:    "The account would fall below its floor.",
	ledger.CeilingBreached:  "The account would rise above its ceiling.",
	ledger.AmountOutOfRange: "A balance would leave the range of numbers.",
	ledger.NotReversible:    "Only what is posted is reversed; a pending transaction is voided.",
	ledger.AlreadyReversed:  "The transaction is reversed already.",
}

// refusedBy is the problem for what the books did not take. It points to the
// entries of the body that are meant, or to pointer when none is.
func refusedBy(r ledger.Result, pointer string, entries []journalEntry) *refusal {
	words := outcomes[r.Outcome]
	if words == "" {
		words = "The books answered " + string(r.Outcome) + "."
	}
	problem := &refusal{code: "ledger_refused", detail: words}
	if r.Detail != "" {
		problem.detail = r.Detail + ": " + words
	}
	field := FieldError{Pointer: pointer, Code: string(r.Outcome), Detail: words}
	for i, e := range entries {
		if e.Account+" "+e.Currency == r.Detail {
			problem.fields = append(problem.fields, FieldError{
				Pointer: "/entries/" + strconv.Itoa(i) + "/account_code", Code: string(r.Outcome), Detail: words,
			})
		}
	}
	if len(problem.fields) == 0 {
		problem.fields = []FieldError{field}
	}
	return problem
}

// notAJournal names every field that ledger.Transaction.Validate complains of.
func notAJournal(err error) *refusal {
	r := refuse("journal_invalid")
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		return r
	}
	for _, one := range all.Unwrap() {
		field, words, _ := strings.Cut(one.Error(), ": ")
		r.fields = append(r.fields, FieldError{Pointer: "/" + field, Code: "invalid", Detail: words})
	}
	return r
}

func viewTransaction(t *ledger.Recorded) transactionView {
	return transactionView{
		ID: transactionName(t.ID), Object: "ledger_transaction", Seq: t.Seq, Kind: string(t.Kind), Resolves: transactionName(t.Resolves),
		Reverses: transactionName(t.Reverses), Purpose: t.Purpose, EffectiveOn: t.EffectiveOn.Format(dateFormat), Period: t.Period.Format(monthFormat),
		RecordedAt: stamp(t.RecordedAt), Actor: t.Actor, Reason: t.Reason, SagaID: t.SagaID, OrderRef: t.OrderRef,
		Document: t.Document, ApprovalID: t.Approval, Entries: entries(t.Entries),
	}
}
