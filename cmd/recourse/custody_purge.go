package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

type purgeView struct {
	ID         string   `json:"id"`
	Before     string   `json:"before"`
	Documents  int64    `json:"documents"`
	Bytes      int64    `json:"bytes"`
	Done       bool     `json:"done"`
	OrderedAt  string   `json:"ordered_at"`
	OrderedBy  string   `json:"ordered_by"`
	ApprovedBy []string `json:"approved_by"`
	ApprovalID string   `json:"approval_id"`
	Reason     string   `json:"reason"`
}

// custodyPurge shows what would go, proposes that it goes, or carries out what
// was approved.
func custodyPurge(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody purge")
	api := addAPIFlags(f, "operator")
	dry := f.Bool("dry-run", false, "list what is over and whether it would go; nothing is proposed")
	run := f.String("run", "", "carry out this order (prg_…), which an approval gave, to its end")
	before := f.String("before", "", "what is kept until a day before this one goes, YYYY-MM-DD; today when left out")
	reason := f.String("reason", "", "why; it is kept")
	ticket := f.String("ticket", "", "where it was asked for")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	switch {
	case *dry && *run == "" && *reason == "":
		return purgeDryRun(ctx, std, c, *before, *output)
	case *run != "" && !*dry && *reason == "" && *before == "":
		return purgeRun(ctx, std, c, *run)
	case *reason != "" && *run == "" && !*dry:
		body := because(*reason, *ticket)
		if *before != "" {
			body["before"] = *before
		}
		return propose(ctx, std, api, "/v1/custody/purges", body)
	}
	return usagef("one of: recourse custody purge -dry-run; recourse custody purge -reason 'six years are over'; recourse custody purge -run prg_42")
}

type dueView struct {
	ID         string `json:"id"`
	SHA256     string `json:"sha256"`
	Size       int64  `json:"size"`
	Sender     string `json:"sender"`
	RecordedAt string `json:"recorded_at"`
	KeptUntil  string `json:"kept_until,omitempty"`
	Goes       bool   `json:"goes"`
}

func purgeDryRun(ctx context.Context, std streams, c *apiClient, before, output string) error {
	found := []dueView{}
	s := sheet{Columns: []string{"document", "goes", "kept_until", "recorded_at", "size", "sender", "sha256"}}
	err := all(ctx, c, "/v1/custody/due", beforeOf(before), func(d dueView) {
		goes, until := "no", d.KeptUntil
		if d.Goes {
			goes = "yes"
		}
		if until == "" {
			until = "open or held"
		}
		found = append(found, d)
		s.Rows = append(s.Rows, []string{d.ID, goes, until, d.RecordedAt, strconv.FormatInt(d.Size, 10), d.Sender, d.SHA256})
	})
	if err != nil {
		return err
	}
	s.JSON = found
	if err := s.write(std.out, output); err != nil {
		return err
	}
	n, bytes := 0, int64(0)
	for _, d := range found {
		if d.Goes {
			n, bytes = n+1, bytes+d.Size
		}
	}
	fmt.Fprintf(std.err, "a dry run: %d documents, %d bytes would go, %d stay\n", n, bytes, len(found)-n)
	return nil
}

// purgeRun carries out round after round. Interrupted, it goes on where it was
// when it is started again.
func purgeRun(ctx context.Context, std streams, c *apiClient, order string) error {
	for {
		var p purgeView
		if err := c.post(ctx, "/v1/custody/purges/"+url.PathEscape(order)+"/run", nil, &p); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "%s: %d documents, %d bytes removed so far\n", p.ID, p.Documents, p.Bytes)
		if p.Done {
			fmt.Fprintln(std.err, "done; what was held is left, and every entry stays: recourse verify tells them apart")
			return nil
		}
	}
}

func custodyPurges(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody purges")
	api := addAPIFlags(f, "operator")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	found := []purgeView{}
	s := sheet{Columns: []string{"id", "before", "done", "documents", "bytes", "ordered_at", "ordered_by", "approved_by", "approval", "reason"}}
	err = all(ctx, c, "/v1/custody/purges", url.Values{}, func(p purgeView) {
		found = append(found, p)
		s.Rows = append(s.Rows, []string{
			p.ID, p.Before, strconv.FormatBool(p.Done), strconv.FormatInt(p.Documents, 10), strconv.FormatInt(p.Bytes, 10), p.OrderedAt, p.OrderedBy,
			strings.Join(p.ApprovedBy, " "), p.ApprovalID, p.Reason,
		})
	})
	if err != nil {
		return err
	}
	s.JSON = found
	return s.write(std.out, *output)
}
