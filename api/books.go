package api

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/recourse/recourse/ledger"
)

type balanceView struct {
	AccountCode    string `json:"account_code"`
	AccountName    string `json:"account_name"`
	Type           string `json:"type"`
	Currency       string `json:"currency"`
	DebitsPosted   int64  `json:"debits_posted"`
	CreditsPosted  int64  `json:"credits_posted"`
	DebitsPending  int64  `json:"debits_pending"`
	CreditsPending int64  `json:"credits_pending"`
}

// TrialBalance shows every account of the tenant.
func (s *server) TrialBalance(ctx context.Context, request TrialBalanceRequestObject) (TrialBalanceResponseObject, error) {
	currency := ""
	if request.Params.Currency != nil {
		currency = *request.Params.Currency
	}
	balances, err := s.cfg.Books.TrialBalance(ctx, ledger.Main(whereOf(ctx).who.Tenant), currency)
	if err != nil {
		return nil, err
	}
	var out []balanceView
	for _, b := range balances {
		out = append(out, balanceView{
			AccountCode: b.Account.Code, AccountName: b.Account.Name, Type: string(b.Account.Type), Currency: b.Currency,
			DebitsPosted: b.DebitsPosted, CreditsPosted: b.CreditsPosted, DebitsPending: b.DebitsPending, CreditsPending: b.CreditsPending,
		})
	}
	return jsonAnswer(http.StatusOK, listOf(out))
}

type transactionView struct {
	ID          string      `json:"id"`
	Object      string      `json:"object"`
	Seq         int64       `json:"seq"`
	Kind        string      `json:"kind"`
	Resolves    string      `json:"resolves,omitempty"`
	Reverses    string      `json:"reverses,omitempty"`
	Purpose     string      `json:"purpose"`
	EffectiveOn string      `json:"effective_on"`
	Period      string      `json:"period"`
	RecordedAt  stamp       `json:"recorded_at"`
	Actor       string      `json:"actor"`
	Reason      string      `json:"reason"`
	SagaID      string      `json:"saga_id,omitempty"`
	OrderRef    string      `json:"order_ref,omitempty"`
	Document    string      `json:"document,omitempty"`
	ApprovalID  string      `json:"approval_id,omitempty"`
	Entries     []entryView `json:"entries"`
}

type entryView struct {
	AccountCode string `json:"account_code"`
	Side        string `json:"side"`
	Amount      int64  `json:"amount"`
	Currency    string `json:"currency"`
}

// LedgerTransactions shows what a saga or an order posted, or one transaction. A
// saga of another tenant and one that posted nothing are told apart by the saga
// itself.
func (s *server) LedgerTransactions(ctx context.Context, request LedgerTransactionsRequestObject) (LedgerTransactionsResponseObject, error) {
	recorded, err := s.transactionsOf(ctx, ledger.Main(whereOf(ctx).who.Tenant), request.Params)
	if err != nil {
		return nil, err
	}
	var out []transactionView
	for _, t := range recorded {
		out = append(out, viewTransaction(t))
	}
	return jsonAnswer(http.StatusOK, listOf(out))
}

func entries(from []ledger.Entry) []entryView {
	out := []entryView{}
	for _, e := range from {
		out = append(out, entryView{AccountCode: e.Account, Side: string(e.Side), Amount: e.Amount, Currency: e.Currency})
	}
	return out
}

func transactionName(id uuid.UUID) string {
	if id == uuid.Nil {
		return ""
	}
	return "txn_" + id.String()
}
