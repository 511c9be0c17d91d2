package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/ledger"
)

// approvalView is what the API shows of an approval, as far as the tools use it.
type approvalView struct {
	ID        string          `json:"id"`
	Action    string          `json:"action"`
	Subject   string          `json:"subject"`
	Payload   json.RawMessage `json:"payload"`
	Reason    string          `json:"reason"`
	Ticket    string          `json:"ticket"`
	Amount    *int64          `json:"amount"`
	Currency  string          `json:"currency"`
	Maker     string          `json:"maker"`
	MadeAt    string          `json:"made_at"`
	ExpiresAt string          `json:"expires_at"`
	Needed    int             `json:"needed"`
	Decision  string          `json:"decision"`
	Decisions []struct {
		Checker   string `json:"checker"`
		Role      string `json:"role"`
		Decision  string `json:"decision"`
		DecidedAt string `json:"decided_at"`
	} `json:"decisions"`
	Result json.RawMessage `json:"result"`
}

func (v approvalView) amount() string {
	if v.Amount == nil {
		return ""
	}
	return ledger.FormatAmount(*v.Amount, v.Currency) + " " + v.Currency
}

func (v approvalView) state() string {
	if v.Decision != "" {
		return v.Decision
	}
	if expires, err := time.Parse(time.RFC3339, v.ExpiresAt); err == nil && expires.Before(time.Now()) {
		return "expired"
	}
	return fmt.Sprintf("%d of %d", len(v.Decisions), v.Needed)
}

func approvals(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("approvals", args, "list", "show", "approve", "reject", "tier")
	if err != nil {
		return err
	}
	switch what {
	case "list":
		return approvalList(ctx, std, args)
	case "show":
		return approvalShow(ctx, std, args)
	case "tier":
		return approvalTier(ctx, std, args)
	default:
		return approvalDecide(ctx, std, what, args)
	}
}

func approvalList(ctx context.Context, std streams, args []string) error {
	f := flags(std, "approvals list")
	api := addAPIFlags(f, "finance_preparer")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/approvals", &raw); err != nil {
		return err
	}
	var list struct {
		Data []approvalView `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	s := sheet{Columns: []string{"id", "action", "subject", "amount", "decided", "maker", "expires_at", "reason"}, JSON: raw}
	for _, v := range list.Data {
		s.Rows = append(s.Rows, []string{v.ID, v.Action, v.Subject, v.amount(), v.state(), v.Maker, v.ExpiresAt, v.Reason})
	}
	return s.write(std.out, *output)
}

func approvalShow(ctx context.Context, std streams, args []string) error {
	f := flags(std, "approvals show")
	api := addAPIFlags(f, "finance_preparer")
	output := f.String("output", "table", outputUsage)
	c, name, err := api.one(f, args, "name one approval: recourse approvals show apr_…")
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/approvals/"+url.PathEscape(name), &raw); err != nil {
		return err
	}
	var v approvalView
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("read the approval: %w", err)
	}
	s := sheet{Columns: []string{"what", "value"}, JSON: raw, Rows: [][]string{
		{"id", v.ID},
		{"action", v.Action},
		{"subject", v.Subject},
		{"amount", v.amount()},
		{"reason", v.Reason},
		{"ticket", v.Ticket},
		{"maker", v.Maker},
		{"made_at", v.MadeAt},
		{"expires_at", v.ExpiresAt},
		{"decided", v.state()},
		{"payload", string(v.Payload)},
	}}
	for _, d := range v.Decisions {
		s.Rows = append(s.Rows, []string{d.Decision, d.Checker + " (" + d.Role + ") " + d.DecidedAt})
	}
	return s.write(std.out, *output)
}

// approvalDecide is another person's word. What it carried out goes to stdout.
func approvalDecide(ctx context.Context, std streams, what string, args []string) error {
	f := flags(std, "approvals "+what)
	api := addAPIFlags(f, "finance_reviewer")
	c, name, err := api.one(f, args, "name one approval: recourse approvals "+what+" apr_…")
	if err != nil {
		return err
	}
	var v approvalView
	if err := c.post(ctx, "/v1/approvals/"+url.PathEscape(name)+"/"+what, nil, &v); err != nil {
		return err
	}
	if len(v.Result) > 0 {
		fmt.Fprintln(std.out, string(v.Result))
	}
	switch v.Decision {
	case "":
		fmt.Fprintf(std.err, "%s: %s have approved; it takes one more\n", v.ID, v.state())
	default:
		fmt.Fprintf(std.err, "%s: %s\n", v.ID, v.Decision)
	}
	return nil
}

// approvalTier says from which amount on an action takes two to approve. It is
// for who looks after the deployment: the running product cannot change it.
func approvalTier(ctx context.Context, std streams, args []string) error {
	f := flags(std, "approvals tier")
	tenant := f.String("tenant", "", "name of the tenant")
	action := f.String("action", "ledger.journal", "ledger.journal, ledger.write_off or ledger.reversal")
	currency := f.String("currency", "", "ISO 4217, lower case")
	from := f.Int64("from", 0, "from this amount on, in minor units (1000000 is 10000.00 usd)")
	checkers := f.Int("checkers", 2, "how many people have to approve, 1 or 2")
	if _, err := parse(f, args); err != nil {
		return err
	}
	if *tenant == "" || !ledger.KnownCurrency(*currency) || *from <= 0 || *checkers < 1 || *checkers > 2 || !strings.HasPrefix(*action, "ledger.") {
		return usagef("say for whom and from what amount on: recourse approvals tier -tenant 'Demo Marketplace' -action ledger.journal -currency usd -from 1000000 -checkers 2")
	}
	conn, err := connectAs(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = tenancy.PutTier(ctx, conn, tenancy.Tier{Tenant: *tenant, Action: *action, Currency: *currency, FromAmount: *from, Checkers: *checkers})
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "from %s %s on %s takes %d to approve\n", ledger.FormatAmount(*from, *currency), *currency, *action, *checkers)
	return nil
}

// proposed tells who made a proposal how it goes on.
func proposed(std streams, id string) {
	fmt.Fprintln(std.out, id)
	fmt.Fprintf(std.err, "proposed; another person decides: recourse approvals approve %s\n", id)
}
