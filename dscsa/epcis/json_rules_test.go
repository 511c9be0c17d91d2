package epcis_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

const jsonContext = `"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://example.com/epcis/"}]`

// jsonWith is a document of one ObjectEvent that has more members besides.
func jsonWith(members string) string {
	return jsonOf(`{"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z","eventTimeZoneOffset":"-05:00","action":"OBSERVE","epcList":[]` + members + `}`)
}

func jsonOf(events string) string {
	return `{` + jsonContext + `,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-02T15:00:00Z","epcisBody":{"eventList":[` + events + `]}}`
}

// Every document here breaks one rule and is refused for that.
func TestJSONThatIsRefused(t *testing.T) {
	t.Parallel()
	event := func(members string) string { return jsonOf(`{"eventTimeZoneOffset":"-05:00",` + members + `}`) }
	deep := strings.Repeat(`{"ex:a":`, 101) + "1" + strings.Repeat("}", 101)
	for name, c := range map[string]struct{ rule, where, text string }{
		"garbage behind":        {epcis.RuleSyntax, "document", jsonWith("") + "{}"},
		"comma before the end":  {epcis.RuleSyntax, "event 1", jsonWith(`,`)},
		"no colon":              {epcis.RuleSyntax, "event 1 bizStep", jsonWith(`,"bizStep" "shipping"`)},
		"leading zero":          {epcis.RuleSyntax, "event 1", jsonWith(`,"ex:n":01`)},
		"a word of its own":     {epcis.RuleSyntax, "event 1", jsonWith(`,"ex:n":nul`)},
		"unknown escape":        {epcis.RuleSyntax, "event 1", jsonWith(`,"ex:n":"\q"`)},
		"ends in a string":      {epcis.RuleTruncated, "event 1 bizStep", strings.Split(jsonWith(`,"bizStep":"shipping"`), `ipping`)[0]},
		"ends in the list":      {epcis.RuleTruncated, "after event 1", strings.TrimSuffix(jsonWith(""), "]}}")},
		"no UTF-8":              {epcis.RuleEncoding, "event 1", jsonWith(`,"ex:n":"` + "\xc3\x28" + `"`)},
		"overlong UTF-8":        {epcis.RuleEncoding, "event 1", jsonWith(`,"ex:n":"` + "\xc0\xaf" + `"`)},
		"surrogate in UTF-8":    {epcis.RuleEncoding, "event 1", jsonWith(`,"ex:n":"` + "\xed\xa0\x80" + `"`)},
		"half a surrogate":      {epcis.RuleEncoding, "event 1", jsonWith(`,"ex:n":"\ud83d"`)},
		"low surrogate alone":   {epcis.RuleEncoding, "event 1", jsonWith(`,"ex:n":"\ude00"`)},
		"NUL":                   {epcis.RuleCharacter, "event 1", jsonWith(`,"ex:n":"\u0000"`)},
		"raw control character": {epcis.RuleCharacter, "event 1", jsonWith(`,"ex:n":"` + "\x01" + `"`)},
		"no character of XML":   {epcis.RuleCharacter, "event 1", jsonWith(`,"ex:n":"\uffff"`)},
		"too deep":              {epcis.RuleLimit, "event 1", jsonWith(`,"ex:n":` + deep)},
		"long string":           {epcis.RuleLimit, "event 1", jsonWith(`,"ex:n":"` + strings.Repeat("x", 1<<20+1) + `"`)},
		"long number":           {epcis.RuleLimit, "event 1", jsonWith(`,"ex:n":1` + strings.Repeat("0", 1<<20))},
		"no context":            {epcis.RuleContext, "document", strings.Replace(jsonWith(""), jsonContext+",", "", 1)},
		"context binds no URI":  {epcis.RuleContext, "document @context", strings.Replace(jsonWith(""), "https://example.com/epcis/", "example", 1)},
		"an array":              {epcis.RuleSyntax, "document", "[" + jsonWith("") + "]"},
		"no type":               {epcis.RuleRoot, "document", `{` + jsonContext + `,"epcisBody":{"eventList":[]}}`},
		"another type":          {epcis.RuleRoot, "document type", `{` + jsonContext + `,"type":"Masterpiece"}`},
		"no body":               {epcis.RuleBody, "document", `{` + jsonContext + `,"type":"EPCISDocument"}`},
		"two bodies":            {epcis.RuleRepeated, "document", strings.Replace(jsonWith(""), `"epcisBody"`, `"epcisBody":{},"epcisBody"`, 1)},
		"an event list of one":  {epcis.RuleType, "epcisBody eventList", `{` + jsonContext + `,"type":"EPCISDocument","epcisBody":{"eventList":{}}}`},

		"member twice":              {epcis.RuleRepeated, "event 1 action", jsonWith(`,"action":"ADD"`)},
		"own member twice":          {epcis.RuleRepeated, "event 1", jsonWith(`,"ex:a":1,"ex:a":2`)},
		"member twice inside":       {epcis.RuleRepeated, "event 1", jsonWith(`,"ex:a":{"ex:b":1,"ex:b":2}`)},
		"member twice, escaped":     {epcis.RuleRepeated, "event 1", jsonWith(`,"ex:a":1,"ex:\u0061":2`)},
		"unknown member":            {epcis.RuleUnknownElement, "event 1", jsonWith(`,"bizstep":"shipping"`)},
		"unknown in ilmd":           {epcis.RuleUnknownElement, "event 1 ilmd", jsonWith(`,"ilmd":{"lotNumber":"L1"}`)},
		"unknown in a place":        {epcis.RuleUnknownElement, "event 1 readPoint", jsonWith(`,"readPoint":{"id":"urn:x:1","name":"dock"}`)},
		"unknown in a quantity":     {epcis.RuleUnknownElement, "event 1 quantityList[1]", jsonWith(`,"quantityList":[{"epcClass":"urn:x:1","unit":"KGM"}]`)},
		"of another event type":     {epcis.RuleUnknownElement, "event 1", jsonWith(`,"childEPCs":["urn:x:1"]`)},
		"unbound prefix":            {epcis.RuleNamespace, "event 1", jsonWith(`,"gs1ushc:dropShipment":false`)},
		"unbound prefix inside":     {epcis.RuleNamespace, "event 1", jsonWith(`,"ex:a":{"other:b":1}`)},
		"no name behind the prefix": {epcis.RuleUnknownElement, "event 1", jsonWith(`,"ex:":1`)},
		"no event type":             {epcis.RuleUnknownEvent, "event 1", event(`"eventTime":"2026-03-02T09:00:00Z","action":"ADD"`)},
		"another event type":        {epcis.RuleUnknownEvent, "event 1 type", event(`"type":"QuantityEvent","eventTime":"2026-03-02T09:00:00Z","action":"ADD"`)},
		"no event time":             {epcis.RuleMissingTime, "event 1", event(`"type":"ObjectEvent","action":"ADD"`)},
		"an event time that is none": {
			epcis.RuleEventTime, "event 1 eventTime",
			event(`"type":"ObjectEvent","eventTime":"2026-02-30T09:00:00Z","action":"ADD"`),
		},
		"no action":            {epcis.RuleMissingAction, "event 1", event(`"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z"`)},
		"another action":       {epcis.RuleAction, "event 1 action", event(`"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z","action":"add"`)},
		"step of no standard":  {epcis.RuleWord, "event 1 bizStep", jsonWith(`,"bizStep":"transforming"`)},
		"disposition":          {epcis.RuleWord, "event 1 disposition", jsonWith(`,"disposition":"in_transport"`)},
		"set disposition":      {epcis.RuleWord, "event 1 persistentDisposition[1]", jsonWith(`,"persistentDisposition":{"set":["lost"]}`)},
		"quantity as text":     {epcis.RuleNumber, "event 1 quantityList[2]", jsonWith(`,"quantityList":[{"epcClass":"urn:x:1"},{"epcClass":"urn:x:2","quantity":"2"}]`)},
		"quantity of nothing":  {epcis.RuleMissingClass, "event 1 quantityList[1]", jsonWith(`,"quantityList":[{"quantity":2}]`)},
		"EPCs as text":         {epcis.RuleType, "event 1 childEPCs", jsonWith(`,"childEPCs":"urn:x:1"`)},
		"EPC as number":        {epcis.RuleType, "event 1 childEPCs[2]", jsonWith(`,"childEPCs":["urn:x:1",2]`)},
		"place as text":        {epcis.RuleType, "event 1 readPoint", jsonWith(`,"readPoint":"urn:epc:id:sgln:0369999.00001.0"`)},
		"event as text":        {epcis.RuleType, "event 1", jsonOf(`"event"`)},
		"sensor value as text": {epcis.RuleNumber, "event 1 sensorElementList[1]", jsonWith(`,"sensorElementList":[{"sensorReport":[{"type":"Temperature","value":"26"}]}]`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(strings.NewReader(c.text), epcis.Limits{})
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.rule, refused.Rule, refused.Error())
			require.Equal(t, c.where, refused.Where, refused.Error())
			require.Positive(t, refused.Line)
			require.Positive(t, refused.Column)
		})
	}
}

// A message shows no more of a document than helps.
func TestJSONMessagesAreShort(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 1<<19)
	for _, members := range []string{`,"` + long + `":1`, `,"bizStep":"` + long + `"`, `,"eventID":"urn:x","eventTimeZoneOffset":"` + long + `"`, `,"` + long + `:a":1`, `,"ex:a":1` + strings.Repeat("0", 1<<19) + `e`} {
		_, _, err := read(strings.NewReader(jsonWith(members)), epcis.Limits{})
		require.Error(t, err)
		require.Less(t, len(err.Error()), 500)
	}
	_, _, err := read(strings.NewReader(`{"`+long+`":nul`), epcis.Limits{})
	require.Error(t, err)
	require.Less(t, len(err.Error()), 500)
}

// What can be carried on from is noted, and the event is complete without it.
func TestJSONFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ rule, where, members string }{
		"no place":               {epcis.RulePlaceID, "event 1 readPoint", `,"readPoint":{"ex:name":"dock"}`},
		"no word":                {epcis.RuleEmptyID, "event 1 bizStep", `,"bizStep":""`},
		"no identifier":          {epcis.RuleEmptyID, "event 1 sourceList[1]", `,"sourceList":[{"type":"location","source":" "}]`},
		"type of no vocabulary":  {epcis.RuleWord, "event 1 bizTransactionList[1]", `,"bizTransactionList":[{"type":"order","bizTransaction":"urn:x:1"}]`},
		"no word of its own":     {epcis.RuleWord, "event 1 bizStep", `,"bizStep":"urn:epcglobal:cbv:bizstep:dreaming"`},
		"record time":            {epcis.RuleRecordTime, "event 1 recordTime", `,"recordTime":"yesterday"`},
		"declaration time":       {epcis.RuleDeclarationTime, "event 1 errorDeclaration", `,"errorDeclaration":{"reason":"did_not_occur"}`},
		"two event IDs":          {epcis.RuleTwoEventIDs, "event 1 eventID", `,"eventID":"urn:x:1","eventID":"urn:x:2"`},
		"reference to no object": {epcis.RuleEmptyID, "event 1 sourceList[1]", `,"sourceList":[{"type":"location"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, events, err := read(strings.NewReader(jsonWith(c.members)), epcis.Limits{})
			require.NoError(t, err)
			require.Len(t, events, 1)
			require.NotEmpty(t, events[0].Faults)
			require.Equal(t, c.rule, events[0].Faults[0].Rule)
			require.Equal(t, c.where, events[0].Faults[0].Where)
		})
	}
	for name, c := range map[string]struct{ rule, zone, at string }{
		"no zone":        {epcis.RuleMissingZone, "", `"2026-03-02T09:00:00Z"`},
		"a bad zone":     {epcis.RuleZone, `"eventTimeZoneOffset":"-5:00",`, `"2026-03-02T09:00:00Z"`},
		"beyond 14:00":   {epcis.RuleZone, `"eventTimeZoneOffset":"+14:01",`, `"2026-03-02T09:00:00Z"`},
		"a time without": {epcis.RuleTimeWithoutZone, `"eventTimeZoneOffset":"-05:00",`, `"2026-03-02T09:00:00"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, events, err := read(strings.NewReader(jsonOf(`{"type":"ObjectEvent",`+c.zone+`"eventTime":`+c.at+`,"action":"ADD","epcList":["urn:x:1"]}`)), epcis.Limits{})
			require.NoError(t, err)
			require.Equal(t, c.rule, events[0].Faults[0].Rule)
			if c.rule == epcis.RuleTimeWithoutZone {
				require.Equal(t, "2026-03-02T09:00:00-05:00", events[0].EventTime.Format("2006-01-02T15:04:05Z07:00"))
			}
		})
	}
}

// A refused event says everything that is wrong with it, and reading goes on.
func TestJSONGoesOnBehindARefusedEvent(t *testing.T) {
	t.Parallel()
	good := `{"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z","eventTimeZoneOffset":"-05:00","action":"ADD","epcList":["urn:x:1"]}`
	bad := `{"type":"ObjectEvent","bizStep":"flying","bizstep":["a",{"b":"c"}],"quantityList":[{"epcClass":"urn:x:1","quantity":"2"}],"disposition":7}`
	r, err := epcis.NewReader(strings.NewReader(jsonOf(good+","+bad+","+good)), epcis.Limits{})
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.True(t, refused.Resumable)
	var rules []string
	for _, f := range refused.Faults {
		rules = append(rules, f.Rule)
	}
	require.Equal(t, []string{
		epcis.RuleWord, epcis.RuleUnknownElement, epcis.RuleNumber, epcis.RuleType,
		epcis.RuleMissingTime, epcis.RuleMissingAction, epcis.RuleMissingZone,
	}, rules)
	e, err := r.Next()
	require.NoError(t, err)
	require.Empty(t, e.Faults)
	_, err = r.Next()
	require.ErrorIs(t, err, io.EOF)
}

// Order means nothing in JSON: the head may stand behind the events, and a
// member of an event before its type and context.
func TestJSONInAnyOrder(t *testing.T) {
	t.Parallel()
	event := `"ex:own":{"ex:part":["a","b"]},"action":"ADD","epcList":["urn:epc:id:sscc:0369999.1000000017"],"eventTimeZoneOffset":"+01:00","eventTime":"2026-03-02T09:00:00Z","type":"ObjectEvent"`
	front := `{` + jsonContext + `,"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-02T15:00:00Z","id":"urn:x:d","epcisBody":{"eventList":[{` + event + `}]}}`
	behind := `{"epcisBody":{"eventList":[{` + event + `}]},"creationDate":"2026-03-02T15:00:00Z","id":"urn:x:d","schemaVersion":"2.0","type":"EPCISDocument",` + jsonContext + `}`
	bare := `{` + event + `,` + jsonContext + `}`
	own := `{"@context":"https://ref.gs1.org/standards/epcis/epcis-context.jsonld","type":"EPCISDocument","epcisBody":{"eventList":[{` + event + `,"@context":{"ex":"https://example.com/epcis/"}}]}}`
	wantDoc, want, err := read(strings.NewReader(front), epcis.Limits{})
	require.NoError(t, err)
	require.Equal(t, "https://example.com/epcis/", want[0].Extensions[0].Name.Space)
	for _, text := range []string{behind, bare, own} {
		doc, got, err := read(strings.NewReader(text), epcis.Limits{})
		require.NoError(t, err, text)
		require.Empty(t, cmp.Diff(want, got, sameTime), text)
		if text == behind {
			require.Empty(t, cmp.Diff(wantDoc, doc, sameTime, cmpopts.EquateEmpty()))
		}
	}
}

// A context that is behind the events is looked for within bounds.
func TestJSONContextTooFarBehind(t *testing.T) {
	t.Parallel()
	event := `{"type":"ObjectEvent","eventTime":"2026-03-02T09:00:00Z","eventTimeZoneOffset":"+01:00","action":"ADD","epcList":["urn:x:1"]},`
	text := io.MultiReader(strings.NewReader(`{"epcisBody":{"eventList":[`), &repeated{text: event, n: 1 << 20})
	_, _, err := read(text, epcis.Limits{})
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, epcis.RuleLimit, refused.Rule)
	require.Contains(t, refused.Message, "@context before epcisBody")
}

// repeated gives a text so many times.
type repeated struct {
	text string
	n    int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.n == 0 {
			return 0, io.EOF
		}
		r.n--
		r.rest = r.text
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Reading in pieces of any size, and through any end of the buffer, is reading.
func TestJSONInPieces(t *testing.T) {
	t.Parallel()
	text := jsonDocument(300)
	text = bytes.ReplaceAll(text, []byte("LX"), []byte(`L\u00e9\ud834\udd1e☃`))
	_, want, err := read(bytes.NewReader(text), epcis.Limits{})
	require.NoError(t, err)
	require.Equal(t, "Lé𝄞☃0", want[0].ILMD[0].Value)
	for _, size := range []int{1, 7, 64, 4095} {
		_, got, err := read(&pieces{text: text, size: size}, epcis.Limits{})
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(want, got, sameTime), fmt.Sprint(size))
	}
}

type pieces struct {
	text []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}
