package check_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
)

// examples finds the pack of published documents beside the project.
func examples(tb testing.TB) string {
	tb.Helper()
	dir, err := filepath.Abs(".")
	require.NoError(tb, err)
	for ; filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		pack := filepath.Join(dir, "..", "shared", "dscsa", "examples")
		if _, err := os.Stat(pack); err != nil {
			tb.Skipf("the pack of published documents is not there: %v", err)
		}
		return pack
	}
	tb.Fatal("no go.mod above the test")
	return ""
}

// notAccepted are the published documents that are not clean, with what is
// wrong: the worst rules of each, not those that change nothing. All others
// are accepted.
var notAccepted = map[string]struct {
	verdict check.Verdict
	rules   []string
}{
	// No statement; no name, strength, form, NDC or container size; no addresses;
	// the case is never commissioned (it has the GTIN of a unit), and the pallet
	// that is shipped holds nothing. Its SBDH lacks what the schema wants.
	"dscsa/doitsa_valid-epcis-simple.xml": {check.Flag, []string{
		"commissioning-missing", "container-size-missing", "dosage-form-missing", "name-missing", "ndc-missing", "packages-unknown",
		"party-address-missing", "statement-missing", "strength-missing",
	}},
	// Sold to nobody: the shipping event has no destinationList, and the receiver
	// of the message need not be the buyer (21 USC 360eee(26)(J)).
	"dscsa/jc_cardinal_health.1.2.xml": {check.Flag, []string{"buyer-missing"}},
	// The same events converted to 2.0 lost the header, with it the statement, the
	// product and the parties.
	// (JSON has no place of its own for the sender.)
	"dscsa/jc_cardinal_health_2.0.jsonld": {check.Flag, []string{"buyer-missing", "party-address-missing", "product-data-missing", "statement-missing"}},
	"dscsa/jc_cardinal_health_2.0.xml":    {check.Flag, []string{"buyer-missing", "party-address-missing", "product-data-missing", "sender-missing", "statement-missing"}},
	// Sender and receiver are GLNs with wrong check digits. Its GTINs are outside
	// the range of NDCs and nothing is sold, so no rule of the DSCSA applies.
	"dscsa/jc_tracelink_sample.xml": {check.Flag, []string{"gln-check-digit"}},
	// The pallet is filled but never commissioned (choreography of GS1 US). Nothing
	// is sold, so its lack of master data breaks nothing.
	"dscsa/tp_minimal_object_shipping.xml": {check.Flag, []string{"commissioning-missing"}},
	// Sold without a word on the product: no EPCClass master data. (Of the second,
	// the schema refuses directPurchase inside the extension; it is read there.)
	"dscsa/tp_minimal_with_shipping_refs.xml":               {check.Flag, []string{"product-data-missing"}},
	"dscsa/tp_shipping_direct_purchase_entirely_direct.xml": {check.Flag, []string{"product-data-missing"}},

	// Business transactions whose GLN has a wrong check digit.
	"json-2.0/oepcis_ObjectEvent_with_persistentDisposition.json":    {check.Flag, []string{"gln-check-digit"}},
	"json-2.0/oepcis_bare_AggregationEvent.json":                     {check.Flag, []string{"gln-check-digit"}},
	"xml-1.2/oepcis_AggregationEvent.xml":                            {check.Flag, []string{"gln-check-digit"}},
	"xml-2.0/gs1_CBV_CBV-11.2-2020-06-16a.xml":                       {check.Flag, []string{"gln-check-digit"}},
	"xml-2.0/oepcis_AggregationEvent_with_persistentDisposition.xml": {check.Flag, []string{"gln-check-digit"}},
	"xml-2.0/oepcis_bare_AggregationEvent.xml":                       {check.Flag, []string{"gln-check-digit"}},

	// The schema wants another order of elements, so it refuses them; nothing is
	// ambiguous, so they are read.
	"query/oepcis_q_JumbledFieldsOrder.xml": {check.Flag, []string{"element-order"}},
	"xml-2.0/oepcis_JumbledFieldsOrder.xml": {check.Flag, []string{"element-order"}},

	// A query, not a document: parameters without a type and without events. Its
	// XML twin is accepted, because there a query comes in an EPCISQueryDocument.
	"query/oepcis_q_query_SimpleEventQuery.json": {check.Reject, []string{"root-element"}},

	// Tags that do not match. What could be read before has neither version nor date.
	"invalid/doitsa_invalid-xml.xml":                                                {check.Reject, []string{"creation-date", "schema-version", "syntax"}},
	"invalid/doitsa_missing-epcisbody.xml":                                          {check.Reject, []string{"missing-body"}},
	"invalid/oepcis_inv_Combination_of_non_standard_bizStep_and_disposition.json":   {check.Reject, []string{"unknown-word"}},
	"invalid/oepcis_inv_ObjectEvent_with_non_standard_bizStep.json":                 {check.Reject, []string{"unknown-word"}},
	"invalid/oepcis_inv_ObjectEvent_with_non_standard_bizStep_in_second_event.json": {check.Reject, []string{"unknown-word"}},
	"invalid/oepcis_inv_ObjectEvent_with_non_standard_disposition.json":             {check.Reject, []string{"unknown-word"}},
	"invalid/oepcis_inv_EPCISDocument_without_context.json":                         {check.Reject, []string{"missing-context"}},
	"invalid/oepcis_inv_ObjectEvent_with_ilmd_field_without_namespace.json":         {check.Reject, []string{"unknown-element"}},
	"invalid/oepcis_inv_ObjectEvent_with_unknown_element.xml":                       {check.Reject, []string{"unknown-element"}},
	"invalid/oepcis_inv_ObjectEvent_with_invalid_action.json":                       {check.Reject, []string{"bad-action"}},
	"invalid/oepcis_inv_ObjectEvent_with_invalid_action.xml":                        {check.Reject, []string{"bad-action"}},
	"invalid/oepcis_inv_ObjectEvent_with_quantity_as_text.json":                     {check.Reject, []string{"bad-number"}},
	"invalid/oepcis_inv_ObjectEvent_without_action_and_eventTime.json":              {check.Reject, []string{"missing-action", "missing-event-time", "missing-zone"}},
	"invalid/oepcis_inv_ObjectEvent_without_eventTime.xml":                          {check.Reject, []string{"missing-event-time"}},
}

// Accepted although something could be said against them, all of it findings
// that change nothing:
//
//   - xml-1.2/ethlo_3_pack_cases_events.xml: a bizStep of a draft,
//     casetopalletaggregation, in a document that is about no drug;
//   - xml-1.2/oepcis_TransformationEvent.xml: an amount given as nil is one that
//     is not given, which the model has and the schema of 1.2 has not;
//   - json-2.0/gs1_AssociationEvent_AssociationEvent-h.jsonld: two eventIDs for
//     one event, in an example of GS1's own;
//   - query/oepcis_q_queryDocument.xml: a returnable asset with a wrong check
//     digit, by which no product is told;
//   - xml-2.0/hash_epcisDocWith2DifferentTransformationEvents.xml: one output in
//     two transformations, which may be one transformation told twice;
//   - the documents of the authored chain, clean by design, among them a return
//     and a recall without transaction statement, which need none.
func TestExamples(t *testing.T) {
	t.Parallel()
	pack := examples(t)
	n := 0
	require.NoError(t, filepath.WalkDir(pack, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "facts.json" || d.Name() == "STORY.md" {
			return err
		}
		n++
		name, err := filepath.Rel(pack, path)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := whole(t, path)
			want, bad := notAccepted[filepath.ToSlash(name)]
			if !bad {
				require.Equal(t, check.Accept, r.Verdict, "%v", r.Findings)
				return
			}
			require.Equal(t, want.verdict, r.Verdict)
			var rules []string
			for _, f := range r.Findings {
				if f.Severity != check.Info {
					rules = append(rules, f.Rule)
				}
			}
			slices.Sort(rules)
			require.Equal(t, want.rules, slices.Compact(rules), "%v", r.Findings)
			require.Equal(t, strings.HasPrefix(name, "invalid"), r.Verdict == check.Reject && !strings.HasPrefix(name, "query"))
		})
		return nil
	}))
	require.Equal(t, 222, n)
}
