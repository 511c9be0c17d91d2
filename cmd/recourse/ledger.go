package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/recourse/recourse/ledger"
)

func books(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("ledger", args, "trial-balance", "transactions", "accounts", "balance", "statement", "post", "reverse", "open-book")
	if err != nil {
		return err
	}
	if what == "statement" {
		return runReport(ctx, std, "ledger statement", "account_statement", args)
	}
	if run := bookVerbs[what]; run != nil {
		return run(ctx, std, args)
	}
	f := flags(std, "ledger "+what)
	api := addAPIFlags(f, "finance_preparer")
	currency := f.String("currency", "", "only this currency (ISO 4217, lower case)")
	saga := f.String("saga", "", "the saga whose transactions to show")
	orderRef := f.String("order-ref", "", "the order reference whose transactions to show")
	id := f.String("id", "", "the transaction to show (txn_…)")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	if what == "transactions" {
		q := url.Values{}
		for name, value := range map[string]string{"saga_id": *saga, "order_ref": *orderRef, "id": *id} {
			if value != "" {
				q.Set(name, value)
			}
		}
		if len(q) != 1 {
			return usagef("name the saga, the order reference or the transaction: recourse ledger transactions -saga sg_…")
		}
		return ledgerTransactions(ctx, std, c, q, *output)
	}
	return trialBalance(ctx, std, c, *currency, *output)
}

// trialBalance prints what the accounts stand at now.
func trialBalance(ctx context.Context, std streams, c *apiClient, currency, output string) error {
	path := "/v1/ledger/trial-balance"
	if currency != "" {
		path += "?currency=" + url.QueryEscape(currency)
	}
	var raw json.RawMessage
	if err := c.get(ctx, path, &raw); err != nil {
		return err
	}
	type line struct {
		AccountCode    string `json:"account_code"`
		AccountName    string `json:"account_name"`
		Type           string `json:"type"`
		Currency       string `json:"currency"`
		DebitsPosted   int64  `json:"debits_posted"`
		CreditsPosted  int64  `json:"credits_posted"`
		DebitsPending  int64  `json:"debits_pending"`
		CreditsPending int64  `json:"credits_pending"`
	}
	var balance struct {
		Object string `json:"object"`
		Data   []line `json:"data"`
	}
	if err := json.Unmarshal(raw, &balance); err != nil {
		return fmt.Errorf("read the trial balance: %w", err)
	}
	s := sheet{
		Columns: []string{"account_code", "account_name", "type", "currency", "debits_posted", "credits_posted", "debits_pending", "credits_pending"},
		JSON:    balance,
	}
	for _, a := range balance.Data {
		amount := func(n int64) string { return ledger.FormatAmount(n, a.Currency) }
		s.Rows = append(s.Rows, []string{
			a.AccountCode, a.AccountName, a.Type, a.Currency,
			amount(a.DebitsPosted), amount(a.CreditsPosted), amount(a.DebitsPending), amount(a.CreditsPending),
		})
	}
	return s.write(std.out, output)
}

func ledgerTransactions(ctx context.Context, std streams, c *apiClient, of url.Values, output string) error {
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/ledger/transactions?"+of.Encode(), &raw); err != nil {
		return err
	}
	var list struct {
		Data []struct {
			ID         string `json:"id"`
			Seq        int64  `json:"seq"`
			Kind       string `json:"kind"`
			Purpose    string `json:"purpose"`
			RecordedAt string `json:"recorded_at"`
			Entries    []struct {
				AccountCode string `json:"account_code"`
				Side        string `json:"side"`
				Amount      int64  `json:"amount"`
				Currency    string `json:"currency"`
			} `json:"entries"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read the transactions: %w", err)
	}
	s := sheet{Columns: []string{"seq", "recorded_at", "kind", "purpose", "account_code", "debit", "credit", "currency"}, JSON: raw}
	for _, t := range list.Data {
		head := []string{fmt.Sprint(t.Seq), t.RecordedAt, t.Kind, t.Purpose}
		if len(t.Entries) == 0 {
			s.Rows = append(s.Rows, append(head, "", "", "", ""))
		}
		for _, e := range t.Entries {
			debit, credit := ledger.FormatAmount(e.Amount, e.Currency), ""
			if ledger.Side(e.Side) == ledger.Credit {
				debit, credit = "", debit
			}
			s.Rows = append(s.Rows, append(append([]string{}, head...), e.AccountCode, debit, credit, e.Currency))
		}
	}
	return s.write(std.out, output)
}
