package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/recourse/recourse/ledger"
)

// bookVerbs are what people do in the books, beside reading reports.
var bookVerbs = map[string]func(ctx context.Context, std streams, args []string) error{
	"post": ledgerPost, "reverse": ledgerReverse, "balance": ledgerBalance, "accounts": ledgerAccounts, "open-book": openBook,
}

// ledgerPost proposes the journal of a file, or of stdin.
func ledgerPost(ctx context.Context, std streams, args []string) error {
	f := flags(std, "ledger post")
	api := addAPIFlags(f, "finance_preparer")
	file := f.String("file", "", "the journal as JSON, as POST /v1/ledger/journals takes it; - is stdin")
	if _, err := parse(f, args); err != nil {
		return err
	}
	if *file == "" {
		return usagef("name the file with the journal: recourse ledger post -file journal.json")
	}
	read := func() ([]byte, error) { return os.ReadFile(*file) }
	if *file == "-" {
		read = func() ([]byte, error) { return io.ReadAll(os.Stdin) }
	}
	body, err := read()
	if err != nil {
		return usagef("the journal cannot be read: %w", err)
	}
	if !json.Valid(body) {
		return usagef("%s is not JSON", *file)
	}
	return propose(ctx, std, api, "/v1/ledger/journals", json.RawMessage(body))
}

// ledgerReverse proposes to take a transaction back.
func ledgerReverse(ctx context.Context, std streams, args []string) error {
	f := flags(std, "ledger reverse")
	api := addAPIFlags(f, "finance_preparer")
	entity := f.String("entity", "main", "legal entity whose books are meant")
	reason := f.String("reason", "", "why; it is kept")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || *reason == "" {
		return usagef("name the transaction and why: recourse ledger reverse txn_… -reason 'booked twice'")
	}
	return propose(ctx, std, api, "/v1/ledger/reversals", map[string]string{"transaction_id": rest[0], "entity": *entity, "reason": *reason})
}

func propose(ctx context.Context, std streams, api apiFlags, path string, body any) error {
	c, err := api.client()
	if err != nil {
		return err
	}
	var v approvalView
	if err := c.post(ctx, path, body, &v); err != nil {
		return err
	}
	proposed(std, v.ID)
	return nil
}

func ledgerBalance(ctx context.Context, std streams, args []string) error {
	f := flags(std, "ledger balance")
	api := addAPIFlags(f, "finance_preparer")
	entity := f.String("entity", "main", "legal entity whose books are meant")
	currency := f.String("currency", "", "ISO 4217, lower case; needed when the account has several")
	at := f.String("at", "", "as of this moment, such as 2026-10-31T23:59:59Z; now when left out")
	output := f.String("output", "table", outputUsage)
	c, name, err := api.one(f, args, "name one account: recourse ledger balance 1010 -currency usd -at 2026-10-31T23:59:59Z")
	if err != nil {
		return err
	}
	q := url.Values{"entity": {*entity}}
	for name, value := range map[string]string{"currency": *currency, "at": *at} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/accounts/"+url.PathEscape(name)+"/balance?"+q.Encode(), &raw); err != nil {
		return err
	}
	var b struct {
		AccountCode string `json:"account_code"`
		Currency    string `json:"currency"`
		At          string `json:"at"`
		Posted      int64  `json:"posted"`
		Pending     int64  `json:"pending"`
		Available   int64  `json:"available"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return fmt.Errorf("read the balance: %w", err)
	}
	amount := func(n int64) string { return ledger.FormatAmount(n, b.Currency) }
	s := sheet{
		Columns: []string{"account_code", "currency", "at", "posted", "pending", "available"}, JSON: raw,
		Rows: [][]string{{b.AccountCode, b.Currency, b.At, amount(b.Posted), amount(b.Pending), amount(b.Available)}},
	}
	return s.write(std.out, *output)
}

func ledgerAccounts(ctx context.Context, std streams, args []string) error {
	f := flags(std, "ledger accounts")
	api := addAPIFlags(f, "finance_preparer")
	entity := f.String("entity", "main", "legal entity whose books are meant")
	currency := f.String("currency", "", "only this currency (ISO 4217, lower case)")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	q := url.Values{"entity": {*entity}}
	if *currency != "" {
		q.Set("currency", *currency)
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/accounts?"+q.Encode(), &raw); err != nil {
		return err
	}
	var list struct {
		Data []struct {
			ID         string `json:"id"`
			Code       string `json:"code"`
			Name       string `json:"name"`
			Type       string `json:"type"`
			NormalSide string `json:"normal_side"`
			Currency   string `json:"currency"`
			Floor      *int64 `json:"floor"`
			Ceiling    *int64 `json:"ceiling"`
			Closed     bool   `json:"closed"`
			Posted     int64  `json:"posted"`
			Available  int64  `json:"available"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	s := sheet{Columns: []string{"id", "code", "name", "type", "side", "currency", "posted", "available", "floor", "ceiling", "closed"}, JSON: raw}
	for _, a := range list.Data {
		bound := func(n *int64) string {
			if n == nil {
				return ""
			}
			return ledger.FormatAmount(*n, a.Currency)
		}
		s.Rows = append(s.Rows, []string{
			a.ID, a.Code, a.Name, a.Type, a.NormalSide, a.Currency, ledger.FormatAmount(a.Posted, a.Currency),
			ledger.FormatAmount(a.Available, a.Currency), bound(a.Floor), bound(a.Ceiling), fmt.Sprint(a.Closed),
		})
	}
	return s.write(std.out, *output)
}
