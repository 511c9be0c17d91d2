package epcis_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// fine is an event without a fault, to be made worse.
const fine = `<ObjectEvent>
  <eventTime>2026-03-01T08:00:00Z</eventTime>
  <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
  <epcList><epc>urn:epc:id:sscc:0360001.1000000001</epc></epcList>
  <action>OBSERVE</action>
  <bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>
</ObjectEvent>`

func in12(events string) string {
	return `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" xmlns:v="http://vendor.example/ns" schemaVersion="1.2" creationDate="2026-03-01T08:00:00Z"><EPCISBody><EventList>` +
		events + `</EventList></EPCISBody></e:EPCISDocument>`
}

func in20(events string) string {
	return strings.NewReplacer("xsd:1", "xsd:2", `"1.2"`, `"2.0"`).Replace(in12(events))
}

// but is fine with one thing changed.
func but(old, new string) string {
	if !strings.Contains(fine, old) {
		panic(old)
	}
	return strings.Replace(fine, old, new, 1)
}

const (
	beforeAction = "<action>"
	atEnd        = "</ObjectEvent>"
)

func with(place, element string) string { return but(place, element+place) }

// eventCases are events with one thing wrong each, and the rule it breaks.
var eventCases = []struct {
	rule     string
	refused  bool
	document string
}{
	{epcis.RuleUnknownEvent, true, in12("<ShipEvent/>")},
	{epcis.RuleUnknownEvent, true, in20("<extension><ShipEvent/></extension>")},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<serial>1</serial>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<parentID>urn:a:b</parentID>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<e:serial>1</e:serial>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<extension><serial>1</serial></extension>"))},
	{epcis.RuleUnknownElement, true, in20(with(atEnd, "<extension><extension><serial>1</serial></extension></extension>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<extension><ilmd><lotNumber>1</lotNumber></ilmd></extension>"))},
	{epcis.RuleUnknownElement, true, in12(but("<epc>", "<id>x</id><epc>"))},
	{epcis.RuleUnknownElement, true, in12(but("OBSERVE", "<b>OBSERVE</b>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<readPoint><id>urn:a:b</id><name>Dock</name></readPoint>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<sourceList><destination type='urn:a:b'>urn:a:b</destination></sourceList>"))},
	{epcis.RuleUnknownElement, true, in12(with(atEnd, "<extension><quantityList><quantityElement><epcClass>urn:a:b</epcClass><count>1</count></quantityElement></quantityList></extension>"))},
	{epcis.RuleRepeated, true, in12(with(atEnd, "<bizStep>urn:a:b</bizStep>"))},
	{epcis.RuleRepeated, true, in12(with(beforeAction, "<epcList/>"))},
	{epcis.RuleRepeated, true, in20(but("<epcList>", "<eventID>urn:a:b</eventID><eventID>urn:a:c</eventID><epcList>"))},
	{epcis.RuleText, true, in12(with(beforeAction, "urn:epc:id:sscc:0360001.1000000002"))},
	{epcis.RuleText, true, in12(but("<epcList>", "<epcList>urn:epc:id:sscc:0360001.1000000002"))},
	{epcis.RuleMissingTime, true, in12(but("<eventTime>2026-03-01T08:00:00Z</eventTime>", ""))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", ""))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "0001-01-01T00:00:00Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2o26-03-01T08:00:00Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-02-29T08:00:00Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01 08:00:00Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01T08:00Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01T24:00:01Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01T08:00:00.Z"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01T08:00:00+15:00"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "2026-03-01T08:00:00Z+01:00"))},
	{epcis.RuleEventTime, true, in12(but("2026-03-01T08:00:00Z", "03/01/2026 08:00"))},
	{epcis.RuleMissingAction, true, in12(but("<action>OBSERVE</action>", ""))},
	{epcis.RuleAction, true, in12(but("OBSERVE", "observe"))},
	{epcis.RuleAction, true, in12(but("OBSERVE", ""))},
	{epcis.RuleNumber, true, in20(with(atEnd, "<quantityList><quantityElement><epcClass>urn:a:b</epcClass><quantity>twenty</quantity></quantityElement></quantityList>"))},
	{epcis.RuleNumber, true, in20(with(atEnd, "<quantityList><quantityElement><epcClass>urn:a:b</epcClass><quantity>1e3</quantity></quantityElement></quantityList>"))},
	{epcis.RuleNumber, true, in20(with(atEnd, "<quantityList><quantityElement><epcClass>urn:a:b</epcClass><quantity>1.2.3</quantity></quantityElement></quantityList>"))},
	{epcis.RuleUnknownElement, true, in20(with(atEnd, "<quantityList><epc>urn:a:b</epc></quantityList>"))},
	{epcis.RuleUnknownElement, true, in20(with(atEnd, "<persistentDisposition><id>urn:a:b</id></persistentDisposition>"))},
	{epcis.RuleUnknownElement, true, in20(with(atEnd, "<sensorElementList><sensorReport/></sensorElementList>"))},
	{epcis.RuleMissingClass, true, in20(with(atEnd, "<quantityList><quantityElement><quantity>1</quantity></quantityElement></quantityList>"))},

	{epcis.RuleOrder, false, in12(with(beforeAction, "<readPoint><id>urn:a:b</id></readPoint>"))},
	{epcis.RuleOrder, false, in12(with(beforeAction, "<v:a/>"))},
	{epcis.RuleNesting, false, in12(with(atEnd, "<sourceList><source type='urn:a:b'>urn:a:b</source></sourceList>"))},
	{epcis.RuleNesting, false, in20(with(atEnd, "<extension><sourceList><source type='urn:a:b'>urn:a:b</source></sourceList></extension>"))},
	{epcis.RuleNesting, false, in12(but("<epcList>", "<eventID>urn:a:b</eventID><epcList>"))},
	{epcis.RuleNesting, false, in20(but("<epcList>", "<baseExtension><eventID>urn:a:b</eventID></baseExtension><epcList>"))},
	{epcis.RuleNesting, false, in12("<TransformationEvent><eventTime>2026-03-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset></TransformationEvent>")},
	{epcis.RuleNesting, false, strings.NewReplacer("<EventList>", "", "</EventList>", "").Replace(in12(fine))},
	{epcis.RuleNesting, false, in20("<extension>" + fine + "</extension>")},
	{epcis.RuleQualified, false, in12(but("<action>OBSERVE</action>", "<e:action>OBSERVE</e:action>"))},
	{epcis.RuleQualified, false, in12(strings.NewReplacer("<epc>", "<e:epc>", "</epc>", "</e:epc>").Replace(fine))},
	{epcis.RuleElementName, false, in20(with(atEnd, "<sensorElementList><sensorElement><sensorMetaData/><sensorReport/></sensorElement></sensorElementList>"))},
	{epcis.RuleUnknownExtension, false, in12(with(atEnd, "<extension><extension><serial>1</serial></extension></extension>"))},
	{epcis.RuleUnknownExtension, false, in12(with(atEnd, "<extension><ilmd><extension><lot>1</lot></extension></ilmd></extension>"))},
	{epcis.RuleUnknownExtension, false, in12(but("<epcList>", "<baseExtension><extension><seal>1</seal></extension></baseExtension><epcList>"))},
	{epcis.RuleUnknownExtension, false, in12("<extension><TransformationEvent><eventTime>2026-03-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><extension><a/></extension></TransformationEvent></extension>")},
	{epcis.RuleAttribute, false, in12(but("<epcList>", "<epcList v:by='a'>"))},
	{epcis.RuleAttribute, false, in12(but("<action>", "<action v:by='a'>"))},
	{epcis.RuleAttribute, false, in12(but("<ObjectEvent>", "<ObjectEvent id='1'>"))},
	{epcis.RuleAttribute, false, in12(with(atEnd, "<bizTransactionList><bizTransaction typ='urn:a:b'>urn:a:b</bizTransaction></bizTransactionList>"))},
	{epcis.RuleVocabularyForm, false, in12(but("urn:epcglobal:cbv:bizstep:shipping", "shipping"))},
	{epcis.RuleMissingZone, false, in12(but("<eventTimeZoneOffset>-05:00</eventTimeZoneOffset>", ""))},
	{epcis.RuleZone, false, in12(but("-05:00", "-5:00"))},
	{epcis.RuleZone, false, in12(but("-05:00", "+14:01"))},
	{epcis.RuleZone, false, in12(but("-05:00", "UTC"))},
	{epcis.RuleTimeWithoutZone, false, in12(but("08:00:00Z", "08:00:00"))},
	{epcis.RuleRecordTime, false, in12(but("<eventTimeZoneOffset>", "<recordTime>now</recordTime><eventTimeZoneOffset>"))},
	{epcis.RuleDeclarationTime, false, in20(but("<epcList>", "<errorDeclaration/><epcList>"))},
	{epcis.RuleDeclarationTime, false, in20(but("<epcList>", "<errorDeclaration><declarationTime>now</declarationTime></errorDeclaration><epcList>"))},
	{epcis.RulePlaceID, false, in12(with(atEnd, "<readPoint/>"))},
	{epcis.RuleEmptyID, false, in12(but("<epc>", "<epc> </epc><epc>"))},
	{epcis.RuleEmptyID, false, in12(with(atEnd, "<bizTransactionList><bizTransaction/></bizTransactionList>"))},
	{epcis.RuleDeprecated, false, in20("<QuantityEvent><eventTime>2026-03-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcClass>urn:a:b</epcClass><quantity>1</quantity></QuantityEvent>")},
}

func TestOneThingWrongWithAnEvent(t *testing.T) {
	t.Parallel()
	for _, document := range []string{in12(fine), in20(fine)} {
		_, events, err := read(strings.NewReader(document), epcis.Limits{})
		require.NoError(t, err)
		require.Empty(t, events[0].Faults)
	}
	for _, tt := range eventCases {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			_, events, err := read(strings.NewReader(tt.document), epcis.Limits{})
			if !tt.refused {
				require.NoError(t, err)
				require.Equal(t, []string{tt.rule}, rulesOf(events[0].Faults), "%v", events[0].Faults)
				require.True(t, strings.HasPrefix(events[0].Faults[0].Where, "event 1"), "%v", events[0].Faults)
				return
			}
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tt.rule, refused.Rule, "%v", err)
			require.True(t, refused.Resumable)
			require.Contains(t, rulesOf(refused.Faults), tt.rule)
			require.Equal(t, 1, refused.Line)
			require.Positive(t, refused.Column)
		})
	}
}

// documentCases are the same for what is around the events.
var documentCases = []struct {
	rule     string
	refused  bool
	document string
}{
	{epcis.RuleRoot, true, "<a/>"},
	{epcis.RuleRoot, true, strings.Replace(in12(fine), "epcis:xsd:1", "epcis:xsd:3", 1)},
	{epcis.RuleRoot, true, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault/></s:Body></s:Envelope>`},
	{epcis.RuleRoot, true, `<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body/></s:Envelope>`},
	{epcis.RuleBody, true, `<e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-03-01T08:00:00Z"/>`},
	{epcis.RuleRepeatedBody, true, strings.Replace(in12(fine), "</EPCISBody>", "</EPCISBody><EPCISBody/>", 1)},
	{epcis.RuleRepeatedBody, true, strings.Replace(in12(fine), "</EventList>", "</EventList><EventList/>", 1)},
	{epcis.RuleRepeatedBody, true, `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>` + in12(fine) + in12(fine) + `</s:Body></s:Envelope>`},
	{epcis.RuleTruncated, true, in12(fine)[:200]},

	{epcis.RuleSchemaVersion, false, strings.Replace(in12(fine), `schemaVersion="1.2"`, "", 1)},
	{epcis.RuleSchemaVersion, false, strings.Replace(in12(fine), `"1.2"`, `"2.0"`, 1)},
	{epcis.RuleCreationDate, false, strings.Replace(in12(fine), `creationDate="2026-03-01T08:00:00Z"`, "", 1)},
	{epcis.RuleCreationDate, false, strings.Replace(in12(fine), `creationDate="2026-03-01T08:00:00Z"`, `creationDate="today"`, 1)},
	{epcis.RuleNoNamespace, false, strings.NewReplacer("<e:", "<", "</e:", "</").Replace(in12(fine))},
	{epcis.RuleInstruction, false, "<?vendor a?>" + in12(fine)},
	{epcis.RuleEmptyDoctype, false, "<!DOCTYPE epcis>" + in12(fine)},
	{epcis.RuleForeignEvent, false, in12(fine + "<v:ShipEvent/>")},
	{epcis.RuleAttribute, false, strings.Replace(in12(fine), "schemaVersion", `v:by="a" schemaVersion`, 1)},
	{epcis.RuleText, false, strings.Replace(in12(fine), "</EventList>", "</EventList>text", 1)},
	{epcis.RuleOrder, false, strings.Replace(in12(fine), "</EPCISBody>", "</EPCISBody><EPCISHeader/>", 1)},
	{epcis.RuleNesting, false, withHeader("<EPCISMasterData/>")},
	{epcis.RuleHeaderElement, false, withHeader("<statement>true</statement>")},
	{epcis.RuleHeaderElement, false, withHeader(`<extension><EPCISMasterData><VocabularyList><Vocabulary type="a"><VocabularyElementList><VocabularyElement id="a"><name>b</name></VocabularyElement></VocabularyElementList></Vocabulary></VocabularyList></EPCISMasterData></extension>`)},
	{epcis.RuleHeaderElement, false, withHeader(businessHeader(both) + businessHeader(both))},
	{epcis.RuleHeaderTime, false, withHeader(businessHeader(both + "<DocumentIdentification><CreationDateAndTime>now</CreationDateAndTime></DocumentIdentification>"))},
	{epcis.RuleHeaderParty, false, withHeader(businessHeader(strings.Replace(both, "<Sender><Identifier>a</Identifier>", "<Sender>", 1)))},
	{epcis.RuleHeaderParty, false, withHeader(businessHeader("<Receiver><Identifier>b</Identifier></Receiver>"))},
	{epcis.RuleHeaderParty, false, withHeader(businessHeader("<Sender><Identifier>a</Identifier></Sender>"))},
	{epcis.RuleUnknownElement, false, strings.Replace(in12(fine), "<EPCISBody>", "<EPCISBody><note>a</note>", 1)},
	{epcis.RuleUnknownElement, false, strings.Replace(in12(fine), "<EPCISBody>", "<EPCISBody><e:note>a</e:note>", 1)},
	{epcis.RuleQueryName, false, asked("<q:Poll><params/></q:Poll>")},
	{epcis.RuleQueryName, false, asked("<q:Subscribe><queryName> </queryName></q:Subscribe>")},
}

const both = "<Sender><Identifier>a</Identifier></Sender><Receiver><Identifier>b</Identifier></Receiver>"

func businessHeader(within string) string {
	return "<StandardBusinessDocumentHeader>" + within + "</StandardBusinessDocumentHeader>"
}

// asked is a query document with a query before the answer to it.
func asked(query string) string {
	return `<q:EPCISQueryDocument xmlns:q="urn:epcglobal:epcis-query:xsd:1" schemaVersion="1.2" creationDate="2026-03-01T08:00:00Z"><EPCISBody>` + query +
		`<q:QueryResults><queryName>SimpleEventQuery</queryName><resultsBody><EventList>` + fine + `</EventList></resultsBody></q:QueryResults></EPCISBody></q:EPCISQueryDocument>`
}

func withHeader(within string) string {
	return strings.Replace(in12(fine), "<EPCISBody>", "<EPCISHeader>"+within+"</EPCISHeader><EPCISBody>", 1)
}

func TestOneThingWrongAroundTheEvents(t *testing.T) {
	t.Parallel()
	for _, tt := range documentCases {
		t.Run(tt.rule, func(t *testing.T) {
			t.Parallel()
			doc, events, err := read(strings.NewReader(tt.document), epcis.Limits{})
			if !tt.refused {
				require.NoError(t, err)
				require.Len(t, events, 1)
				require.Empty(t, events[0].Faults)
				require.Equal(t, []string{tt.rule}, rulesOf(doc.Faults), "%v", doc.Faults)
				return
			}
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tt.rule, refused.Rule, "%v", err)
			require.False(t, refused.Resumable)
		})
	}
}

// TestEachRuleIsBrokenSomewhere keeps the list of rules and the cases together.
func TestEachRuleIsBrokenSomewhere(t *testing.T) {
	t.Parallel()
	broken := map[string]bool{
		// in the tests of what is not XML
		epcis.RuleFormat: true, epcis.RuleEncoding: true, epcis.RuleSyntax: true, epcis.RuleDoctype: true,
		epcis.RuleEntity: true, epcis.RuleNamespace: true, epcis.RuleLimit: true,
	}
	for _, tt := range eventCases {
		broken[tt.rule] = true
	}
	for _, tt := range documentCases {
		broken[tt.rule] = true
	}
	src, err := os.ReadFile("rules.go")
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", src, 0)
	require.NoError(t, err)
	seen := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok {
			rule, err := strconv.Unquote(lit.Value)
			require.NoError(t, err)
			require.False(t, seen[rule], "%s is there twice", rule)
			seen[rule] = true
			require.True(t, broken[rule], "no case breaks %s", rule)
		}
		return true
	})
	require.NotEmpty(t, seen)
}

func TestATimeNeedsAnOffsetFromSomewhere(t *testing.T) {
	t.Parallel()
	_, events, err := read(strings.NewReader(in12(but("08:00:00Z", "08:00:00"))), epcis.Limits{})
	require.NoError(t, err)
	require.Equal(t, "2026-03-01T08:00:00-05:00", events[0].EventTime.Format(time.RFC3339))
	_, _, err = read(strings.NewReader(in12(strings.Replace(but("08:00:00Z", "08:00:00"), "-05:00", "here", 1))), epcis.Limits{})
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, []string{epcis.RuleZone, epcis.RuleEventTime}, rulesOf(refused.Faults))
	require.Equal(t, epcis.RuleEventTime, refused.Rule)
}

// Real senders write these; none of it is a fault.
func TestWhatTheSchemaAllows(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"padded text":             in12(strings.NewReplacer("OBSERVE", "\n OBSERVE\t", "-05:00", " -05:00 ").Replace(fine)),
		"empty lists":             in20(with(atEnd, "<quantityList/><sourceList/>")),
		"sensor in 1.2":           in12(with(atEnd, "<extension><extension><sensorElementList><sensorElement><sensorReport/></sensorElement><extension><v:a/></extension></sensorElementList></extension></extension>")),
		"nesting of 1.2":          in12(but("<epcList>", "<baseExtension><eventID>urn:a:b</eventID></baseExtension><epcList>")),
		"certification in 1.2":    in12(but("<epcList>", "<baseExtension><extension><certificationInfo>urn:a:b</certificationInfo></extension></baseExtension><epcList>")),
		"several certificates":    in20(but("<epcList>", "<certificationInfo>urn:a:b</certificationInfo><certificationInfo>urn:a:c</certificationInfo><epcList>")),
		"extension of a document": strings.Replace(in12(fine), "</EPCISBody>", "</EPCISBody><extension><a/></extension>", 1),
		"only results":            `<q:QueryResults xmlns:q="urn:epcglobal:epcis-query:xsd:1"><queryName>n</queryName><resultsBody><EventList>` + fine + `</EventList></resultsBody></q:QueryResults>`,
		"a bare event of 1.2":     strings.Replace(fine, "<ObjectEvent", `<ObjectEvent schemaVersion="1.2"`, 1),
		"a wrapper in SOAP":       `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><w:send xmlns:w="http://w.example/">` + in12(fine) + `</w:send></s:Body></s:Envelope>`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, events, err := read(strings.NewReader(document), epcis.Limits{})
			require.NoError(t, err)
			require.Empty(t, doc.Faults)
			require.Len(t, events, 1)
			require.Empty(t, events[0].Faults)
			require.Equal(t, epcis.Observe, events[0].Action)
			require.Equal(t, "-05:00", events[0].Zone)
		})
	}
}

func TestFaultsDoNotGrowWithoutEnd(t *testing.T) {
	t.Parallel()
	doc, events, err := read(strings.NewReader(strings.Repeat("<?a?>", 1000)+in12(but("<epc>", strings.Repeat("<epc/>", 1000)+"<epc>"))), epcis.Limits{})
	require.NoError(t, err)
	require.Len(t, doc.Faults, 100)
	require.Len(t, events[0].Faults, 100)
	// However much else is wrong, the reason of a refusal is among it.
	_, _, err = read(strings.NewReader(in12(strings.Replace(but("<epc>", strings.Repeat("<epc/>", 1000)+"<epc>"), "OBSERVE", "SEND", 1))), epcis.Limits{})
	var refused *epcis.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, epcis.RuleAction, refused.Rule)
	require.Contains(t, rulesOf(refused.Faults), epcis.RuleAction)
}

func TestARefusedEventDoesNotEndTheDocument(t *testing.T) {
	t.Parallel()
	r, err := epcis.NewReader(iotest.OneByteReader(strings.NewReader(in12(
		fine+"\n"+but("OBSERVE", "SEND")+but("<eventTime>2026-03-01T08:00:00Z</eventTime>", "<when/>")+"<ShipEvent><a/></ShipEvent>"+fine))), epcis.Limits{})
	require.NoError(t, err)
	var got []string
	for {
		ev, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var refused *epcis.Error
		if errors.As(err, &refused) {
			require.True(t, refused.Resumable)
			got = append(got, refused.Where+" "+strings.Join(rulesOf(refused.Faults), ","))
			continue
		}
		require.NoError(t, err)
		got = append(got, string(ev.Action))
	}
	require.Equal(t, []string{
		"OBSERVE", "event 2 action bad-action", "event 3 when unknown-element,missing-event-time", "event 4 unknown-event", "OBSERVE",
	}, got)
}

func TestAnErrorSaysWhere(t *testing.T) {
	t.Parallel()
	_, _, err := read(strings.NewReader("<?xml version='1.0'?>\n"+in12("\n  "+but("OBSERVE", "SEND"))), epcis.Limits{})
	require.EqualError(t, err, `line 3, column 3: event 1 action: "SEND" is no action; write ADD, OBSERVE or DELETE (bad-action)`)
	_, _, err = read(strings.NewReader("<?xml version='1.0'?>\n"+in12("\n  "+but("</epc>", "</ecp>"))), epcis.Limits{})
	require.EqualError(t, err, `line 6, column 51: event 1: </ecp> where </epc> is due (syntax)`)
}
