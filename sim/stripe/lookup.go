package stripe

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// find returns any object by its id.
func (t *tx) find(id string) (any, bool) {
	s := t.s.state
	prefix, _, _ := strings.Cut(id, "_")
	switch prefix {
	case "pi":
		o, ok := t.intent(id)
		return o, ok
	case "ch":
		o, ok := t.charge(id)
		return o, ok
	case "re":
		o, ok := look(id, t.seen.refunds, s.refunds)
		return o, ok
	case "txn":
		o, ok := look(id, t.seen.balance, s.balance)
		return o, ok
	case "cus":
		o, ok := s.customers[id]
		return o, ok
	case "pm":
		if o, ok := s.methods[id]; ok {
			return o, true
		}
		_, ok := cards[id]
		return paymentMethod{ID: id, Token: id}, ok
	case "evt":
		for _, e := range s.events {
			if e.ID == id {
				return e, true
			}
		}
	}
	return nil, false
}

func getOne(kind string) endpoint {
	return func(t *tx, id string, p params) (any, *apiError) {
		if e := p.only("client_secret"); e != nil {
			return nil, e
		}
		o, ok := t.find(id)
		if !ok || render(o)["object"] != kind {
			return nil, missing(kind, id)
		}
		return o, nil
	}
}

// all lists the objects of a kind, newest first.
func (t *tx) all(kind string) []any {
	var out []any
	if kind == "event" {
		for _, e := range t.s.state.events {
			out = append(out, e)
		}
	} else {
		for _, id := range t.s.state.order[kind] {
			if o, ok := t.find(id); ok {
				out = append(out, o)
			}
		}
	}
	slices.Reverse(out)
	return out
}

// listAll lists a kind with Stripe's cursors and the filters named.
func listAll(kind string, filters ...string) endpoint {
	return func(t *tx, _ string, p params) (any, *apiError) {
		if e := p.only(append(slices.Clone(filters), "limit", "starting_after", "ending_before", "created")...); e != nil {
			return nil, e
		}
		limit := 10
		if text := p.Get("limit"); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 1 || n > 100 {
				return nil, early("parameter_invalid_integer", "limit", "Limit must be between 1 and 100.")
			}
			limit = n
		}
		data, more, after := []any{}, false, p.Get("starting_after")
		for _, o := range t.all(kind) {
			v := render(o)
			if after != "" {
				if v["id"] == after {
					after = ""
				}
				continue
			}
			if !matches(v, p, filters) {
				continue
			}
			if len(data) == limit {
				more = true
				break
			}
			data = append(data, v)
		}
		return map[string]any{"object": "list", "data": data, "has_more": more, "url": "/v1/" + kind + "s"}, nil
	}
}

func matches(v map[string]any, p params, filters []string) bool {
	for _, name := range filters {
		if want := p.Get(name); want != "" && v[name] != want {
			return false
		}
	}
	created, _ := v["created"].(int64)
	for bound, fits := range map[string]func(n int64) bool{
		"created[gte]": func(n int64) bool { return created >= n }, "created[gt]": func(n int64) bool { return created > n },
		"created[lte]": func(n int64) bool { return created <= n }, "created[lt]": func(n int64) bool { return created < n },
	} {
		if n, err := strconv.ParseInt(p.Get(bound), 10, 64); err == nil && !fits(n) {
			return false
		}
	}
	return true
}

var byMetadata = regexp.MustCompile(`^metadata\[["'](\w+)["']\]:\s?["']([^"']*)["']$`)

// searchIntents finds intents by one metadata value. Unlike Stripe's search it
// is never behind.
func searchIntents(t *tx, _ string, p params) (any, *apiError) {
	if e := p.only("query", "limit", "page"); e != nil {
		return nil, e
	}
	parts := byMetadata.FindStringSubmatch(p.Get("query"))
	if parts == nil {
		return nil, early("", "query", "We were unable to parse your search query.")
	}
	data := []any{}
	for _, o := range t.all("payment_intent") {
		if in, ok := o.(intent); ok && in.Metadata[parts[1]] == parts[2] {
			data = append(data, renderIntent(in))
		}
	}
	return map[string]any{"object": "search_result", "data": data, "has_more": false, "next_page": nil, "total_count": len(data), "url": "/v1/payment_intents/search"}, nil
}

// expand replaces the id at a path with the object it names.
func (t *tx) expand(body map[string]any, path []string) {
	if len(path) == 0 {
		return
	}
	name, rest := path[0], path[1:]
	if name == "data" {
		list, _ := body["data"].([]any)
		for _, one := range list {
			if v, ok := one.(map[string]any); ok {
				t.expand(v, rest)
			}
		}
		return
	}
	if name == "refunds" && body["object"] == "charge" {
		body["refunds"] = t.refundsOf(body["id"])
	}
	if id, ok := body[name].(string); ok {
		if o, found := t.find(id); found {
			body[name] = render(o)
		}
	}
	if v, ok := body[name].(map[string]any); ok {
		t.expand(v, rest)
	}
}

func (t *tx) refundsOf(charge any) map[string]any {
	data := []any{}
	for _, o := range t.all("refund") {
		if r, ok := o.(refund); ok && r.Charge == charge {
			data = append(data, renderRefund(r))
		}
	}
	return map[string]any{"object": "list", "data": data, "has_more": false, "url": "/v1/refunds"}
}
