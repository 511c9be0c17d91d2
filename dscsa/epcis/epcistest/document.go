package epcistest

import (
	"time"

	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Document generates what stands around the events: master data, a business
// header, a transaction statement, or the results of a query.
func Document(f epcis.Format) *rapid.Generator[*epcis.Document] {
	return rapid.Custom(func(t *rapid.T) *epcis.Document {
		g := generator{xml: f != epcis.JSON20, xml2: f == epcis.XML20, json: f == epcis.JSON20}
		d := &epcis.Document{
			Format: f, Root: "EPCISDocument", SchemaVersion: "2.0", CreationDate: instant(t),
			Namespaces: []epcis.Namespace{{Prefix: "gs1ushc", URI: "http://epcis.gs1us.org/hc/ns"}, {Prefix: "ex", URI: spaces[0]}},
		}
		if f == epcis.XML12 {
			d.SchemaVersion = "1.2"
		}
		if rapid.IntRange(0, 2).Draw(t, "query") == 0 {
			d.Root, d.Query = "EPCISQueryDocument", &epcis.Query{Name: "SimpleEventQuery"}
			if rapid.Bool().Draw(t, "subscribed") {
				d.Query.SubscriptionID = "daily"
			}
		}
		switch {
		case f == epcis.JSON20 && d.Query != nil:
		case f == epcis.JSON20:
			d.ID = "https://example.com/document/" + serial(t)
			d.Header = &epcis.BusinessHeader{
				Sender: []epcis.Party{{ID: location(t)}}, Receiver: []epcis.Party{{ID: location(t)}}, InstanceIdentifier: serial(t),
			}
		default:
			d.Header = Header(location(t), location(t), serial(t), instant(t))
		}
		if f == epcis.XML12 {
			d.HeaderFields = Statement()
		}
		if d.Query == nil || f != epcis.JSON20 {
			d.MasterData = masterData(t)
		}
		d.Extensions = g.fields(t, "document", 2)
		return d
	})
}

// Header is the business header of a DSCSA document in the shape of the GS1 US
// guideline R1.3: parties are SGLNs under the authority GS1.
func Header(sender, receiver, instance string, at time.Time) *epcis.BusinessHeader {
	return &epcis.BusinessHeader{
		Sender: []epcis.Party{{Authority: "GS1", ID: sender}}, Receiver: []epcis.Party{{Authority: "GS1", ID: receiver}},
		InstanceIdentifier: instance, CreatedAt: at,
	}
}

// Statement is the DSCSA transaction statement and the guideline's version, as
// fields of EPCISHeader (GS1 US guideline R1.3).
func Statement() []epcis.Field {
	name := func(local string) epcis.Name { return epcis.Name{Space: "http://epcis.gs1us.org/hc/ns", Local: local} }
	return []epcis.Field{
		{Name: name("guidelineVersion"), Value: "GS1 US DSCSA R1.3"},
		{Name: name("dscsaTransactionStatement"), Children: []epcis.Field{
			{Name: name("affirmTransactionStatement"), Value: "true"},
			{Name: name("legalNotice"), Value: "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."},
		}},
	}
}

func masterData(t *rapid.T) []epcis.Vocabulary {
	return list(t, "vocabularies", 0, func() epcis.Vocabulary {
		return epcis.Vocabulary{
			Type: "urn:epcglobal:epcis:vtype:EPCClass",
			Elements: list(t, "elements", 1, func() epcis.Element {
				return epcis.Element{
					ID: "urn:epc:idpat:sgtin:0369999.012345.*",
					Attributes: list(t, "attributes", 0, func() epcis.Attribute {
						return epcis.Attribute{ID: "urn:epcglobal:cbv:mda#regulatedProductName", Value: text(t)}
					}),
					Children: list(t, "children", 0, func() string { return location(t) }),
				}
			}),
		}
	})
}
