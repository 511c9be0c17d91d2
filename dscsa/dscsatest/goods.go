package dscsatest

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// The parties of generated documents, as GLNs and as they stand in documents.
const (
	Maker      = "0377777000015"
	Wholesaler = "0860009999107"
	Pharmacy   = "0860005678204"

	MakerPlace      = "urn:epc:id:sgln:0377777.00001.0"
	WholesalerPlace = "urn:epc:id:sgln:0860009999.10.0"
	PharmacyPlace   = "urn:epc:id:sgln:0860005678.20.0"
)

// GoodsMade is when the first event of every document happened; GoodsSeen is after
// all of them and before everything expires.
var (
	GoodsMade = time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC)
	GoodsSeen = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
)

// Goods are the packages a manufacturer ships in one document. Ten cases go on
// a pallet: nine of 4 packages and one of 48. A pallet is 24 events that name
// 8.4 things each on average: ten commissionings of packages, one of the cases,
// one of the pallet, eleven packings and a shipment. The last pallet ends with
// the packages. Small cases make all of that events of few things, 4.7 on average.
// Loose goods are in no case: 100 packages an event, and one shipment that
// names them all.
type Goods struct {
	Units int
	First int // number of the first package, whole pallets, so that documents differ
	Loose bool
	Small bool // every case holds 4
}

func (g Goods) pallet() int {
	if g.Small {
		return 10 * 4
	}
	return PerPallet
}

// How much goods are.
const (
	PerPallet  = 9*4 + 48 // packages
	PerPackage = 354      // bytes of the text of a long document
)

// Shape says what a document is, for a result.
func (g Goods) Shape() string {
	if g.Loose {
		return fmt.Sprintf("%d packages, each by itself", g.Units)
	}
	if g.Small {
		return fmt.Sprintf("%d packages in cases of 4, ten cases a pallet", g.Units)
	}
	return fmt.Sprintf("%d packages in cases of 4 (nine of ten) and 48, ten cases a pallet", g.Units)
}

// Package is the SGTIN of a package by its number.
func Package(n int) string {
	return fmt.Sprintf("urn:epc:id:sgtin:0377777.012345.%012d", 100000000000+n)
}

func box(n int) string { return fmt.Sprintf("urn:epc:id:sgtin:0377777.512345.%08d", n) }

func palletOf(n int) string { return fmt.Sprintf("urn:epc:id:sscc:0377777.0%09d", n) }

// Outermost are the things that are shipped: the pallets, or all packages.
func (g Goods) Outermost() []string {
	var out []string
	if g.Loose {
		for i := range g.Units {
			out = append(out, Package(g.First+i))
		}
		return out
	}
	for i := 0; i < g.Units; i += g.pallet() {
		out = append(out, palletOf((g.First+i)/g.pallet()))
	}
	return out
}

// A GoodsText is the text of a manufacturer's EPCIS 1.2 document in the manner
// of the GS1 US guideline R1.3, made while it is read. The checks find nothing
// in it.
type GoodsText struct {
	Goods

	Events int          // written so far
	buf    bytes.Buffer // not read yet
	done   int          // packages
	state  int          // 0 the header comes next, 1 goods, 2 nothing
}

// Document is the text, to be read.
func (g Goods) Document() *GoodsText { return &GoodsText{Goods: g} }

// Text is the whole document and the number of its events.
func (g Goods) Text() ([]byte, int) {
	d := g.Document()
	raw, err := io.ReadAll(d)
	if err != nil {
		panic(err) // of a buffer: cannot be
	}
	return raw, d.Events
}

// Read is io.Reader.
func (d *GoodsText) Read(p []byte) (int, error) {
	for d.buf.Len() == 0 {
		switch {
		case d.state == 0:
			d.state = 1
			fmt.Fprintf(&d.buf, header, d.First)
		case d.state == 1 && d.done < d.Units:
			d.more()
		case d.state == 1:
			d.state = 2
			if d.Loose {
				d.ship(d.Outermost()...)
			}
			d.buf.WriteString("    </EventList>\n  </EPCISBody>\n</epcis:EPCISDocument>\n")
		default:
			return 0, io.EOF
		}
	}
	return d.buf.Read(p)
}

// more writes the next pallet, or the next 100 loose packages.
func (d *GoodsText) more() {
	next := func(most int) []string {
		var out []string
		for range min(most, d.Units-d.done) {
			out = append(out, Package(d.First+d.done))
			d.done++
		}
		return out
	}
	lot := d.done / (20 * PerPallet)
	if d.Loose {
		d.make(lot, next(100)...)
		return
	}
	number := (d.First + d.done) / d.pallet()
	var boxes []string
	var inside [][]string
	for i := range 10 {
		size := 4
		if i == 9 && !d.Small {
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
	d.make(-1, palletOf(number))
	for i, b := range boxes {
		d.pack(b, inside[i]...)
	}
	d.pack(palletOf(number), boxes...)
	d.ship(palletOf(number))
}

func (d *GoodsText) begin(kind string) {
	at := GoodsMade.Add(time.Duration(d.Events) * time.Second).Format(time.RFC3339)
	d.Events++
	fmt.Fprintf(&d.buf, "      <%s>\n        <eventTime>%s</eventTime>\n        <recordTime>%s</recordTime>\n        <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>\n", kind, at, at)
}

func (d *GoodsText) list(name string, epcs []string) {
	d.buf.WriteString("        <" + name + ">\n")
	for _, e := range epcs {
		d.buf.WriteString("          <epc>" + e + "</epc>\n")
	}
	d.buf.WriteString("        </" + name + ">\n")
}

func (d *GoodsText) step(action, step, disposition string) {
	fmt.Fprintf(&d.buf, "        <action>%s</action>\n        <bizStep>urn:epcglobal:cbv:bizstep:%s</bizStep>\n        <disposition>urn:epcglobal:cbv:disp:%s</disposition>\n        <readPoint><id>%s</id></readPoint>\n",
		action, step, disposition, MakerPlace)
	if step != "shipping" {
		fmt.Fprintf(&d.buf, "        <bizLocation><id>%s</id></bizLocation>\n", MakerPlace)
	}
}

// make commissions things of a lot; lot -1: of none.
func (d *GoodsText) make(lot int, epcs ...string) {
	d.begin("ObjectEvent")
	d.list("epcList", epcs)
	d.step("ADD", "commissioning", "active")
	if lot >= 0 {
		fmt.Fprintf(&d.buf, "        <extension>\n          <ilmd>\n            <cbvmda:lotNumber>L%04d</cbvmda:lotNumber>\n            <cbvmda:itemExpirationDate>2028-09-30</cbvmda:itemExpirationDate>\n          </ilmd>\n        </extension>\n", lot)
	}
	d.buf.WriteString("      </ObjectEvent>\n")
}

func (d *GoodsText) pack(parent string, epcs ...string) {
	d.begin("AggregationEvent")
	d.buf.WriteString("        <parentID>" + parent + "</parentID>\n")
	d.list("childEPCs", epcs)
	d.step("ADD", "packing", "in_progress")
	d.buf.WriteString("      </AggregationEvent>\n")
}

func (d *GoodsText) ship(epcs ...string) {
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
            <source type="urn:epcglobal:cbv:sdt:owning_party">` + MakerPlace + `</source>
            <source type="urn:epcglobal:cbv:sdt:location">` + MakerPlace + `</source>
          </sourceList>
          <destinationList>
            <destination type="urn:epcglobal:cbv:sdt:owning_party">` + WholesalerPlace + `</destination>
            <destination type="urn:epcglobal:cbv:sdt:location">` + WholesalerPlace + `</destination>
          </destinationList>
        </extension>
        <gs1ushc:dropShipment>false</gs1ushc:dropShipment>
`

const header = `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" schemaVersion="1.2" creationDate="2026-03-20T15:00:00Z">
  <EPCISHeader>
    <sbdh:StandardBusinessDocumentHeader>
      <sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
      <sbdh:Sender><sbdh:Identifier Authority="GS1">` + MakerPlace + `</sbdh:Identifier></sbdh:Sender>
      <sbdh:Receiver><sbdh:Identifier Authority="GS1">` + WholesalerPlace + `</sbdh:Identifier></sbdh:Receiver>
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
              <VocabularyElement id="` + MakerPlace + `">
                <attribute id="urn:epcglobal:cbv:mda#name">Nordaben Labs</attribute>
                <attribute id="urn:epcglobal:cbv:mda#streetAddressOne">4 Fjord Street</attribute>
                <attribute id="urn:epcglobal:cbv:mda#city">Duluth</attribute>
                <attribute id="urn:epcglobal:cbv:mda#state">MN</attribute>
                <attribute id="urn:epcglobal:cbv:mda#postalCode">55802</attribute>
                <attribute id="urn:epcglobal:cbv:mda#countryCode">US</attribute>
              </VocabularyElement>
              <VocabularyElement id="` + WholesalerPlace + `">
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
