package epcis_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/epcis/epcistest"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func observed(change func(*epcis.Event)) *epcis.Event {
	e := &epcis.Event{
		Type: epcis.ObjectEvent, EventTime: noon, Zone: "-05:00", Action: epcis.Observe,
		EPCs: []string{"urn:epc:id:sgtin:0369999.012345.1"},
	}
	if change != nil {
		change(e)
	}
	return e
}

// What a format cannot hold is refused with its name, and nothing of the
// event is written.
func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	own := func(f epcis.Field) func(*epcis.Event) {
		return func(e *epcis.Event) { e.Extensions = []epcis.Field{f} }
	}
	ex := epcis.Name{Space: "https://example.com/epcis/", Local: "a"}
	all := formats
	xml := formats[:2]
	for name, c := range map[string]struct {
		formats []epcis.Format
		rule    string
		change  func(*epcis.Event)
	}{
		"no event time":       {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.EventTime = time.Time{} }},
		"no action":           {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.Action = "" }},
		"another action":      {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.Action = "CREATE" }},
		"no type":             {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.Type = "" }},
		"a parent":            {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.Parent = "urn:x:1" }},
		"input":               {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.InputEPCs = []string{"urn:x:1"} }},
		"the year 10000":      {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.EventTime = noon.AddDate(8000, 0, 0) }},
		"a control character": {all, epcis.RuleCharacter, func(e *epcis.Event) { e.BizStep = "a\x01:b" }},
		"no UTF-8":            {all, epcis.RuleCharacter, own(epcis.Field{Name: ex, Value: "\xff"})},
		"no character of XML": {all, epcis.RuleCharacter, own(epcis.Field{Name: ex, Value: "\ufffe"})},
		"no namespace":        {formats[1:], epcis.RuleUnwritable, own(epcis.Field{Name: epcis.Name{Local: "a"}})},
		"no name of XML":      {xml, epcis.RuleUnwritable, own(epcis.Field{Name: epcis.Name{Space: ex.Space, Local: "a b"}})},
		"a list in a list":    {xml, epcis.RuleUnwritable, own(epcis.Field{Name: ex, Kind: epcis.List, Children: []epcis.Field{{Value: "1"}}})},
		"namespace of EPCIS":  {xml, epcis.RuleUnwritable, own(epcis.Field{Name: epcis.Name{Space: "urn:epcglobal:epcis:xsd:2", Local: "a"}})},
		"no number":           {all[2:], epcis.RuleUnwritable, own(epcis.Field{Name: ex, Kind: epcis.Number, Value: "NaN"})},
		"no decimal":          {all, epcis.RuleUnwritable, func(e *epcis.Event) { e.Quantities = []epcis.Quantity{{Class: "urn:x:1", Amount: "many"}} }},
		"unit of no quantity": {xml, epcis.RuleUnwritable, func(e *epcis.Event) { e.Quantities = []epcis.Quantity{{Class: "urn:x:1", UOM: "KGM"}} }},
		"two certificates":    {formats[1:2], epcis.RuleUnwritable, func(e *epcis.Event) { e.Certifications = []string{"urn:x:1", "urn:x:2"} }},
		"a report with no type": {all[2:], epcis.RuleUnwritable, func(e *epcis.Event) {
			e.Sensors = []epcis.Sensor{{Reports: [][]epcis.Field{{{Name: epcis.Name{Local: "value"}, Value: "1"}}}}}
		}},
		"a quantity event": {formats[1:], epcis.RuleUnwritable, func(e *epcis.Event) {
			e.Type, e.Action, e.EPCs = epcis.QuantityEvent, "", nil
			e.Quantities = []epcis.Quantity{{Class: "urn:x:1", Amount: "2"}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range c.formats {
				var with, without bytes.Buffer
				for _, b := range []*bytes.Buffer{&with, &without} {
					w, err := epcis.NewWriter(b, f, &epcis.Document{CreationDate: noon})
					require.NoError(t, err)
					require.NoError(t, w.Write(observed(nil)))
					if b == &with {
						var refused *epcis.Error
						require.ErrorAs(t, w.Write(observed(c.change)), &refused, f)
						require.Equal(t, c.rule, refused.Rule)
						require.Equal(t, "event 2", refused.Where)
					}
					require.NoError(t, w.Write(observed(nil)))
					require.NoError(t, w.Close())
				}
				require.Equal(t, without.String(), with.String())
			}
		})
	}
}

func TestDocumentsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	header := epcistest.Header("urn:epc:id:sgln:0369999.00001.0", "urn:epc:id:sgln:0860001234.10.0", "D-1", noon)
	lonely := &epcis.BusinessHeader{Sender: header.Sender}
	crowd := &epcis.BusinessHeader{Sender: append(header.Sender, header.Sender...), Receiver: header.Receiver}
	data := []epcis.Vocabulary{{Type: "urn:epcglobal:epcis:vtype:Location"}}
	for name, c := range map[string]struct {
		f   epcis.Format
		doc epcis.Document
	}{
		"no creation date":            {epcis.XML20, epcis.Document{}},
		"no format":                   {"csv", epcis.Document{CreationDate: noon}},
		"a sender alone":              {epcis.XML20, epcis.Document{CreationDate: noon, Header: lonely}},
		"master data without parties": {epcis.XML12, epcis.Document{CreationDate: noon, MasterData: data}},
		"a statement without parties": {epcis.XML12, epcis.Document{CreationDate: noon, HeaderFields: epcistest.Statement()}},
		"two senders":                 {epcis.JSON20, epcis.Document{CreationDate: noon, Header: crowd}},
		"master data of a query":      {epcis.JSON20, epcis.Document{CreationDate: noon, Root: "EPCISQueryDocument", MasterData: data}},
		"a field without a namespace": {epcis.JSON20, epcis.Document{CreationDate: noon, Extensions: []epcis.Field{{Name: epcis.Name{Local: "a"}}}}},
		"the same in XML":             {epcis.XML20, epcis.Document{CreationDate: noon, Extensions: []epcis.Field{{Name: epcis.Name{Local: "a"}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			_, err := epcis.NewWriter(&b, c.f, &c.doc)
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.Empty(t, b.Bytes())
		})
	}
}

// A document in the shape of the GS1 US guideline R1.3, byte by byte.
func TestDSCSADocumentInTheShapeOfTheGuideline(t *testing.T) {
	t.Parallel()
	us := func(local, value string) epcis.Field {
		return epcis.Field{Name: epcis.Name{Space: "http://epcis.gs1us.org/hc/ns", Local: local}, Value: value}
	}
	doc := &epcis.Document{
		CreationDate: noon, HeaderFields: epcistest.Statement(),
		Namespaces: []epcis.Namespace{{Prefix: "gs1ushc", URI: "http://epcis.gs1us.org/hc/ns"}, {Prefix: "cbvmda", URI: "urn:epcglobal:cbv:mda"}},
		Header:     epcistest.Header("urn:epc:id:sgln:0369999.00001.0", "urn:epc:id:sgln:0860001234.10.0", "D-1", noon),
	}
	got, err := write(epcis.XML12, doc,
		observed(func(e *epcis.Event) {
			e.Action, e.BizStep, e.Disposition = epcis.Add, "commissioning", "active"
			e.ILMD = []epcis.Field{{Name: epcis.Name{Space: "urn:epcglobal:cbv:mda", Local: "lotNumber"}, Value: "L<1>"}}
		}),
		observed(func(e *epcis.Event) {
			e.BizStep, e.Disposition = "shipping", "in_transit"
			e.Sources = []epcis.Reference{{Type: "owning_party", ID: "urn:epc:id:sgln:0369999.00001.0"}}
			direct := us("directPurchase", "")
			direct.Attrs = []epcis.Field{{Name: epcis.Name{Local: "qualifier"}, Value: "ENTIRELY_DIRECT"}}
			direct.Children = []epcis.Field{us("directPurchaseStatement", "bought directly")}
			e.Extensions = []epcis.Field{us("dropShipment", "false"), direct}
		}))
	require.NoError(t, err)
	require.Equal(t, `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" xmlns:cbvmda="urn:epcglobal:cbv:mda" schemaVersion="1.2" creationDate="2026-03-02T12:00:00Z">
<EPCISHeader><sbdh:StandardBusinessDocumentHeader><sbdh:HeaderVersion>1.0</sbdh:HeaderVersion><sbdh:Sender><sbdh:Identifier Authority="GS1">urn:epc:id:sgln:0369999.00001.0</sbdh:Identifier></sbdh:Sender><sbdh:Receiver><sbdh:Identifier Authority="GS1">urn:epc:id:sgln:0860001234.10.0</sbdh:Identifier></sbdh:Receiver><sbdh:DocumentIdentification><sbdh:Standard>EPCglobal</sbdh:Standard><sbdh:TypeVersion>1.0</sbdh:TypeVersion><sbdh:InstanceIdentifier>D-1</sbdh:InstanceIdentifier><sbdh:Type>Events</sbdh:Type><sbdh:CreationDateAndTime>2026-03-02T12:00:00Z</sbdh:CreationDateAndTime></sbdh:DocumentIdentification></sbdh:StandardBusinessDocumentHeader><gs1ushc:guidelineVersion>GS1 US DSCSA R1.3</gs1ushc:guidelineVersion><gs1ushc:dscsaTransactionStatement><gs1ushc:affirmTransactionStatement>true</gs1ushc:affirmTransactionStatement><gs1ushc:legalNotice>Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G).</gs1ushc:legalNotice></gs1ushc:dscsaTransactionStatement></EPCISHeader>
<EPCISBody><EventList>
<ObjectEvent><eventTime>2026-03-02T12:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:0369999.012345.1</epc></epcList><action>ADD</action><bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep><disposition>urn:epcglobal:cbv:disp:active</disposition><extension><ilmd><cbvmda:lotNumber>L&lt;1&gt;</cbvmda:lotNumber></ilmd></extension></ObjectEvent>
<ObjectEvent><eventTime>2026-03-02T12:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset><epcList><epc>urn:epc:id:sgtin:0369999.012345.1</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep><disposition>urn:epcglobal:cbv:disp:in_transit</disposition><extension><sourceList><source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0369999.00001.0</source></sourceList></extension><gs1ushc:dropShipment>false</gs1ushc:dropShipment><gs1ushc:directPurchase qualifier="ENTIRELY_DIRECT"><gs1ushc:directPurchaseStatement>bought directly</gs1ushc:directPurchaseStatement></gs1ushc:directPurchase></ObjectEvent>
</EventList></EPCISBody>
</epcis:EPCISDocument>
`, string(got))
}

// An event whose time zone is missing gets that of its time: every format
// requires one.
func TestMissingZoneIsWritten(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		text, err := write(f, &epcis.Document{CreationDate: noon}, observed(func(e *epcis.Event) {
			e.Zone, e.EventTime = "", noon.In(time.FixedZone("", -5*3600))
		}))
		require.NoError(t, err)
		_, got, err := read(bytes.NewReader(text), epcis.Limits{})
		require.NoError(t, err)
		require.Equal(t, "-05:00", got[0].Zone)
	}
}

// A zone of odd seconds, as places had before there were zones, is written as UTC.
func TestOddZoneIsWrittenAsUTC(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		for _, offset := range []int{-17762, 15 * 3600} {
			e := observed(func(e *epcis.Event) { e.EventTime = noon.In(time.FixedZone("", offset)) })
			text, err := write(f, &epcis.Document{CreationDate: noon}, e)
			require.NoError(t, err)
			_, got, err := read(bytes.NewReader(text), epcis.Limits{})
			require.NoError(t, err)
			require.True(t, noon.Equal(got[0].EventTime))
		}
	}
}

type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(p), nil
}

// When what is written to fails, the document is broken off and stays so.
func TestWriterStopsWhenItCannotWrite(t *testing.T) {
	t.Parallel()
	for _, f := range formats {
		w, err := epcis.NewWriter(&broken{left: 100_000}, f, &epcis.Document{CreationDate: noon})
		require.NoError(t, err)
		for err == nil {
			err = w.Write(observed(func(e *epcis.Event) { e.EventID = "urn:x:" + strings.Repeat("1", 1000) }))
		}
		require.ErrorContains(t, err, "no space left")
		require.Equal(t, err, w.Write(observed(nil)))
		require.Equal(t, err, w.Close())
	}
}

func TestClosedWriterTakesNoMore(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w, err := epcis.NewWriter(&b, epcis.JSON20, &epcis.Document{CreationDate: noon})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.Error(t, w.Write(observed(nil)))
	_, events, err := read(&b, epcis.Limits{})
	require.NoError(t, err)
	require.Empty(t, events)
}
