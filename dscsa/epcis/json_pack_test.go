package epcis_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Every JSON document of the pack is read with the facts of facts.json, and
// those that are wrong are refused for what is wrong with them.
func TestJSONExamples(t *testing.T) {
	t.Parallel()
	root := pack(t)
	refused := map[string]string{
		"oepcis_inv_Combination_of_non_standard_bizStep_and_disposition.json":   epcis.RuleWord,
		"oepcis_inv_EPCISDocument_without_context.json":                         epcis.RuleContext,
		"oepcis_inv_ObjectEvent_with_ilmd_field_without_namespace.json":         epcis.RuleUnknownElement,
		"oepcis_inv_ObjectEvent_with_invalid_action.json":                       epcis.RuleAction,
		"oepcis_inv_ObjectEvent_with_non_standard_bizStep.json":                 epcis.RuleWord,
		"oepcis_inv_ObjectEvent_with_non_standard_bizStep_in_second_event.json": epcis.RuleWord,
		"oepcis_inv_ObjectEvent_with_non_standard_disposition.json":             epcis.RuleWord,
		"oepcis_inv_ObjectEvent_with_quantity_as_text.json":                     epcis.RuleNumber,
		"oepcis_inv_ObjectEvent_without_action_and_eventTime.json":              epcis.RuleMissingTime,
		"oepcis_q_query_SimpleEventQuery.json":                                  epcis.RuleRoot, // a query, not what answers it
	}
	known := knownFacts(t, root)
	n := 0
	for _, file := range jsonExamples(t, root) {
		n++
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			doc, events, err := readFile(t, filepath.Join(root, file))
			if rule := refused[filepath.Base(file)]; rule != "" {
				var e *epcis.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, rule, e.Rule, e.Error())
				require.Positive(t, e.Line)
				return
			}
			require.NoError(t, err)
			k := known[file]
			if k == nil { // the chain written for the pack has no facts
				require.NotEmpty(t, events)
				return
			}
			expand(k, doc)
			// facts.json has the parties of Business Document Headers only; JSON
			// has sender and receiver in their place (EPCIS 2.0 JSON schema,
			// epcisDocument).
			k.Sender, k.Receiver = parties(doc)
			if filepath.Base(file) == "conv_2._GS1_Eg_EPCIS_Document.json" {
				k.Lots = nil // cbvmda:lotNumber outside of ilmd: the lot of nothing in particular (EPCIS 2.0 section 7.3.8)
			}
			compare(t, k, doc, events)
		})
	}
	require.Greater(t, n, 100)
}

// expand makes the URIs of compact ones (JSON-LD 1.1 section 4.1.5), which
// facts.json has as they are written.
func expand(k *facts, doc *epcis.Document) {
	for i := range k.Events {
		for _, ns := range doc.Namespaces {
			if local, ok := strings.CutPrefix(k.Events[i].BizStep, ns.Prefix+":"); ok {
				k.Events[i].BizStep = ns.URI + local
			}
		}
	}
}

func parties(doc *epcis.Document) (sender, receiver []string) {
	if doc.Header != nil {
		for _, p := range doc.Header.Sender {
			sender = append(sender, p.ID)
		}
		for _, p := range doc.Header.Receiver {
			receiver = append(receiver, p.ID)
		}
	}
	return sender, receiver
}

func knownFacts(tb testing.TB, root string) map[string]*facts {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "examples", "facts.json"))
	require.NoError(tb, err)
	var list []struct {
		File  string `json:"file"`
		Facts *facts `json:"facts"`
	}
	require.NoError(tb, json.Unmarshal(raw, &list))
	known := map[string]*facts{}
	for _, k := range list {
		known[k.File] = k.Facts
	}
	return known
}

// jsonExamples are the JSON documents of the pack.
func jsonExamples(tb testing.TB, root string) (paths []string) {
	tb.Helper()
	for _, pattern := range []string{"*/*.json", "*/*.jsonld"} {
		found, err := filepath.Glob(filepath.Join(root, "examples", pattern))
		require.NoError(tb, err)
		for _, f := range found {
			rel, err := filepath.Rel(root, f)
			require.NoError(tb, err)
			paths = append(paths, rel)
		}
	}
	return paths
}

func readFile(tb testing.TB, path string) (*epcis.Document, []*epcis.Event, error) {
	tb.Helper()
	f, err := os.Open(path)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, f.Close()) }()
	return read(f, epcis.Limits{})
}
