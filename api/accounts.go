package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

const (
	openAccountAction  = "account.open"
	closeAccountAction = "account.close"
)

type accountView struct {
	ID         string `json:"id"`
	Object     string `json:"object"`
	Entity     string `json:"entity"`
	Code       string `json:"code"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	NormalSide string `json:"normal_side"`
	Currency   string `json:"currency"`
	Floor      *int64 `json:"floor,omitempty"`
	Ceiling    *int64 `json:"ceiling,omitempty"`
	OpenedAt   stamp  `json:"opened_at"`
	Closed     bool   `json:"closed"`
	ClosedAt   *stamp `json:"closed_at,omitempty"`
	Posted     int64  `json:"posted"`
	Pending    int64  `json:"pending"`
	Available  int64  `json:"available"`
}

func viewAccount(entity string, a ledgerpg.AccountState) accountView {
	return accountView{
		ID: accountName(a.ID), Object: "account", Entity: entity, Code: a.Account.Code, Name: a.Account.Name, Type: string(a.Account.Type),
		NormalSide: string(a.Account.Normal), Currency: a.Currency, Floor: a.Floor, Ceiling: a.Ceiling, OpenedAt: stamp(a.OpenedAt),
		Closed: a.ClosedAt != nil, ClosedAt: orNoStamp(a.ClosedAt), Posted: a.Posted(), Pending: a.Pending(), Available: a.Available(),
	}
}

// An account's id cannot be a code: codes have no underscore in the contract.
const accountPrefix = "acct_"

func accountName(id int64) string { return accountPrefix + strconv.FormatInt(id, 10) }

// named is the filter for an id or code of a path.
func named(ref string, currency *string) ledgerpg.AccountFilter {
	f := ledgerpg.AccountFilter{Code: ref}
	if currency != nil {
		f.Currency = *currency
	}
	if number, ok := strings.CutPrefix(ref, accountPrefix); ok {
		id, err := strconv.ParseInt(number, 10, 64)
		if err == nil && id > 0 {
			f.ID, f.Code = id, ""
		}
	}
	return f
}

// theOne is the account that was meant, if exactly one was.
func theOne(found []ledgerpg.AccountState, pointer string) (ledgerpg.AccountState, error) {
	if len(found) == 0 {
		return ledgerpg.AccountState{}, ErrNotFound
	}
	if len(found) > 1 {
		var have []string
		for _, a := range found {
			have = append(have, a.Currency)
		}
		return ledgerpg.AccountState{}, refuseField("validation_failed", pointer, "must say which account is meant: there is one in "+strings.Join(have, ", "))
	}
	return found[0], nil
}

// ListAccounts shows the chart of accounts as it stands.
func (s *server) ListAccounts(ctx context.Context, request ListAccountsRequestObject) (ListAccountsResponseObject, error) {
	book := bookOf(ctx, request.Params.Entity)
	found, err := s.cfg.Books.Accounts(ctx, book, named("", request.Params.Currency))
	if err != nil {
		return nil, err
	}
	var out []accountView
	for _, a := range found {
		out = append(out, viewAccount(book.Entity, a))
	}
	return jsonAnswer(http.StatusOK, listOf(out))
}

func bookOf(ctx context.Context, entity *string) ledger.Book {
	return ledger.Book{Tenant: whereOf(ctx).who.Tenant, Entity: orMain(entity)}
}

// An accountPayload is what an approval about an account says; the database
// carries it out as it stands: see ledger.apply_approved.
type accountPayload struct {
	Entity     string `json:"entity"`
	Code       string `json:"code"`
	Currency   string `json:"currency"`
	Name       string `json:"name,omitempty"`
	Type       string `json:"type,omitempty"`
	NormalSide string `json:"normal_side,omitempty"`
	Floor      *int64 `json:"floor,omitempty"`
	Ceiling    *int64 `json:"ceiling,omitempty"`
}

func (p accountPayload) subject() string { return ofEntity(p.Entity, p.Code+" "+p.Currency) }

// ofEntity names a thing of the books of a legal entity.
func ofEntity(entity, name string) string {
	if entity == ledger.MainEntity {
		return name
	}
	return entity + "/" + name
}

// ProposeAccount records an account for another person to approve.
func (s *server) ProposeAccount(ctx context.Context, request ProposeAccountRequestObject) (ProposeAccountResponseObject, error) {
	body := request.Body
	if !ledger.KnownCurrency(body.Currency) {
		return s.decline(ctx, refuseField("unknown_currency", "/currency", "is not an ISO 4217 code"))
	}
	if body.Floor != nil && body.Ceiling != nil && *body.Floor > *body.Ceiling {
		return nil, refuseField("validation_failed", "/ceiling", "must be at least the floor")
	}
	book := bookOf(ctx, body.Entity)
	p := accountPayload{
		Entity: book.Entity, Code: body.Code, Currency: body.Currency, Name: body.Name, Type: string(body.Type), NormalSide: string(ledger.Credit),
		Floor: body.Floor, Ceiling: body.Ceiling,
	}
	if t := ledger.AccountType(body.Type); t == ledger.Asset || t == ledger.Expense {
		p.NormalSide = string(ledger.Debit)
	}
	if body.NormalSide != nil {
		p.NormalSide = string(*body.NormalSide)
	}
	return s.put(ctx, proposal{
		action: openAccountAction, subject: p.subject(), reason: body.Reason, ticket: body.Ticket, payload: p,
		check: func(ctx context.Context, tx Tx, _ string) error {
			found, err := tx.Accounts(ctx, book, named(p.Code, &p.Currency))
			if err == nil && len(found) > 0 {
				return refuseAccount(p, "/code", "account_exists", "is there already")
			}
			return err
		},
	})
}

// ProposeAccountClose records for another person to approve that an account is
// to be closed.
func (s *server) ProposeAccountClose(ctx context.Context, request ProposeAccountCloseRequestObject) (ProposeAccountCloseResponseObject, error) {
	body := request.Body
	book := bookOf(ctx, body.Entity)
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		found, err := tx.Accounts(ctx, book, named(request.Id, body.Currency))
		if err != nil {
			return Answer{}, err
		}
		a, err := theOne(found, "/currency")
		if err != nil {
			return Answer{}, err
		}
		p := accountPayload{Entity: book.Entity, Code: a.Account.Code, Currency: a.Currency}
		return s.propose(ctx, tx, proposal{
			action: closeAccountAction, subject: p.subject(), reason: body.Reason, ticket: body.Ticket, payload: p,
			check: func(context.Context, Tx, string) error {
				switch {
				case a.ClosedAt != nil:
					return refuseAccount(p, "#/parameters/id", "account_closed", "is closed already")
				case a.Posted() != 0 || a.DebitsPending != 0 || a.CreditsPending != 0:
					return refuseAccount(p, "#/parameters/id", "account_not_at_zero", "does not stand at zero")
				}
				return nil
			},
		})
	})
}

func refuseAccount(p accountPayload, pointer, code, why string) *refusal {
	return &refusal{
		code: "ledger_refused", detail: "Account " + p.Code + " " + p.Currency + " " + why + ".",
		fields: []FieldError{{Pointer: pointer, Code: code, Detail: why}},
	}
}

// applyToAccount opens or closes an account as an approval says.
func applyToAccount(ctx context.Context, tx Tx, tenant uuid.UUID, a ApprovalRecord) (any, error) {
	var p accountPayload
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	if err := tx.Apply(ctx, a.ID); err != nil {
		return nil, err
	}
	found, err := tx.Accounts(ctx, ledger.Book{Tenant: tenant, Entity: p.Entity}, named(p.Code, &p.Currency))
	if err != nil {
		return nil, err
	}
	one, err := theOne(found, "")
	if err != nil {
		return nil, err
	}
	return viewAccount(p.Entity, one), nil
}

type balanceAtView struct {
	Object      string `json:"object"`
	AccountID   string `json:"account_id"`
	AccountCode string `json:"account_code"`
	Currency    string `json:"currency"`
	NormalSide  string `json:"normal_side"`
	At          stamp  `json:"at"`
	Seq         int64  `json:"seq"`
	Posted      int64  `json:"posted"`
	Pending     int64  `json:"pending"`
	Available   int64  `json:"available"`
}

// AccountBalance shows an account's balance, now or as of a moment.
func (s *server) AccountBalance(ctx context.Context, request AccountBalanceRequestObject) (AccountBalanceResponseObject, error) {
	now := s.cfg.Now().UTC()
	var at time.Time
	if request.Params.At != nil {
		at = *request.Params.At
		if at.After(now) {
			return nil, refuseField("validation_failed", "#/parameters/at", "must not be in the future")
		}
	}
	book := bookOf(ctx, request.Params.Entity)
	found, err := s.cfg.Books.Accounts(ctx, book, named(request.Id, request.Params.Currency))
	if err != nil {
		return nil, err
	}
	a, err := theOne(found, "#/parameters/currency")
	if err != nil {
		return nil, err
	}
	b, err := s.cfg.Books.BalanceAt(ctx, book, a.ID, at)
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		at = now
	}
	v := balanceAtView{
		Object: "balance", AccountID: accountName(a.ID), AccountCode: a.Account.Code, Currency: a.Currency, NormalSide: string(a.Account.Normal),
		At: stamp(at), Seq: b.Seq, Posted: b.Posted, Pending: b.HeldDebits - b.HeldCredits, Available: b.Posted - b.HeldCredits,
	}
	if a.Account.Normal == ledger.Credit {
		v.Posted, v.Pending, v.Available = -b.Posted, -v.Pending, -b.Posted-b.HeldDebits
	}
	return jsonAnswer(http.StatusOK, v)
}
