package epcis_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// pack is the folder of documents found in the wild, which lies beside the
// module and is not part of it.
func pack(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	require.NoError(tb, err)
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			tb.Skip("no module root above the package")
		}
	}
	at := filepath.Join(dir, "..", "shared", "dscsa")
	if _, err := os.Stat(filepath.Join(at, "examples", "facts.json")); err != nil {
		tb.Skip("the example documents are missing; put them into ../shared/dscsa beside the module")
	}
	return at
}

// examples are the XML documents of the pack, by their path in it.
func examples(tb testing.TB, root string) (paths []string) {
	tb.Helper()
	err := filepath.WalkDir(filepath.Join(root, "examples"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".xml" {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			paths = append(paths, rel)
		}
		return err
	})
	require.NoError(tb, err)
	require.NotEmpty(tb, paths)
	return paths
}

// read gives all events of a document, or why it is refused.
func read(r io.Reader, limits epcis.Limits) (*epcis.Document, []*epcis.Event, error) {
	rd, err := epcis.NewReader(r, limits)
	if err != nil {
		return nil, nil, err
	}
	var events []*epcis.Event
	for {
		ev, err := rd.Next()
		switch {
		case errors.Is(err, io.EOF):
			return rd.Document(), events, nil
		case err != nil:
			return rd.Document(), events, err
		}
		events = append(events, ev)
	}
}

type facts struct {
	Root               string         `json:"root"`
	SchemaVersion      string         `json:"schemaVersion"`
	EventsByType       map[string]int `json:"eventsByType"`
	DistinctEPCs       int            `json:"distinctEPCs"`
	VocabularyElements int            `json:"vocabularyElements"`
	Sender             []string       `json:"sender"`
	Receiver           []string       `json:"receiver"`
	Affirmed           *bool          `json:"transactionStatementAffirmed"`
	Lots               []string       `json:"lots"`
	Events             []struct {
		Type             string           `json:"type"`
		EventTime        string           `json:"eventTime"`
		Zone             string           `json:"eventTimeZoneOffset"`
		RecordTime       string           `json:"recordTime"`
		Action           string           `json:"action"`
		BizStep          string           `json:"bizStep"`
		Disposition      string           `json:"disposition"`
		EventID          string           `json:"eventID"`
		ParentID         string           `json:"parentID"`
		EPCCount         int              `json:"epcCount"`
		QuantityElements int              `json:"quantityElements"`
		ErrorDeclaration *json.RawMessage `json:"errorDeclaration"`
	} `json:"events"`
}

func TestExamplesHoldWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	root := pack(t)
	raw, err := os.ReadFile(filepath.Join(root, "examples", "facts.json"))
	require.NoError(t, err)
	var known []struct {
		File  string `json:"file"`
		Facts *facts `json:"facts"`
	}
	require.NoError(t, json.Unmarshal(raw, &known))
	byFile := map[string]*facts{}
	for _, k := range known {
		byFile[k.File] = k.Facts
	}
	for _, path := range examples(t, root) {
		if strings.Contains(path, "/invalid/") {
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join(root, path))
			require.NoError(t, err)
			defer func() { require.NoError(t, f.Close()) }()
			doc, events, err := read(f, epcis.Limits{})
			require.NoError(t, err)
			if k := byFile[path]; k != nil { // the chain written for the pack has no facts
				if correct := disagree[path]; correct != nil {
					correct(k)
				}
				compare(t, k, doc, events)
			}
		})
	}
}

// disagree are the documents whose facts count what we do not: elements of a
// vendor's namespace that have the local names epc, epcClass or quantityElement,
// within a vendor's extension. EPCIS 2.0 section 9.5 has the EPCs and quantities
// of an event in its lists, whose elements have no namespace; what a vendor says
// about an object in an extension is not what the event is about.
var disagree = map[string]func(*facts){
	"examples/xml-2.0/conv_1._GS1_Eg_EPCIS_Document.xml": func(k *facts) { // dosageQuantityList
		k.Events[0].EPCCount--
	},
	"examples/xml-2.0/conv_2._GS1_Eg_EPCIS_Document.xml": func(k *facts) { // dosageQuantityList
		k.DistinctEPCs--
		k.Events[0].EPCCount--
		k.Lots = nil // cbvmda:lotNumber outside of ilmd: the lot of nothing in particular (section 7.3.8)
	},
	"examples/xml-2.0/hash_epcisDocWithTransformationEventWithMultipleExtensions.xml": func(k *facts) { // resourceList
		k.DistinctEPCs -= 2
		k.Events[0].EPCCount--
		k.Events[0].QuantityElements--
	},
}

func compare(t *testing.T, k *facts, doc *epcis.Document, events []*epcis.Event) {
	t.Helper()
	require.Equal(t, k.Root, doc.Root)
	require.Equal(t, k.SchemaVersion, doc.SchemaVersion)
	types := map[string]int{}
	distinct := map[string]bool{}
	for _, ev := range events {
		types[string(ev.Type)]++
		for _, id := range identifiers(ev) {
			distinct[id] = true
		}
	}
	require.Equal(t, k.EventsByType, types)
	require.Len(t, distinct, k.DistinctEPCs)
	require.Len(t, events, len(k.Events))
	for i, want := range k.Events {
		got := events[i]
		require.Equal(t, want.Type, string(got.Type))
		require.Equal(t, want.EventTime, got.EventTime.Format(layoutOf(want.EventTime)), "event %d", i)
		require.Equal(t, want.Zone, got.Zone)
		if want.RecordTime != "" {
			require.Equal(t, want.RecordTime, got.RecordTime.Format(layoutOf(want.RecordTime)))
		}
		require.Equal(t, want.Action, string(got.Action))
		require.Equal(t, bare(want.BizStep), got.BizStep)
		require.Equal(t, bare(want.Disposition), got.Disposition)
		require.Equal(t, want.EventID, got.EventID)
		require.Equal(t, want.ParentID, got.Parent)
		require.Equal(t, want.EPCCount, len(got.EPCs)+len(got.InputEPCs)+len(got.OutputEPCs))
		require.Equal(t, want.QuantityElements, len(got.Quantities)+len(got.InputQuantities)+len(got.OutputQuantities))
		require.Equal(t, want.ErrorDeclaration != nil, got.Error != nil)
	}
	elements := 0
	for _, v := range doc.MasterData {
		elements += len(v.Elements)
	}
	require.Equal(t, k.VocabularyElements, elements)
	var sender, receiver []string
	if doc.Header != nil {
		for _, p := range doc.Header.Sender {
			sender = append(sender, p.ID)
		}
		for _, p := range doc.Header.Receiver {
			receiver = append(receiver, p.ID)
		}
	}
	require.ElementsMatch(t, k.Sender, sender)
	require.ElementsMatch(t, k.Receiver, receiver)
	require.ElementsMatch(t, k.Lots, lots(events))
	if k.Affirmed != nil {
		require.Equal(t, *k.Affirmed, affirmed(doc))
	}
}

// identifiers are all of an event's own: what it is about, not where.
func identifiers(ev *epcis.Event) []string {
	ids := slices.Concat(ev.EPCs, ev.InputEPCs, ev.OutputEPCs)
	for _, q := range slices.Concat(ev.Quantities, ev.InputQuantities, ev.OutputQuantities) {
		ids = append(ids, q.Class)
	}
	if ev.Parent != "" {
		ids = append(ids, ev.Parent)
	}
	return ids
}

// bare is the word of a URI of the CBV.
func bare(s string) string {
	for _, prefix := range []string{
		"urn:epcglobal:cbv:bizstep:", "urn:epcglobal:cbv:disp:",
		"https://ref.gs1.org/cbv/BizStep-", "https://ref.gs1.org/cbv/Disp-", "cbv:BizStep-", "cbv:Disp-",
	} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// layoutOf is the layout a time was written in.
func layoutOf(s string) string {
	layout := "2006-01-02T15:04:05"
	if dot := strings.IndexByte(s, '.'); dot > 0 {
		end := dot + 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		layout += "." + strings.Repeat("0", end-dot-1)
	}
	if strings.HasSuffix(s, "Z") {
		return layout + "Z07:00"
	}
	return layout + "-07:00"
}

func lots(events []*epcis.Event) (lots []string) {
	for _, ev := range events {
		for _, f := range ev.ILMD {
			if f.Name.Local == "lotNumber" && !slices.Contains(lots, f.Value) {
				lots = append(lots, f.Value)
			}
		}
	}
	return lots
}

func affirmed(doc *epcis.Document) bool {
	for _, f := range doc.HeaderFields {
		for _, c := range f.Children {
			if f.Name.Local == "dscsaTransactionStatement" && c.Name.Local == "affirmTransactionStatement" {
				return c.Value == "true"
			}
		}
	}
	return false
}

func TestInvalidExamplesAreRefused(t *testing.T) {
	t.Parallel()
	root := pack(t)
	rules := map[string]string{
		"doitsa_invalid-xml.xml":                          epcis.RuleSyntax,
		"doitsa_missing-epcisbody.xml":                    epcis.RuleBody,
		"oepcis_inv_ObjectEvent_with_invalid_action.xml":  epcis.RuleAction,
		"oepcis_inv_ObjectEvent_with_unknown_element.xml": epcis.RuleUnknownElement,
		"oepcis_inv_ObjectEvent_without_eventTime.xml":    epcis.RuleMissingTime,
	}
	for _, path := range examples(t, root) {
		if !strings.Contains(path, "/invalid/") {
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join(root, path))
			require.NoError(t, err)
			_, _, err = read(strings.NewReader(string(raw)), epcis.Limits{})
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, rules[filepath.Base(path)], refused.Rule, "%v", err)
			require.Positive(t, refused.Line)
		})
	}
}
