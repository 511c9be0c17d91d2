package epcis

import (
	"fmt"
	"strings"
)

const (
	soap11URI = "http://schemas.xmlsoap.org/soap/envelope/"
	soap12URI = "http://www.w3.org/2003/05/soap-envelope"
	sbdhURI   = "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader"
)

// enterWrapped looks for the document, at the top or within a wrapper.
func (x *xmlReader) enterWrapped(in frame) (*Event, error) {
	uri, local := x.spaces.uris[x.curSpace], x.cur.local
	soap := uri == soap11URI || uri == soap12URI
	_, event := x.curElement.eventType()
	switch {
	case x.doc.Root != "":
		return nil, x.fail(0, RuleRepeatedBody, fmt.Sprintf("a second document, <%s>; send one at a time", clip(x.cur.raw)))
	case event:
		x.begin()
		return x.takeEvent(0)
	case x.curElement == epcisDocument, x.curElement == epcisQueryDocument, x.curElement == epcisMasterDataDocument:
		x.begin()
		x.expectDates()
		return x.inside(theDocument)
	case x.curElement == queryResults:
		x.begin()
		return x.inside(theQueryResults)
	case x.curElement == epcisCaptureJob:
		x.begin()
		return x.inside(theCaptureJob)
	case soap && local == "Fault":
		return nil, x.fail(0, RuleRoot, "is a SOAP fault, not a document")
	case uri == sbdhURI && local == "StandardBusinessDocumentHeader":
		return nil, x.businessHeader()
	case soap && local == "Header":
		return nil, x.tree() // is about the transport
	case in == wrapper, soap && local == "Envelope", uri == sbdhURI && local == "StandardBusinessDocument":
		return x.inside(wrapper)
	case elements[local] == epcisDocument, elements[local] == epcisQueryDocument:
		return nil, x.fail(0, RuleRoot, fmt.Sprintf("%s of the namespace %q; known are urn:epcglobal:epcis:xsd:1 and urn:epcglobal:epcis:xsd:2", local, clip(uri)))
	}
	return nil, x.fail(0, RuleRoot, fmt.Sprintf("<%s> is no EPCIS document; send an EPCISDocument", clip(x.cur.raw)))
}

// begin takes what the document element says.
func (x *xmlReader) begin() {
	d := &x.doc
	d.Root = x.cur.local
	x.version = epcisVersion(x.spaces.uris[x.curSpace])
	for _, a := range x.attrs {
		value := strings.TrimSpace(string(x.pool[a.value.at : a.value.at+a.value.n]))
		switch uri := x.spaces.uris[a.space]; {
		case uri == instanceURI || uri == xmlURI:
		case a.space == noSpace && a.name.local == "schemaVersion":
			d.SchemaVersion = value
		case a.space == noSpace && a.name.local == "creationDate":
			var ok bool
			if d.CreationDate, _, ok = parseTime(value); !ok {
				d.fault(RuleCreationDate, "document", fmt.Sprintf("creationDate %q is no date and time", clip(value)))
			}
		case a.space == noSpace && x.curElement == epcisCaptureJob:
			d.Extensions = append(d.Extensions, Field{Name: Name{Local: a.name.local}, Value: value})
		default:
			d.fault(RuleAttribute, "document", fmt.Sprintf("the attribute %s is not known and dropped", clip(a.name.raw)))
		}
	}
	if x.version == 0 {
		x.guessVersion()
	}
	d.Format = XML20
	if x.version == 1 {
		d.Format = XML12
	}
	if x.curElement == epcisQueryDocument || x.curElement == queryResults {
		d.Query = &Query{}
	}
}

// guessVersion is for a document element without a namespace: a bare event has
// none, and only its declarations or its schemaVersion may tell.
func (x *xmlReader) guessVersion() {
	d := &x.doc
	if _, event := x.curElement.eventType(); !event {
		d.fault(RuleNoNamespace, "document", fmt.Sprintf("<%s> has no namespace; add urn:epcglobal:epcis:xsd:1 or :2", clip(x.cur.raw)))
	}
	for _, ns := range x.spaces.declared {
		x.version = max(x.version, epcisVersion(ns.URI))
	}
	if x.version == 0 && d.SchemaVersion != "" {
		x.version = 2
		if strings.HasPrefix(d.SchemaVersion, "1") {
			x.version = 1
		}
	}
}

// expectDates checks what every document has to say about itself (EPCIS 1.2
// section 9.3, 2.0 section 9.3).
func (x *xmlReader) expectDates() {
	d := &x.doc
	switch major, _, _ := strings.Cut(d.SchemaVersion, "."); {
	case d.SchemaVersion == "":
		d.fault(RuleSchemaVersion, "document", "schemaVersion is missing")
	case x.version != 0 && major != fmt.Sprint(x.version):
		d.fault(RuleSchemaVersion, "document", fmt.Sprintf("schemaVersion %q does not belong to the namespace, which is of EPCIS %d", clip(d.SchemaVersion), x.version))
	}
	for _, a := range x.attrs {
		if a.space == noSpace && a.name.local == "creationDate" {
			return
		}
	}
	d.fault(RuleCreationDate, "document", "creationDate is missing")
}
