package check_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// memory is a store that knows what earlier documents told, as simply as can
// be: a thing is where the last event put it.
type memory struct {
	things   map[string]check.Thing
	products map[string]bool
	parties  map[string]check.Party
	events   map[string]string
	hashes   map[string]bool
	asked    int
}

func (m *memory) Look(_ context.Context, q check.Query) (check.Answer, error) {
	m.asked++
	a := check.Answer{Things: map[string]check.Thing{}, Products: map[string]bool{}, Parties: map[string]check.Party{}, EventIDs: map[string]string{}, Hashes: map[string]bool{}}
	for _, k := range q.Things {
		if t, ok := m.things[k]; ok {
			a.Things[k] = t
		}
	}
	for _, k := range q.Products {
		a.Products[k] = m.products[k]
	}
	for _, k := range q.Parties {
		if p, ok := m.parties[k]; ok {
			a.Parties[k] = p
		}
	}
	for _, k := range q.EventIDs {
		a.EventIDs[k] = m.events[k]
	}
	for _, h := range q.Hashes {
		a.Hashes[h] = m.hashes[h]
	}
	return a, nil
}

func key(t *testing.T, s string) string {
	t.Helper()
	id, err := gs1.Parse(s)
	require.NoError(t, err)
	return id.Key()
}

// take remembers what an event did.
func (m *memory) take(t *testing.T, e *epcis.Event) {
	t.Helper()
	change := func(k string, f func(*check.Thing)) {
		thing := m.things[k]
		f(&thing)
		m.things[k] = thing
	}
	var owner func(k, to string)
	owner = func(k, to string) {
		change(k, func(t *check.Thing) { t.Holder = to })
		for inner, thing := range m.things {
			if thing.Parent == k {
				owner(inner, to)
			}
		}
	}
	for _, s := range e.EPCs {
		k := key(t, s)
		switch {
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Add:
			change(k, func(t *check.Thing) {
				t.Commissioned = e.EventTime
				for _, f := range e.ILMD {
					switch f.Name.Local {
					case "lotNumber":
						t.Lot = f.Value
					case "itemExpirationDate":
						t.Expiry, _ = time.Parse(time.DateOnly, f.Value)
					}
				}
			})
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Delete:
			change(k, func(t *check.Thing) { t.Decommissioned = e.EventTime })
		case e.Type == epcis.AggregationEvent && e.Action == epcis.Add:
			parent := key(t, e.Parent)
			change(k, func(t *check.Thing) { t.Parent = parent })
			change(parent, func(t *check.Thing) { t.Filled = true })
		case e.Type == epcis.AggregationEvent && e.Action == epcis.Delete:
			change(k, func(t *check.Thing) { t.Parent = "" })
		case e.Disposition == "recalled":
			change(k, func(t *check.Thing) { t.Held = "recall" })
		}
		if e.BizStep == "shipping" {
			for _, d := range e.Destinations {
				if d.Type == "owning_party" {
					owner(k, check.PartyKey(d.ID))
				}
			}
		}
	}
	if e.Type == epcis.AggregationEvent && e.Action == epcis.Delete && len(e.EPCs) == 0 {
		for inner, thing := range m.things {
			if thing.Parent == key(t, e.Parent) {
				thing.Parent = ""
				m.things[inner] = thing
			}
		}
	}
}

func read(t *testing.T, raw []byte) (*epcis.Document, []*epcis.Event) {
	t.Helper()
	in, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
	require.NoError(t, err)
	var events []*epcis.Event
	for {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return in.Document(), events
		}
		require.NoError(t, err)
		events = append(events, e)
	}
}

// against checks a document against a memory, in batches of two events.
func against(t *testing.T, m *memory, raw []byte) check.Report {
	t.Helper()
	doc, events := read(t, raw)
	c := check.New(check.Options{Now: now})
	c.Document(doc)
	m.asked = 0
	for first := 0; first < len(events); first += 2 {
		batch := events[first:min(first+2, len(events))]
		var hashes []string
		for _, e := range batch {
			c.Event(e)
			hashes = append(hashes, epcis.Hash(e))
		}
		require.NoError(t, c.Against(context.Background(), m, first+1, batch, hashes))
	}
	require.Equal(t, (len(events)+1)/2, m.asked, "one question for each batch")
	return c.Report()
}

// remember takes a document of testdata into a memory that trades with
// everybody in it.
func remember(t *testing.T, file string) *memory {
	t.Helper()
	m := &memory{
		things:   map[string]check.Thing{},
		products: map[string]bool{"00377777123455": true, "50377777123450": true},
		parties: map[string]check.Party{
			"0377777000015": {Authorized: true}, "0860009999107": {Authorized: true}, "0860008888204": {Authorized: true},
		},
		events: map[string]string{}, hashes: map[string]bool{},
	}
	if file == "" {
		return m
	}
	raw, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	_, events := read(t, raw)
	for _, e := range events {
		m.take(t, e)
		m.hashes[epcis.Hash(e)] = true
	}
	return m
}

type knownCase struct {
	name    string
	before  string // the document that is known
	change  func(*memory)
	then    string // the document that is checked
	verdict check.Verdict
	rules   []string
}

func (k knownCase) run(t *testing.T) check.Report {
	t.Helper()
	m := remember(t, k.before)
	if k.change != nil {
		k.change(m)
	}
	raw, err := os.ReadFile(filepath.Join("testdata", k.then))
	require.NoError(t, err)
	return against(t, m, raw)
}

const (
	unit1  = "01/00377777123455/21/1001"
	pallet = "00/003777770000000015"
)

func knownCases() []knownCase {
	set := func(k string, f func(*check.Thing)) func(*memory) {
		return func(m *memory) {
			t := m.things[k]
			f(&t)
			m.things[k] = t
		}
	}
	return []knownCase{
		{"nothing is known of the things", "", nil, "clean_r13.xml", check.Accept, nil},
		{"goods go on", "clean_r13.xml", nil, "known/resold.xml", check.Accept, nil},
		{"the same document again", "clean_r13.xml", nil, "clean_r13.xml", check.Accept, []string{"event-repeated"}},
		{"somebody else sells", "clean_r13.xml", set(pallet, func(t *check.Thing) { t.Holder = "0860008888204" }), "known/resold.xml", check.Flag, []string{"sender-not-owner"}},
		{"never commissioned", "", nil, "known/resold.xml", check.Flag, []string{"packages-unknown", "serial-unknown"}},
		{"in quarantine", "clean_r13.xml", set(pallet, func(t *check.Thing) { t.Held = "quarantine" }), "known/resold.xml", check.Flag, []string{"unit-held"}},
		{"another lot", "clean_r13.xml", set(unit1, func(t *check.Thing) { t.Lot = "N099" }), "known/commissioned.xml", check.Flag, []string{"commissioning-resent", "serial-recommissioned"}},
		{"another expiry", "clean_r13.xml", set(unit1, func(t *check.Thing) { t.Expiry = now }), "known/commissioned.xml", check.Flag, []string{"commissioning-resent", "serial-recommissioned"}},
		{"decommissioned and back", "clean_r13.xml", set(unit1, func(t *check.Thing) { t.Decommissioned = now }), "known/commissioned.xml", check.Flag, []string{"commissioning-resent", "serial-recommissioned"}},
		{"in another container", "clean_r13.xml", nil, "known/packed.xml", check.Flag, []string{"double-parent"}},
		{"taken out here", "clean_r13.xml", nil, "known/repacked.xml", check.Accept, nil},
		{"all taken out here", "clean_r13.xml", nil, "known/emptied.xml", check.Accept, nil},
		{"packed and sold by another", "clean_r13.xml", set(unit1, func(t *check.Thing) { t.Holder = "0860008888204" }), "known/repacked.xml", check.Flag, []string{"sender-not-owner"}},
		{"commissioned later", "clean_r13.xml", set(pallet, func(t *check.Thing) { t.Commissioned = now }), "known/resold.xml", check.Flag, []string{"use-before-commissioning"}},
		{"destroyed", "clean_r13.xml", set(pallet, func(t *check.Thing) { t.Decommissioned = t.Commissioned.Add(time.Hour) }), "known/resold.xml", check.Flag, []string{"event-after-decommissioning"}},
		{"expired", "clean_r13.xml", set(pallet, func(t *check.Thing) { t.Expiry = t.Commissioned.AddDate(0, -1, 0) }), "known/resold.xml", check.Flag, []string{"ship-expired"}},
		{"no such product", "", func(m *memory) { m.products = nil }, "clean_r13.xml", check.Flag, []string{"product-unknown"}},
		{"no such partner", "", func(m *memory) { delete(m.parties, "0860009999107") }, "clean_r13.xml", check.Flag, []string{"partner-unknown"}},
		{"licence expired", "", func(m *memory) { m.parties["0860009999107"] = check.Party{Reason: "licence expired"} }, "clean_r13.xml", check.Flag, []string{"partner-not-authorized"}},
		{"event ID used before", "", func(m *memory) { m.events[eventID] = "something else" }, "known/identified.xml", check.Flag, []string{"event-id-reused"}},
		{"event sent again", "known/identified.xml", nil, "known/identified.xml", check.Accept, []string{"event-repeated"}},
	}
}

const eventID = "urn:uuid:4b5d6a6e-7d15-4e0b-9a3c-0d5f1b7c9e01"

func TestAgainst(t *testing.T) {
	t.Parallel()
	for _, k := range knownCases() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			r := k.run(t)
			require.Equal(t, k.rules, rulesOf(r), "%v", r.Findings)
			require.Equal(t, k.verdict, r.Verdict)
		})
	}
}
