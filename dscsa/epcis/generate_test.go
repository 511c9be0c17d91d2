package epcis_test

import (
	"fmt"
	"io"
	"strings"
)

const (
	documentBegin = `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" xmlns:cbvmda="urn:epcglobal:cbv:mda" xmlns:gs1ushc="http://epcis.gs1us.org/hc/ns" xmlns:sbdh="http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader" schemaVersion="1.2" creationDate="2026-03-01T08:00:00Z">
  <EPCISHeader>
    <sbdh:StandardBusinessDocumentHeader>
      <sbdh:HeaderVersion>1.0</sbdh:HeaderVersion>
      <sbdh:Sender><sbdh:Identifier Authority="GS1">urn:epc:id:sgln:0360001.00000.0</sbdh:Identifier></sbdh:Sender>
      <sbdh:Receiver><sbdh:Identifier Authority="GS1">urn:epc:id:sgln:0370002.00000.0</sbdh:Identifier></sbdh:Receiver>
      <sbdh:DocumentIdentification>
        <sbdh:Standard>EPCglobal</sbdh:Standard>
        <sbdh:TypeVersion>1.0</sbdh:TypeVersion>
        <sbdh:InstanceIdentifier>D-1</sbdh:InstanceIdentifier>
        <sbdh:Type>Events</sbdh:Type>
        <sbdh:CreationDateAndTime>2026-03-01T08:00:00Z</sbdh:CreationDateAndTime>
      </sbdh:DocumentIdentification>
    </sbdh:StandardBusinessDocumentHeader>
    <gs1ushc:dscsaTransactionStatement>
      <gs1ushc:affirmTransactionStatement>true</gs1ushc:affirmTransactionStatement>
    </gs1ushc:dscsaTransactionStatement>
  </EPCISHeader>
  <EPCISBody>
    <EventList>
`
	documentEnd = `    </EventList>
  </EPCISBody>
</epcis:EPCISDocument>
`
)

// eventText is event n of a chain as wholesalers send it: four bottles are
// commissioned, packed and shipped, over and over.
func eventText(n int) string {
	const where = `        <readPoint><id>urn:epc:id:sgln:0360001.00001.0</id></readPoint>
        <bizLocation><id>urn:epc:id:sgln:0360001.00001.0</id></bizLocation>
`
	var epcs strings.Builder
	for i := range 4 {
		fmt.Fprintf(&epcs, "          <epc>urn:epc:id:sgtin:0360001.000123.%012d</epc>\n", n/3*4+i)
	}
	at := fmt.Sprintf(`        <eventTime>2026-03-01T08:%02d:%02d.125Z</eventTime>
        <eventTimeZoneOffset>-05:00</eventTimeZoneOffset>
`, n/60%60, n%60)
	pallet := fmt.Sprintf("urn:epc:id:sscc:0360001.1%09d", n/3)
	switch n % 3 {
	case 0:
		return "      <ObjectEvent>\n" + at + "        <epcList>\n" + epcs.String() + `        </epcList>
        <action>ADD</action>
        <bizStep>urn:epcglobal:cbv:bizstep:commissioning</bizStep>
        <disposition>urn:epcglobal:cbv:disp:active</disposition>
` + where + `        <extension>
          <ilmd>
            <cbvmda:lotNumber>L2603A</cbvmda:lotNumber>
            <cbvmda:itemExpirationDate>2028-02-29</cbvmda:itemExpirationDate>
          </ilmd>
        </extension>
      </ObjectEvent>
`
	case 1:
		return "      <AggregationEvent>\n" + at + "        <parentID>" + pallet + "</parentID>\n        <childEPCs>\n" + epcs.String() + `        </childEPCs>
        <action>ADD</action>
        <bizStep>urn:epcglobal:cbv:bizstep:packing</bizStep>
        <disposition>urn:epcglobal:cbv:disp:in_progress</disposition>
` + where + "      </AggregationEvent>\n"
	}
	return "      <ObjectEvent>\n" + at + "        <epcList>\n          <epc>" + pallet + `</epc>
        </epcList>
        <action>OBSERVE</action>
        <bizStep>urn:epcglobal:cbv:bizstep:shipping</bizStep>
        <disposition>urn:epcglobal:cbv:disp:in_transit</disposition>
        <readPoint><id>urn:epc:id:sgln:0360001.00001.0</id></readPoint>
        <bizTransactionList>
          <bizTransaction type="urn:epcglobal:cbv:btt:po">urn:epcglobal:cbv:bt:0370002000004:PO-1</bizTransaction>
          <bizTransaction type="urn:epcglobal:cbv:btt:desadv">urn:epcglobal:cbv:bt:0360001000007:D-1</bizTransaction>
        </bizTransactionList>
        <extension>
          <sourceList>
            <source type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0360001.00000.0</source>
          </sourceList>
          <destinationList>
            <destination type="urn:epcglobal:cbv:sdt:owning_party">urn:epc:id:sgln:0370002.00000.0</destination>
          </destinationList>
        </extension>
        <gs1ushc:dropShipment>false</gs1ushc:dropShipment>
      </ObjectEvent>
`
}

// generated is a document of n events, made as it is read.
type generated struct {
	n, next int
	rest    string
	began   bool
	ended   bool
	size    int64
}

func (g *generated) Read(p []byte) (int, error) {
	for g.rest == "" {
		switch {
		case !g.began:
			g.rest, g.began = documentBegin, true
		case g.next < g.n:
			g.rest = eventText(g.next)
			g.next++
		case !g.ended:
			g.rest, g.ended = documentEnd, true
		default:
			return 0, io.EOF
		}
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	g.size += int64(n)
	return n, nil
}
