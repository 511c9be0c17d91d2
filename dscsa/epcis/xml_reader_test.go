package epcis_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

const (
	vendor = "http://vendor.example/ns"
	mda    = "urn:epcglobal:cbv:mda"
	ushc   = "http://epcis.gs1us.org/hc/ns"
	sbdh   = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
)

func own(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(raw)
}

func field(space, local, value string, children ...epcis.Field) epcis.Field {
	return epcis.Field{Name: epcis.Name{Space: space, Local: local}, Value: value, Children: children}
}

func utc(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	require.NoError(t, err)
	return at
}

func TestEverythingOfADocumentOf12(t *testing.T) {
	t.Parallel()
	doc, events, err := read(strings.NewReader(own(t, "full-1.2.xml")), epcis.Limits{})
	require.NoError(t, err)
	value := field(vendor, "value", "5")
	value.Attrs = []epcis.Field{field("", "unit", "mg"), field(vendor, "by", "lab")}
	note := field(vendor, "note", "a <b> c")
	note.Attrs = []epcis.Field{field("http://www.w3.org/XML/1998/namespace", "lang", "en")}
	want := []*epcis.Event{
		{
			Type: epcis.ObjectEvent, EventTime: utc(t, "2026-03-01T08:00:00.5-05:00"), RecordTime: utc(t, "2026-03-01T13:00:05Z"),
			Zone: "-05:00", EventID: "urn:uuid:5b3c0a52-7c4f-4a1e-9d63-0d3b1b1f0001",
			Error: &epcis.ErrorDeclaration{
				At: utc(t, "2026-03-02T08:00:00Z"), Reason: "incorrect_data", CorrectiveIDs: []string{"urn:uuid:2"},
				Extensions: []epcis.Field{field(vendor, "by", "Ann")},
			},
			EPCs:   []string{"urn:epc:id:sgtin:0360001.000123.1A", "urn:epc:id:sgtin:0360001.000123.2"},
			Action: epcis.Add, BizStep: "commissioning", Disposition: "http://vendor.example/disp/new",
			ReadPoint:   epcis.Place{ID: "urn:epc:id:sgln:0360001.00001.0", Extensions: []epcis.Field{field(vendor, "gate", "4")}},
			BizLocation: epcis.Place{ID: "urn:epc:id:sgln:0360001.00001.0"},
			BizTransactions: []epcis.Reference{
				{Type: "po", ID: "urn:epcglobal:cbv:bt:0370002000004:PO-1"},
				{ID: "http://vendor.example/tx/1"},
			},
			Quantities: []epcis.Quantity{
				{Class: "urn:epc:class:lgtin:0360001.000123.L1", Amount: "2.5", UOM: "KGM"},
				{Class: "urn:epc:class:lgtin:0360001.000123.L2"},
			},
			Sources:      []epcis.Reference{{Type: "owning_party", ID: "urn:epc:id:sgln:0360001.00000.0"}},
			Destinations: []epcis.Reference{{Type: "location", ID: "urn:epc:id:sgln:0370002.00000.0"}},
			ILMD:         []epcis.Field{field(mda, "lotNumber", "L1"), field(vendor, "assay", "", value, field("", "plain", ""))},
			Extensions:   []epcis.Field{note},
		},
		{
			Type: epcis.TransformationEvent, EventTime: utc(t, "2026-03-01T09:00:00Z"), Zone: "+00:00",
			InputEPCs:        []string{"urn:epc:id:sgtin:0360001.000123.1"},
			InputQuantities:  []epcis.Quantity{{Class: "urn:epc:idpat:sgtin:0360001.000123.*", Amount: "3"}},
			OutputEPCs:       []string{"urn:epc:id:sgtin:0360001.000124.1"},
			OutputQuantities: []epcis.Quantity{{Class: "urn:epc:idpat:sgtin:0360001.000124.*", Amount: "4"}},
			TransformationID: "urn:epc:id:gdti:0360001.00001.1", BizStep: "repackaging",
			ILMD: []epcis.Field{field(mda, "lotNumber", "L9")},
		},
		{
			Type: epcis.AggregationEvent, EventTime: utc(t, "2026-03-01T10:00:00Z"), Zone: "-05:00",
			Parent: "urn:epc:id:sscc:0360001.1000000001", Action: epcis.Delete,
			Quantities: []epcis.Quantity{{Class: "urn:epc:class:lgtin:0360001.000123.L1", Amount: "12"}},
		},
		{
			Type: epcis.TransactionEvent, EventTime: utc(t, "2026-03-01T11:00:00Z"), Zone: "-05:00",
			BizTransactions: []epcis.Reference{{Type: "inv", ID: "urn:epcglobal:cbv:bt:0360001000007:I-1"}},
			Parent:          "urn:epc:id:sscc:0360001.1000000001", Action: epcis.Observe,
		},
		{
			Type: epcis.QuantityEvent, EventTime: utc(t, "2026-03-01T12:00:00Z"), Zone: "-05:00", BizStep: "cycle_counting",
			Quantities: []epcis.Quantity{{Class: "urn:epc:idpat:sgtin:0360001.000123.*", Amount: "7"}},
		},
	}
	require.Empty(t, cmp.Diff(want, events))

	address := field(vendor, "Address", "", field("", "Street", "1 Way"))
	address.Attrs = []epcis.Field{field("", "kind", "plant")}
	trailer := field(vendor, "trailer", "")
	trailer.Attrs = []epcis.Field{field("", "n", "1")}
	identifier := field(sbdh, "Identifier", "urn:epc:id:sgln:0360001.00000.0")
	identifier.Attrs = []epcis.Field{field("", "Authority", "SGLN")}
	require.Empty(t, cmp.Diff(&epcis.Document{
		Format: epcis.XML12, Root: "EPCISDocument", SchemaVersion: "1.2", CreationDate: utc(t, "2026-03-02T09:00:00-05:00"),
		Namespaces: []epcis.Namespace{
			{Prefix: "epcis", URI: "urn:epcglobal:epcis:xsd:1"},
			{Prefix: "cbvmda", URI: mda},
			{Prefix: "gs1ushc", URI: ushc},
			{Prefix: "v", URI: vendor},
			{Prefix: "sbdh", URI: sbdh},
		},
		Header: &epcis.BusinessHeader{
			Sender:             []epcis.Party{{Authority: "SGLN", ID: "urn:epc:id:sgln:0360001.00000.0"}},
			Receiver:           []epcis.Party{{Authority: "GLN", ID: "0370002000004"}},
			InstanceIdentifier: "D-7", CreatedAt: utc(t, "2026-03-02T09:00:01Z"),
			Fields: []epcis.Field{
				field(sbdh, "HeaderVersion", "1.0"),
				field(sbdh, "Sender", "", identifier, field(sbdh, "ContactInformation", "", field(sbdh, "Contact", "Ann"))),
				field(sbdh, "DocumentIdentification", "", field(sbdh, "Standard", "EPCglobal")),
			},
		},
		MasterData: []epcis.Vocabulary{{
			Type: "urn:epcglobal:epcis:vtype:Location",
			Elements: []epcis.Element{{
				ID: "urn:epc:id:sgln:0360001.00000.0",
				Attributes: []epcis.Attribute{
					{ID: "urn:epcglobal:cbv:mda#name", Value: "Maker & Sons"},
					{ID: "http://vendor.example/address", Fields: []epcis.Field{address}},
				},
				Children: []string{"urn:epc:id:sgln:0360001.00001.0", "urn:epc:id:sgln:0360001.00002.0"},
			}},
		}},
		HeaderFields: []epcis.Field{field(ushc, "dscsaTransactionStatement", "", field(ushc, "affirmTransactionStatement", "true"))},
		Extensions:   []epcis.Field{trailer},
	}, doc))
}

func TestEverythingNewInADocumentOf20(t *testing.T) {
	t.Parallel()
	doc, events, err := read(strings.NewReader(own(t, "full-2.0.xml")), epcis.Limits{})
	require.NoError(t, err)
	require.Equal(t, epcis.XML20, doc.Format)
	require.Empty(t, doc.Faults)
	require.Empty(t, cmp.Diff([]*epcis.Event{{
		Type: epcis.AssociationEvent, EventTime: utc(t, "2026-03-01T08:00:00+05:30"), Zone: "+05:30",
		EventID: "ni:///sha-256;aa?ver=CBV2.0", Certifications: []string{"https://example.org/certificate/1"},
		Parent: "urn:epc:id:grai:0360001.00001.1", EPCs: []string{"urn:epc:id:giai:0360001.1"},
		Quantities: []epcis.Quantity{{Class: "urn:epc:class:lgtin:0360001.000123.L1"}},
		Action:     epcis.Add, BizStep: "installing", Disposition: "in_progress",
		BizTransactions: []epcis.Reference{{Type: "inv", ID: "urn:epcglobal:cbv:bt:0360001000007:I-1"}},
		Sources:         []epcis.Reference{{Type: "possessing_party", ID: "urn:epc:id:pgln:0360001.00000"}},
		Sensors: []epcis.Sensor{{
			Metadata: []epcis.Field{field("", "time", "2026-03-01T02:30:00Z"), field(vendor, "rack", "3")},
			Reports: [][]epcis.Field{
				{field("", "type", "Temperature"), field("", "value", "26.0"), field("", "uom", "CEL")},
				{field("", "type", "Speed"), field("", "value", "1")},
			},
			Extensions: []epcis.Field{field(vendor, "calibrated", "yes")},
		}},
		Persistent: &epcis.PersistentDisposition{Set: []string{"completeness_verified"}, Unset: []string{"completeness_inferred"}},
		Extensions: []epcis.Field{field(vendor, "inner", "", field("", "deep", "1")), field(vendor, "outer", "2")},
	}}, events))
}

func TestWrappedAndOtherDocuments(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		root   string
		format epcis.Format
		events int
		check  func(t *testing.T, doc *epcis.Document, events []*epcis.Event)
	}{
		"soap-query.xml": {"EPCISQueryDocument", epcis.XML12, 1, func(t *testing.T, doc *epcis.Document, events []*epcis.Event) {
			t.Helper()
			require.Equal(t, &epcis.Query{Name: "SimpleEventQuery", SubscriptionID: "S-1"}, doc.Query)
			require.Empty(t, doc.Faults)
			require.Empty(t, events[0].Faults)
		}},
		"sbd.xml": {"EPCISDocument", epcis.XML12, 1, func(t *testing.T, doc *epcis.Document, events []*epcis.Event) {
			t.Helper()
			require.Equal(t, []epcis.Party{{Authority: "GLN", ID: "0360001000007"}}, doc.Header.Sender)
			require.Equal(t, "D-8", doc.Header.InstanceIdentifier)
			require.Equal(t, []string{epcis.RuleQualified}, rulesOf(events[0].Faults)) // a default namespace
		}},
		"master-data.xml": {"EPCISMasterDataDocument", epcis.XML12, 0, func(t *testing.T, doc *epcis.Document, _ []*epcis.Event) {
			t.Helper()
			require.Equal(t, "201", doc.MasterData[0].Elements[0].Attributes[0].Value)
		}},
		"bare.xml": {"ObjectEvent", epcis.XML20, 1, func(t *testing.T, doc *epcis.Document, events []*epcis.Event) {
			t.Helper()
			require.Equal(t, "2.0", doc.SchemaVersion)
			require.Empty(t, doc.Faults)
			require.Empty(t, events[0].Faults)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, events, err := read(strings.NewReader(own(t, name)), epcis.Limits{})
			require.NoError(t, err)
			require.Equal(t, tt.root, doc.Root)
			require.Equal(t, tt.format, doc.Format)
			require.Len(t, events, tt.events)
			tt.check(t, doc, events)
		})
	}
}

func rulesOf(faults []epcis.Fault) (rules []string) {
	for _, f := range faults {
		rules = append(rules, f.Rule)
	}
	return rules
}
