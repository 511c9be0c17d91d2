package dscsabench

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// The parties of generated documents, as GLNs and as they stand in documents.
const (
	maker      = "0377777000015"
	wholesaler = "0860009999107"
	pharmacy   = "0860005678204"

	makerPlace      = "urn:epc:id:sgln:0377777.00001.0"
	wholesalerPlace = "urn:epc:id:sgln:0860009999.10.0"
	pharmacyPlace   = "urn:epc:id:sgln:0860005678.20.0"
)

// began is when the first event of every document happened; checkedAt is after
// all of them and before everything expires.
var (
	began     = time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	checkedAt = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
)

// goods are the packages a manufacturer ships in one document. Ten cases go on
// a pallet: nine of 4 packages and one of 48. A pallet is 24 events that name
// 8.4 things each on average: ten commissionings of packages, one of the cases,
// one of the pallet, eleven packings and a shipment. The last pallet ends with
// the packages. Small cases make all of that events of few things, 4.7 on average.
// Loose goods are in no case: 100 packages an event, and one
// shipment that names them all.
type goods struct {
	units int
	first int // number of the first package, whole pallets, so that documents differ
	loose bool
	small bool // every case holds 4
}

func (g goods) pallet() int {
	if g.small {
		return 10 * 4
	}
	return perPallet
}

const (
	perPallet  = 9*4 + 48
	perPackage = 354 // bytes of the text of a long document
)

// shape says what a document is, for a result.
func (g goods) shape() string {
	if g.loose {
		return fmt.Sprintf("%d packages, each by itself", g.units)
	}
	if g.small {
		return fmt.Sprintf("%d packages in cases of 4, ten cases a pallet", g.units)
	}
	return fmt.Sprintf("%d packages in cases of 4 (nine of ten) and 48, ten cases a pallet", g.units)
}

func unit(n int) string { return fmt.Sprintf("urn:epc:id:sgtin:0377777.012345.%012d", 100000000000+n) }

func box(n int) string { return fmt.Sprintf("urn:epc:id:sgtin:0377777.512345.%08d", n) }

func pallet(n int) string { return fmt.Sprintf("urn:epc:id:sscc:0377777.0%09d", n) }

// outermost are the things that are shipped: the pallets, or all packages.
func (g goods) outermost() []string {
	var out []string
	if g.loose {
		for i := range g.units {
			out = append(out, unit(g.first+i))
		}
		return out
	}
	for i := 0; i < g.units; i += g.pallet() {
		out = append(out, pallet((g.first+i)/g.pallet()))
	}
	return out
}

// A document is the text of a manufacturer's EPCIS 1.2 document in the manner
// of the GS1 US guideline R1.3, made while it is read.
type document struct {
	goods

	buf    bytes.Buffer // not read yet
	done   int          // packages
	events int
	state  int // 0 the header comes next, 1 goods, 2 nothing
}

func (g goods) document() *document { return &document{goods: g} }

// text is the whole document and the number of its events.
func (g goods) text() ([]byte, int) {
	d := g.document()
	raw, err := io.ReadAll(d)
	if err != nil {
		panic(err) // of a buffer: cannot be
	}
	return raw, d.events
}

func (d *document) Read(p []byte) (int, error) {
	for d.buf.Len() == 0 {
		switch {
		case d.state == 0:
			d.state = 1
			fmt.Fprintf(&d.buf, header, d.first)
		case d.state == 1 && d.done < d.units:
			d.more()
		case d.state == 1:
			d.state = 2
			if d.loose {
				d.ship(d.outermost()...)
			}
			d.buf.WriteString("    </EventList>\n  </EPCISBody>\n</epcis:EPCISDocument>\n")
		default:
			return 0, io.EOF
		}
	}
	return d.buf.Read(p)
}

// more writes the next pallet, or the next 100 loose packages.
func (d *document) more() {
	next := func(most int) []string {
		var out []string
		for range min(most, d.units-d.done) {
			out = append(out, unit(d.first+d.done))
			d.done++
		}
		return out
	}
	lot := d.done / (20 * perPallet)
	if d.loose {
		d.make(lot, next(100)...)
		return
	}
	number := (d.first + d.done) / d.pallet()
	var boxes []string
	var inside [][]string
	for i := range 10 {
		size := 4
		if i == 9 && !d.small {
			size = 48
		}
		units := next(size)
		if len(units) == 0 {
			break
		}
		d.make(lot, units...)
		boxes, inside = append(boxes, box(10*number+i)), append(inside, units)
	}
	d.make(lot, boxes...)
	d.make(-1, pallet(number))
	for i, b := range boxes {
		d.pack(b, inside[i]...)
	}
	d.pack(pallet(number), boxes...)
	d.ship(pallet(number))
}

func (d *document) begin(kind string) {
	at := began.Add(time.Duration(d.events) * time.Second).Format(time.RFC3339)
	d.events++
	fmt.Fprintf(&d.buf, "      <%s>\n        <eventTime>%s</eventTime>\n        <recordTime>%s</recordTime>\n        <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>\n", kind, at, at)
}

func (d *document) list(name string, epcs []string) {
	d.buf.WriteString("        <" + name + ">\n")
	for _, e := range epcs {
		d.buf.WriteString("          <epc>" + e + "</epc>\n")
	}
	d.buf.WriteString("        </" + name + ">\n")
}

func (d *document) step(action, step, disposition string) {
	fmt.Fprintf(&d.buf, "        <action>%s</action>\n        <bizStep>urn:epcglobal:cbv:bizstep:%s</bizStep>\n        <disposition>urn:epcglobal:cbv:disp:%s</disposition>\n        <readPoint><id>%s</id></readPoint>\n",
		action, step, disposition, makerPlace)
	if step != "shipping" {
		fmt.Fprintf(&d.buf, "        <bizLocation><id>%s</id></bizLocation>\n", makerPlace)
	}
}

// make commissions things of a lot; lot -1: of none.
func (d *document) make(lot int, epcs ...string) {
	d.begin("ObjectEvent")
	d.list("epcList", epcs)
	d.step("ADD", "commissioning", "active")
	if lot >= 0 {
		fmt.Fprintf(&d.buf, "        <extension>\n          <ilmd>\n            <cbvmda:lotNumber>L%04d</cbvmda:lotNumber>\n            <cbvmda:itemExpirationDate>2028-09-30</cbvmda:itemExpirationDate>\n          </ilmd>\n        </extension>\n", lot)
	}
	d.buf.WriteString("      </ObjectEvent>\n")
}

func (d *document) pack(parent string, epcs ...string) {
	d.begin("AggregationEvent")
	d.buf.WriteString("        <parentID>" + parent + "</parentID>\n")
	d.list("childEPCs", epcs)
	d.step("ADD", "packing", "in_progress")
	d.buf.WriteString("      </AggregationEvent>\n")
}

func (d *document) ship(epcs ...string) {
	d.begin("ObjectEvent")
	d.list("epcList", epcs)
	d.step("OBSERVE", "shipping", "in_transit")
	d.buf.WriteString(sale)
	d.buf.WriteString("      </ObjectEvent>\n")
}

const sale = `        <bizTransactionList>
          <bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epcglobal:cbv:bt:0860009999107:PO-4711</bizTransaction>
          <bizTransaction type="urn:epcglobal:cbv:btt:desadv">urn:epcglobal:cbv:bt:0377777000015:ASN-81</bizTransaction>
        </bizTransactionList>
        <extension>
          <sourceList>
            <source type="urn:epcglobal:cbv:sdt:owning_party">` + makerPlace + `</source>
            <source type="urn:epcglobal:cbv:sdt:location">` + makerPlace + `</source>
          </sourceList>
          <destinationList>
            <destination type="urn:epcglobal:cbv:sdt:owning_party">` + wholesalerPlace + `</destination>
            <destination type="urn:epcglobal:cbv:sdt:location">` + wholesalerPlace + `</destination>
          </destinationList>
        </extension>
        <gs1ushc:dropShipment>false</gs1ushc:dropShipment>
`

const header = `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" schemaVersion="1.2" creationDate="2026-03-20T15:00:00Z">
  <EPCISHeader>
    <sbdh:StandardBusinessDocumentHeader>
      <sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
      <sbdh:Sender><sbdh:Identifier Authority="GS1">` + makerPlace + `</sbdh:Identifier></sbdh:Sender>
      <sbdh:Receiver><sbdh:Identifier Authority="GS1">` + wholesalerPlace + `</sbdh:Identifier></sbdh:Receiver>
      <sbdh:DocumentIdentification>
        <sbdh:Standard>EPCglobal</sbdh:Standard>
        <sbdh:TypeVersion>1.0</sbdh:TypeVersion>
        <sbdh:InstanceIdentifier>ASN-81-%d</sbdh:InstanceIdentifier>
        <sbdh:Type>Events</sbdh:Type>
        <sbdh:CreationDateAndTime>2026-03-20T15:00:00Z</sbdh:CreationDateAndTime>
      </sbdh:DocumentIdentification>
    </sbdh:StandardBusinessDocumentHeader>
    <extension>
      <EPCISMasterData>
        <VocabularyList>
          <Vocabulary type="urn:epcglobal:epcis:vtype:EPCClass">
            <VocabularyElementList>
              <VocabularyElement id="urn:epc:idpat:sgtin:0377777.012345.*">
                <attribute id="urn:epcglobal:cbv:mda#additionalTradeItemIdentification">77777-123-45</attribute>
                <attribute id="urn:epcglobal:cbv:mda#additionalTradeItemIdentificationTypeCode">US_FDA_NDC</attribute>
                <attribute id="urn:epcglobal:cbv:mda#regulatedProductName">NORDABEN</attribute>
                <attribute id="urn:epcglobal:cbv:mda#manufacturerOfTradeItemPartyName">Nordaben Labs</attribute>
                <attribute id="urn:epcglobal:cbv:mda#dosageFormType">TABLET</attribute>
                <attribute id="urn:epcglobal:cbv:mda#strengthDescription">20 mg</attribute>
                <attribute id="urn:epcglobal:cbv:mda#netContentDescription">30 TABLET in 1 BOTTLE</attribute>
              </VocabularyElement>
            </VocabularyElementList>
          </Vocabulary>
          <Vocabulary type="urn:epcglobal:epcis:vtype:Location">
            <VocabularyElementList>
              <VocabularyElement id="` + makerPlace + `">
                <attribute id="urn:epcglobal:cbv:mda#name">Nordaben Labs</attribute>
                <attribute id="urn:epcglobal:cbv:mda#streetAddressOne">4 Fjord Street</attribute>
                <attribute id="urn:epcglobal:cbv:mda#city">Duluth</attribute>
                <attribute id="urn:epcglobal:cbv:mda#state">MN</attribute>
                <attribute id="urn:epcglobal:cbv:mda#postalCode">55802</attribute>
                <attribute id="urn:epcglobal:cbv:mda#countryCode">US</attribute>
              </VocabularyElement>
              <VocabularyElement id="` + wholesalerPlace + `">
                <attribute id="urn:epcglobal:cbv:mda#name">Lakeside Wholesale</attribute>
                <attribute id="urn:epcglobal:cbv:mda#streetAddressOne">81 Harbor Road</attribute>
                <attribute id="urn:epcglobal:cbv:mda#city">Toledo</attribute>
                <attribute id="urn:epcglobal:cbv:mda#state">OH</attribute>
                <attribute id="urn:epcglobal:cbv:mda#postalCode">43604</attribute>
                <attribute id="urn:epcglobal:cbv:mda#countryCode">US</attribute>
              </VocabularyElement>
            </VocabularyElementList>
          </Vocabulary>
        </VocabularyList>
      </EPCISMasterData>
    </extension>
    <gs1ushc:guidelineVersion>GS1 US DSCSA R1.3</gs1ushc:guidelineVersion>
    <gs1ushc:dscsaTransactionStatement>
      <gs1ushc:affirmTransactionStatement>true</gs1ushc:affirmTransactionStatement>
      <gs1ushc:legalNotice>Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G).</gs1ushc:legalNotice>
    </gs1ushc:dscsaTransactionStatement>
  </EPCISHeader>
  <EPCISBody>
    <EventList>
`
