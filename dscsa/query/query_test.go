package query_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/query"
)

var recorded = time.Date(2026, 11, 23, 14, 0, 5, 0, time.UTC)

// shipped is an event with something in every place that is asked about.
func shipped() *epcis.Event {
	return &epcis.Event{
		Type: epcis.AggregationEvent, EventTime: time.Date(2026, 11, 23, 14, 0, 0, 0, time.UTC), Zone: "+00:00",
		EventID: "ni:///sha-256;00", Action: epcis.Observe, BizStep: "shipping", Disposition: "in_transit",
		Persistent:  &epcis.PersistentDisposition{Set: []string{"completeness_verified"}, Unset: []string{"recalled"}},
		ReadPoint:   epcis.Place{ID: "urn:epc:id:sgln:0614141.00777.dock1"},
		BizLocation: epcis.Place{ID: "urn:epc:id:sgln:0614141.00888.0"},
		Parent:      "urn:epc:id:sscc:0614141.1234567890",
		EPCs:        []string{"urn:epc:id:sgtin:0614141.107346.2018", "urn:epc:id:sgtin:0614141.107346.2019"},
		Quantities:  []epcis.Quantity{{Class: "urn:epc:class:lgtin:4012345.012345.998877", Amount: "200.5", UOM: "KGM"}},
		BizTransactions: []epcis.Reference{
			{Type: "po", ID: "urn:epcglobal:cbv:bt:0614141000005:1"}, {Type: "inv", ID: "https://example.com/invoice/9"},
		},
		Sources:      []epcis.Reference{{Type: "owning_party", ID: "urn:epc:id:pgln:0614141.00001"}},
		Destinations: []epcis.Reference{{Type: "location", ID: "urn:epc:id:sgln:4012345.00001.0"}},
		Error: &epcis.ErrorDeclaration{
			At: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Reason: "incorrect_data", CorrectiveIDs: []string{"urn:uuid:1"},
			Extensions: []epcis.Field{{Name: epcis.Name{Space: "https://v.example", Local: "by"}, Value: "QA"}},
		},
		ILMD: []epcis.Field{{Name: epcis.Name{Space: "urn:epcglobal:cbv:mda", Local: "lotNumber"}, Value: "L1"}},
		Extensions: []epcis.Field{{Name: epcis.Name{Space: "https://v.example", Local: "outer"}, Children: []epcis.Field{
			{Name: epcis.Name{Space: "https://v.example", Local: "inner"}, Value: "12", Kind: epcis.Number},
		}}},
		Sensors: []epcis.Sensor{{
			Metadata: []epcis.Field{{Name: epcis.Name{Local: "deviceID"}, Value: "urn:d:1"}, {Name: epcis.Name{Local: "startTime"}, Value: "2026-11-23T13:00:00Z"}},
			Reports:  [][]epcis.Field{{{Name: epcis.Name{Local: "type"}, Value: "Temperature"}}},
		}},
	}
}

func TestEveryParameterFindsAndLeavesOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, finds, leaves string }{
		{"eventType", "ObjectEvent|AggregationEvent", "ObjectEvent"},
		{"GE_eventTime", "2026-11-23T14:00:00Z", "2026-11-23T14:00:00.001Z"},
		{"LT_eventTime", "2026-11-23T15:00:01+01:00", "2026-11-23T14:00:00Z"},
		{"GE_recordTime", "2026-11-23T14:00:05Z", "2026-11-23T14:00:06Z"},
		{"LT_recordTime", "2026-11-23T14:00:06Z", "2026-11-23T14:00:05Z"},
		{"EQ_action", "ADD|OBSERVE", "ADD|DELETE"},
		{"EQ_bizStep", "https://ref.gs1.org/cbv/BizStep-shipping", "receiving"},
		{"EQ_disposition", "urn:epcglobal:cbv:disp:in_transit", "active"},
		{"EQ_persistentDisposition_set", "completeness_verified", "recalled"},
		{"EQ_persistentDisposition_unset", "recalled", "completeness_verified"},
		{"EQ_readPoint", "https://id.gs1.org/414/0614141007776/254/dock1", "urn:epc:id:sgln:0614141.00777.0"},
		{"WD_readPoint", "urn:epc:id:sgln:0614141.00777.0", "urn:epc:id:sgln:0614141.00888.0"},
		{"EQ_bizLocation", "urn:epc:id:sgln:0614141.00888.0", "urn:epc:id:sgln:0614141.00777.0"},
		{"MATCH_epc", "https://example.com/01/10614141073464/21/2018", "urn:epc:id:sgtin:0614141.107346.2020"},
		{"MATCH_parentID", "(00)106141412345678908", "urn:epc:id:sgtin:0614141.107346.2018"},
		{"MATCH_anyEPC", "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sscc:0614141.1234567891"},
		{"MATCH_epcClass", "urn:epc:class:lgtin:4012345.012345.998877", "urn:epc:class:lgtin:4012345.012345.998878"},
		{"EQ_quantity", "200.50", "200"},
		{"GT_quantity", "200", "200.5"},
		{"LE_quantity", "200.5", "200.4"},
		{"EQ_eventID", "x|ni:///sha-256;00", "ni:///sha-256;01"},
		{"EQ_bizTransaction_po", "urn:epcglobal:cbv:bt:0614141000005:1", "https://example.com/invoice/9"},
		{"EQ_source_owning_party", "https://id.gs1.org/417/0614141000012", "urn:epc:id:pgln:0614141.00002"},
		{"EQ_destination_location", "urn:epc:id:sgln:4012345.00001.0", "urn:epc:id:sgln:4012345.00002.0"},
		{"GE_errorDeclarationTime", "2026-11-24T00:00:00Z", "2026-11-24T00:00:01Z"},
		{"EQ_errorReason", "urn:epcglobal:cbv:er:incorrect_data", "did_not_occur"},
		{"EQ_correctiveEventID", "urn:uuid:1", "urn:uuid:2"},
		{"EQ_ILMD_urn:epcglobal:cbv:mda#lotNumber", "L0|L1", "l1"},
		{"EXISTS_ILMD_urn:epcglobal:cbv:mda#lotNumber", "true", ""},
		{"EQ_ERROR_DECLARATION_https://v.example#by", "QA", "qa"},
		{"EXISTS_https://v.example#outer", "true", ""},
		{"EXISTS_https://v.example#inner", "", "true"},
		{"EQ_INNER_https://v.example#inner", "12.0", "13"},
		{"GE_INNER_https://v.example#inner", "12", "12.5"},
		{"EQ_type", "Temperature", "Humidity"},
		{"EQ_deviceID", "urn:d:1", "urn:d:2"},
		{"GE_startTime", "2026-11-23T13:00:00Z", "2026-11-23T13:00:01Z"},
	} {
		for value, want := range map[string]bool{c.finds: true, c.leaves: false} {
			if value == "" {
				continue
			}
			q, err := query.Parse(url.Values{c.name: {value}})
			require.NoError(t, err, c.name)
			require.Equal(t, want, q.Match(shipped(), recorded), "%s=%s", c.name, value)
		}
	}
}

func TestPatternsOfSerials(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"urn:epc:idpat:sgtin:0614141.107346.*":    true,
		"urn:epc:idpat:sgtin:0614141.107346.2018": true,
		"urn:epc:idpat:sgtin:0614141.107347.*":    false,
		"urn:epc:idpat:sgtin:0614141.107346.201":  false,
	} {
		q, err := query.Parse(url.Values{"MATCH_epc": {value}})
		require.NoError(t, err, value)
		require.Equal(t, want, q.Match(shipped(), recorded), value)
	}
}

func TestWhatCannotBeAskedNamesTheParameter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values url.Values
		names  string
	}{
		{url.Values{"eventtype": {"ObjectEvent"}}, "eventtype"},
		{url.Values{"eventType": {"QuantityEvent"}}, "eventType"},
		{url.Values{"eventType": {"ObjectEvent", "ObjectEvent"}}, "eventType"},
		{url.Values{"EQ_action": {"CREATE"}}, "EQ_action"},
		{url.Values{"EQ_action": {"ADD||DELETE"}}, "EQ_action"},
		{url.Values{"EQ_bizStep": {""}}, "EQ_bizStep"},
		{url.Values{"GE_eventTime": {"yesterday"}}, "GE_eventTime"},
		{url.Values{"GT_eventTime": {"2026-11-23T14:00:00Z"}}, "GT_eventTime"},
		{url.Values{"GE_eventTime": {"2026-11-23T14:00:00Z"}, "LT_eventTime": {"2026-11-23T14:00:00Z"}}, "LT_eventTime"},
		{url.Values{"MATCH_epc": {"urn:epc:id:sgtin:0614141.1073461.2018"}}, "MATCH_epc"},
		{url.Values{"MATCH_epc": {"urn:epc:idpat:sgtin:0614141.*.*"}}, "MATCH_epc"},
		{url.Values{"EQ_quantity": {"1e999999999"}}, "EQ_quantity"},
		{url.Values{"orderBy": {"size"}}, "orderBy"},
		{url.Values{"orderDirection": {"ASC"}}, "orderDirection"},
		{url.Values{"maxEventCount": {"0"}}, "maxEventCount"},
		{url.Values{"maxEventCount": {"5"}, "eventCountLimit": {"5"}}, "maxEventCount"},
		{url.Values{"EXISTS_errorDeclaration": {"yes"}}, "EXISTS_errorDeclaration"},
		{url.Values{"EQ_colour": {"red"}}, "EQ_colour"},
		{url.Values{"HASATTR_bizLocation": {"x"}}, "HASATTR_bizLocation"},
	} {
		_, err := query.Parse(c.values)
		var wrong *query.Error
		require.ErrorAs(t, err, &wrong, "%v", c.values)
		require.Equal(t, c.names, wrong.Parameter)
		require.NotEmpty(t, wrong.Message)
	}
}

func TestNothingAskedFindsEverything(t *testing.T) {
	t.Parallel()
	q, err := query.Parse(nil)
	require.NoError(t, err)
	require.True(t, q.Match(shipped(), recorded))
	require.True(t, q.Match(&epcis.Event{}, recorded))
}

func TestAnEventWithoutAFieldIsNotFoundByIt(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"EQ_bizStep", "EQ_disposition", "EQ_transformationID", "EQ_eventID", "EQ_persistentDisposition_set"} {
		q, err := query.Parse(url.Values{name: {"x"}})
		require.NoError(t, err)
		require.False(t, q.Match(&epcis.Event{}, recorded), name)
	}
}

func TestNoParameterBreaksTheParser(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"EQ_", "GE_", "MATCH_", "WD_", "EXISTS_", "EQ_ILMD_", "EQ_INNER_", "EQ_source_", ""}).Draw(t, "op") +
			rapid.StringN(0, 20, 40).Draw(t, "of")
		q, err := query.Parse(url.Values{name: {rapid.String().Draw(t, "value")}})
		if err == nil {
			q.Match(shipped(), recorded)
		}
	})
}
