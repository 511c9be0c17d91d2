package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/recourse/recourse/ledger"
)

// sagaView is what the API shows of a saga, as far as the tools use it.
type sagaView struct {
	ID            string     `json:"id"`
	Type          string     `json:"type"`
	Status        string     `json:"status"`
	OrderRef      string     `json:"order_ref"`
	Amount        int64      `json:"amount"`
	Currency      string     `json:"currency"`
	Version       int64      `json:"version"`
	CreatedAt     string     `json:"created_at"`
	UpdatedAt     string     `json:"updated_at"`
	Steps         []stepView `json:"steps"`
	Compensations []stepView `json:"compensations"`
	Failure       *struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Step    string `json:"step"`
	} `json:"failure"`
}

type stepView struct {
	Name       string `json:"name"`
	Status     string `json:"status"`
	Attempt    int    `json:"attempt"`
	StartedAt  string `json:"started_at"`
	FinishedAt string `json:"finished_at"`
}

func sagas(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("saga", args, "list", "show", "cancel", "resolve")
	if err != nil {
		return err
	}
	switch what {
	case "list":
		return sagaList(ctx, std, args)
	case "show":
		return sagaShow(ctx, std, args)
	case "cancel":
		return sagaCancel(ctx, std, args)
	default:
		return sagaResolve(ctx, std, args)
	}
}

func sagaList(ctx context.Context, std streams, args []string) error {
	f := flags(std, "saga list")
	api := addAPIFlags(f, "operator")
	status := f.String("status", "", "only this status, such as attention")
	kind := f.String("type", "", "only this type, such as booking")
	orderRef := f.String("order-ref", "", "only this order reference")
	limit := f.Int("limit", 20, "how many, 1 to 100")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	q := url.Values{"limit": {strconv.Itoa(*limit)}}
	for name, value := range map[string]string{"status": *status, "type": *kind, "order_ref": *orderRef} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/sagas?"+q.Encode(), &raw); err != nil {
		return err
	}
	var list struct {
		Data    []sagaView `json:"data"`
		HasMore bool       `json:"has_more"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read the list: %w", err)
	}
	s := sheet{Columns: []string{"id", "type", "status", "order_ref", "amount", "currency", "created_at", "failure"}, JSON: raw}
	for _, v := range list.Data {
		failure := ""
		if v.Failure != nil {
			failure = v.Failure.Code
		}
		s.Rows = append(s.Rows, []string{v.ID, v.Type, v.Status, v.OrderRef, ledger.FormatAmount(v.Amount, v.Currency), v.Currency, v.CreatedAt, failure})
	}
	if list.HasMore {
		fmt.Fprintln(std.err, "there are more: narrow the search or raise -limit")
	}
	return s.write(std.out, *output)
}

func sagaShow(ctx context.Context, std streams, args []string) error {
	f := flags(std, "saga show")
	api := addAPIFlags(f, "operator")
	output := f.String("output", "table", outputUsage)
	c, name, err := api.one(f, args, "name one saga: recourse saga show sg_…")
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/sagas/"+url.PathEscape(name), &raw); err != nil {
		return err
	}
	var v sagaView
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("read the saga: %w", err)
	}
	if *output == "table" {
		fmt.Fprintf(std.out, "%s  %s  %s  %s  %s %s\n", v.ID, v.Type, v.OrderRef, v.Status, ledger.FormatAmount(v.Amount, v.Currency), v.Currency)
		if v.Failure != nil {
			fmt.Fprintf(std.out, "failed at %s: %s (%s)\n", v.Failure.Step, v.Failure.Message, v.Failure.Code)
		}
	}
	s := sheet{Columns: []string{"op", "step", "status", "attempt", "started_at", "finished_at"}, JSON: raw}
	for _, step := range v.Steps {
		s.Rows = append(s.Rows, step.row("do"))
	}
	for _, step := range v.Compensations {
		s.Rows = append(s.Rows, step.row("undo"))
	}
	return s.write(std.out, *output)
}

func (v stepView) row(op string) []string {
	return []string{op, v.Name, v.Status, strconv.Itoa(v.Attempt), v.StartedAt, v.FinishedAt}
}

func sagaCancel(ctx context.Context, std streams, args []string) error {
	f := flags(std, "saga cancel")
	api := addAPIFlags(f, "operator")
	c, name, err := api.one(f, args, "name one saga: recourse saga cancel sg_…")
	if err != nil {
		return err
	}
	if err := c.post(ctx, "/v1/sagas/"+url.PathEscape(name)+"/cancel", nil, nil); err != nil {
		return err
	}
	fmt.Fprintln(std.err, "the cancel is on record; recourse saga show tells when everything is undone")
	return nil
}

// sagaResolve is the maker's and the checker's half of a resolution: without
// -approve it proposes, with it another person decides.
func sagaResolve(ctx context.Context, std streams, args []string) error {
	f := flags(std, "saga resolve")
	approve := f.String("approve", "", "approve this proposal (apr_…), as another person")
	reject := f.String("reject", "", "reject this proposal (apr_…)")
	action := f.String("action", "retry", "retry, or done_by_hand when somebody did it at the participant")
	step := f.String("step", "", "the step that needs people")
	reason := f.String("reason", "", "why; it is kept")
	proposer := addAPIFlags(f, "operator")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if *approve != "" || *reject != "" {
		decision, id := "approve", *approve
		if *reject != "" {
			decision, id = "reject", *reject
		}
		proposer.role = "finance_reviewer"
		c, err := proposer.client()
		if err != nil {
			return err
		}
		if err := c.post(ctx, "/v1/approvals/"+url.PathEscape(id)+"/"+decision, nil, nil); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "%s: %sd\n", id, map[string]string{"approve": "approve", "reject": "rejecte"}[decision])
		return nil
	}
	if len(rest) != 1 || *step == "" || *reason == "" {
		return usagef("name the saga, the step and why: recourse saga resolve sg_… -step hotel -action done_by_hand -reason 'cancelled by phone, ref 4711'")
	}
	c, err := proposer.client()
	if err != nil {
		return err
	}
	var proposal struct {
		ID string `json:"id"`
	}
	err = c.post(ctx, "/v1/sagas/"+url.PathEscape(rest[0])+"/resolutions",
		map[string]string{"action": *action, "step": *step, "reason": *reason}, &proposal)
	if err != nil {
		return err
	}
	fmt.Fprintln(std.out, proposal.ID)
	fmt.Fprintf(std.err, "proposed; another person decides: recourse saga resolve -approve %s\n", proposal.ID)
	return nil
}
