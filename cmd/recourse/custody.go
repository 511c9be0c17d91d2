package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// custody is what is kept of custody and for how long.
func custody(ctx context.Context, std streams, args []string) error {
	what, args, err := verb("custody", args, "retention", "holds", "hold", "lift", "purge", "purges", "checkpoints")
	if err != nil {
		return err
	}
	switch what {
	case "retention":
		return custodyRetention(ctx, std, args)
	case "holds":
		return custodyHolds(ctx, std, args)
	case "hold":
		return custodyHold(ctx, std, args)
	case "lift":
		return custodyLift(ctx, std, args)
	case "purge":
		return custodyPurge(ctx, std, args)
	case "purges":
		return custodyPurges(ctx, std, args)
	default:
		return custodyCheckpoints(ctx, std, args)
	}
}

// listed is one page of a list as the API gives it.
type listed[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// all reads a list page by page and tells each thing in it.
func all[T any](ctx context.Context, c *apiClient, path string, q url.Values, tell func(T)) error {
	q.Set("limit", "100")
	for {
		var page listed[T]
		if err := c.get(ctx, path+"?"+q.Encode(), &page); err != nil {
			return err
		}
		for _, one := range page.Data {
			tell(one)
		}
		if page.NextCursor == nil {
			return nil
		}
		q.Set("cursor", *page.NextCursor)
	}
}

type retentionView struct {
	Before    string `json:"before"`
	Documents int64  `json:"documents"`
	Bytes     int64  `json:"bytes"`
	Held      int64  `json:"held"`
	Classes   []struct {
		Class   string `json:"class"`
		What    string `json:"what"`
		Source  string `json:"source"`
		Years   int    `json:"years"`
		Records int64  `json:"records"`
		Open    int64  `json:"open"`
		Over    int64  `json:"over"`
	} `json:"classes"`
}

func (v retentionView) tell(std streams) {
	fmt.Fprintf(std.err, "over before %s: %d documents, %d bytes; %d more are held\n", v.Before, v.Documents, v.Bytes, v.Held)
}

func custodyRetention(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody retention")
	api := addAPIFlags(f, "operator")
	before := f.String("before", "", "what is over before this day, YYYY-MM-DD; today when left out")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	var raw json.RawMessage
	if err := c.get(ctx, "/v1/custody/retention?"+beforeOf(*before).Encode(), &raw); err != nil {
		return err
	}
	var v retentionView
	if err := json.Unmarshal(raw, &v); err != nil {
		return fmt.Errorf("read the classes: %w", err)
	}
	s := sheet{Columns: []string{"class", "what", "years", "records", "open", "over", "source"}, JSON: raw}
	for _, k := range v.Classes {
		s.Rows = append(s.Rows, []string{
			k.Class, k.What, strconv.Itoa(k.Years), strconv.FormatInt(k.Records, 10), strconv.FormatInt(k.Open, 10), strconv.FormatInt(k.Over, 10), k.Source,
		})
	}
	if err := s.write(std.out, *output); err != nil {
		return err
	}
	v.tell(std)
	return nil
}

func beforeOf(day string) url.Values {
	q := url.Values{}
	if day != "" {
		q.Set("before", day)
	}
	return q
}

type legalHoldView struct {
	ID         string `json:"id"`
	Document   string `json:"document,omitempty"`
	Everything bool   `json:"everything"`
	Reason     string `json:"reason"`
	PlacedAt   string `json:"placed_at"`
	PlacedBy   string `json:"placed_by"`
	LiftedAt   string `json:"lifted_at,omitempty"`
	LiftedBy   string `json:"lifted_by,omitempty"`
	ApprovalID string `json:"approval_id,omitempty"`
}

func custodyHolds(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody holds")
	api := addAPIFlags(f, "operator")
	lifted := f.Bool("all", false, "the lifted ones too")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	found := []legalHoldView{}
	s := sheet{Columns: []string{"id", "keeps", "placed_at", "placed_by", "reason", "lifted_at", "lifted_by", "approval"}}
	err = all(ctx, c, "/v1/legal_holds", url.Values{"in_force": {strconv.FormatBool(!*lifted)}}, func(h legalHoldView) {
		keeps := h.Document
		if h.Everything {
			keeps = "everything"
		}
		found = append(found, h)
		s.Rows = append(s.Rows, []string{h.ID, keeps, h.PlacedAt, h.PlacedBy, h.Reason, h.LiftedAt, h.LiftedBy, h.ApprovalID})
	})
	if err != nil {
		return err
	}
	s.JSON = found
	return s.write(std.out, *output)
}

// custodyHold places a legal hold: at once, by one person.
func custodyHold(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody hold")
	api := addAPIFlags(f, "operator")
	document := f.String("document", "", "the document to keep (doc_…)")
	everything := f.Bool("everything", false, "keep everything")
	reason := f.String("reason", "", "why; it is kept")
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	if *reason == "" || *everything == (*document != "") {
		return usagef("say what to keep and why: recourse custody hold -document doc_7 -reason 'subpoena 12' (or -everything)")
	}
	body := map[string]any{"reason": *reason}
	if *everything {
		body["everything"] = true
	} else {
		body["document"] = *document
	}
	var h legalHoldView
	if err := c.post(ctx, "/v1/legal_holds", body, &h); err != nil {
		return err
	}
	fmt.Fprintln(std.out, h.ID)
	fmt.Fprintf(std.err, "kept until two people lift it: recourse custody lift %s -reason …\n", h.ID)
	return nil
}

// custodyLift is the maker's half of lifting a legal hold.
func custodyLift(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody lift")
	api := addAPIFlags(f, "operator")
	reason := f.String("reason", "", "why; it is kept")
	ticket := f.String("ticket", "", "where it was asked for")
	rest, err := parse(f, args)
	if err != nil {
		return err
	}
	if len(rest) != 1 || *reason == "" {
		return usagef("name one legal hold and say why: recourse custody lift lgh_42 -reason 'settled'")
	}
	return propose(ctx, std, api, "/v1/legal_holds/"+url.PathEscape(rest[0])+"/lift", because(*reason, *ticket))
}

func because(reason, ticket string) map[string]string {
	body := map[string]string{"reason": reason}
	if ticket != "" {
		body["ticket"] = ticket
	}
	return body
}

type checkpointView struct {
	Origin   string `json:"origin"`
	Size     int64  `json:"size"`
	Root     string `json:"root"`
	SealedAt string `json:"sealed_at"`
	Note     string `json:"note"`
}

func custodyCheckpoints(ctx context.Context, std streams, args []string) error {
	f := flags(std, "custody checkpoints")
	api := addAPIFlags(f, "operator")
	limit := f.Int("limit", 20, "how many, 1 to 100, newest first")
	output := f.String("output", "table", outputUsage)
	c, err := api.read(f, args)
	if err != nil {
		return err
	}
	var page listed[checkpointView]
	if err := c.get(ctx, "/v1/custody/checkpoints?limit="+strconv.Itoa(*limit), &page); err != nil {
		return err
	}
	s := sheet{Columns: []string{"origin", "entries", "root", "sealed_at"}, JSON: page.Data}
	for _, v := range page.Data {
		s.Rows = append(s.Rows, []string{v.Origin, strconv.FormatInt(v.Size, 10), v.Root, v.SealedAt})
	}
	return s.write(std.out, *output)
}
