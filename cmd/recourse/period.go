package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

func periods(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("period", args, "status", "soft-close", "close", "reopen")
	if err != nil {
		return err
	}
	f := flags(std, "period "+what)
	api := addAPIFlags(f, "finance_preparer")
	entity := f.String("entity", "main", "legal entity whose books are meant")
	reason := f.String("reason", "", "why; it is kept")
	ticket := f.String("ticket", "", "where it was asked for")
	output := f.String("output", "table", outputUsage)
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	c, err := api.client()
	if err != nil {
		return err
	}
	if what == "status" {
		return periodStatus(ctx, std, c, *entity, *output)
	}
	if len(rest) != 1 || *reason == "" {
		return usagef("name the month and why: recourse period %s 2026-10 -reason 'month end'", what)
	}
	body := map[string]string{"entity": *entity, "reason": *reason}
	if *ticket != "" {
		body["ticket"] = *ticket
	}
	var v approvalView
	if err := c.post(ctx, "/v1/periods/"+url.PathEscape(rest[0])+"/"+strings.ReplaceAll(what, "-", "_"), body, &v); err != nil {
		return err
	}
	proposed(std, v.ID)
	return nil
}

func periodStatus(ctx context.Context, std streams, c *apiClient, entity, output string) error {
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/periods?entity="+url.QueryEscape(entity), &raw); err != nil {
		return err
	}
	var list struct {
		Data []struct {
			Period  string `json:"period"`
			State   string `json:"state"`
			Version int    `json:"version"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fmt.Errorf("read the periods: %w", err)
	}
	s := sheet{Columns: []string{"period", "state", "closings"}, JSON: raw}
	for _, p := range list.Data {
		s.Rows = append(s.Rows, []string{p.Period, p.State, strconv.Itoa(p.Version)})
	}
	return s.write(std.out, output)
}
