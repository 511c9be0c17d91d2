package epcis_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// What JSON-LD gives no meaning, or the same meaning under another name, is told
// and does not cost the event.
func TestJSONThatIsTakenAllTheSame(t *testing.T) {
	t.Parallel()
	header := func(members string) string {
		return strings.Replace(jsonWith(""), `"epcisBody"`, members+`,"epcisBody"`, 1)
	}
	for name, c := range map[string]struct{ text, rule, where string }{
		"a comment beside the body":    {header(`"_comment":"a"`), epcis.RuleHeaderElement, "document _comment"},
		"a header as in XML":           {header(`"epcisHeader":{"StandardBusinessDocumentHeader":{"HeaderVersion":"1.0"}}`), epcis.RuleHeaderElement, "document epcisHeader"},
		"more on master data":          {header(`"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"a","vocabularyElementList":[{"type":"b","id":"c","attributes":[{"id":"d","attribute":"e","lang":"en"}]}]}]}}`), epcis.RuleHeaderElement, "document epcisHeader[1]"},
		"an event ID as JSON-LD's id":  {jsonWith(`,"id":"urn:x:1"`), epcis.RuleElementName, "event 1"},
		"the class of sensor elements": {jsonWith(`,"sensorElementList":[{"type":"epcis:SensorElement","sensorReport":[{"type":"Temperature","value":26}]}]`), epcis.RuleAttribute, "event 1 sensorElementList[1]"},
		"a step spelled as in XML":     {jsonWith(`,"bizStep":"urn:epcglobal:cbv:bizstep:shipping"`), epcis.RuleVocabularyForm, "event 1 bizStep"},
		"an event of one's own":        {jsonOf(strings.Replace(oneObserved, "ObjectEvent", "ex:Inspection", 1) + "," + oneObserved), epcis.RuleForeignEvent, "after event 0"},
		"an event of one's own, last":  {jsonOf(oneObserved + "," + strings.Replace(oneObserved, "ObjectEvent", "https://example.com/Inspection", 1)), epcis.RuleForeignEvent, "after event 1"},
		"events in a query document":   {strings.Replace(jsonWith(""), "EPCISDocument", "EPCISQueryDocument", 1), epcis.RuleNesting, "document"},
		"results in a document":        {strings.Replace(jsonWith(""), `"eventList":[`, `"queryResults":{"resultsBody":{"eventList":[`, 1) + "}}", epcis.RuleNesting, "document"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, events, err := read(strings.NewReader(c.text), epcis.Limits{})
			require.NoError(t, err)
			require.Len(t, events, 1)
			faults := append(doc.Faults, events[0].Faults...)
			require.NotEmpty(t, faults)
			require.Equal(t, c.rule, faults[0].Rule, "%v", faults)
			require.Equal(t, c.where, faults[0].Where, "%v", faults)
			for _, f := range faults {
				require.Equal(t, c.rule, f.Rule, "%v", faults)
			}
			switch e := events[0]; c.rule {
			case epcis.RuleElementName:
				require.Equal(t, "urn:x:1", e.EventID)
			case epcis.RuleVocabularyForm:
				require.Equal(t, "shipping", e.BizStep)
			case epcis.RuleAttribute:
				require.Len(t, e.Sensors, 1)
				require.Len(t, e.Sensors[0].Reports, 1)
				require.Empty(t, e.Sensors[0].Extensions)
			}
		})
	}
}

const oneObserved = `{"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z","eventTimeZoneOffset":"-05:00","action":"OBSERVE","epcList":["urn:x:1"]}`

// A bare event has no document beside it, so what has no prefix is in the event.
func TestBareEventWithUnknownMember(t *testing.T) {
	t.Parallel()
	_, _, err := read(strings.NewReader(`{`+jsonContext+`,"colour":"red",`+oneObserved[1:]), epcis.Limits{})
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, epcis.RuleUnknownElement, refused.Rule)
}

// A body of JSON with nothing in it is none, wherever it stands.
func TestJSONWithEmptyBody(t *testing.T) {
	t.Parallel()
	const rest = `"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-02T15:00:00Z"`
	for _, text := range []string{
		`{` + jsonContext + `,` + rest + `,"epcisBody":{}}`,
		`{"epcisBody":{},` + rest + `,` + jsonContext + `}`,
	} {
		doc, events, err := read(strings.NewReader(text), epcis.Limits{})
		require.NoError(t, err)
		require.Empty(t, events)
		require.Equal(t, []string{epcis.RuleBody}, rulesOf(doc.Faults))
	}
}

// XML Schema lets a day end at 24:00 (part 2, section 3.2.7).
func TestTimeAtTheEndOfTheDay(t *testing.T) {
	t.Parallel()
	_, events, err := read(strings.NewReader(in12(but("2026-03-01T08:00:00Z", "2026-02-28T24:00:00.00Z"))), epcis.Limits{})
	require.NoError(t, err)
	require.Empty(t, events[0].Faults)
	require.Equal(t, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), events[0].EventTime)
}

// ASCII is UTF-8, and UTF8 is how some call that.
func TestDeclaredEncodings(t *testing.T) {
	t.Parallel()
	for encoding, ok := range map[string]bool{"UTF-8": true, "utf-8": true, "UTF8": true, "US-ASCII": true, "ISO-8859-1": false, "windows-1252": false, "UTF-16": false} {
		_, events, err := read(strings.NewReader(`<?xml version="1.0" encoding="`+encoding+`"?>`+in12(fine)), epcis.Limits{})
		if ok {
			require.NoError(t, err, encoding)
			require.Len(t, events, 1)
			continue
		}
		var refused *epcis.Error
		require.ErrorAs(t, err, &refused, encoding)
		require.Equal(t, epcis.RuleEncoding, refused.Rule)
	}
}
