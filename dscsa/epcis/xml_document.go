package epcis

import (
	"fmt"
	"io"
	"strings"
)

// xmlReader reads EPCIS in XML. It goes through the frame of a document tag by
// tag, and takes each event, and each small element of the header, as a tree.
type xmlReader struct {
	window
	limits Limits
	wide   bool // came as UTF-16

	names  nameTable
	spaces spaces

	// What token has read.
	opens       []open
	selfClosing bool // the end of an empty element is still to be given
	ended       bool // the document element
	doctypes    int
	cur         *name
	curSpace    space
	curElement  element
	attrs       []attribute
	attrsAt     int    // of pool: the values of attrs
	tagSize     int    // bytes of the start tag
	run         int    // of pool: the text since the last tag
	pool        []byte // values of the tree that is being read

	// What tree has read.
	nodes     []node
	nodeAttrs []attribute
	path      []uint32
	value     string
	fields    []Field

	// Where in the document it is.
	doc      Document
	frames   []frame
	begun    bool // the XML declaration is behind
	version  int  // of EPCIS: 1, 2, or 0 when an event alone does not tell
	bodies   int
	lists    int
	kept     int // bytes kept for good
	events   int
	decoding decoding
}

// frame is what the frame of a document is made of.
type frame uint8

const (
	outside         frame = iota
	wrapper               // a SOAP envelope, a StandardBusinessDocument, or what is within one
	theDocument           // EPCISDocument and its like
	theHeader             // EPCISHeader and its extensions
	theMasterData         // EPCISMasterData
	theVocabularies       // VocabularyList
	theVocabulary
	theVocabularyElements
	theBody
	theQueryResults
	theResultsBody
	theEvents     // EventList
	theMoreEvents // extension of EventList
	theLastEvents // extension of that
	theCaptureJob // an EPCISCaptureJob, which holds no events
)

func newXMLReader(src io.Reader, limits Limits, wide bool) *xmlReader {
	return &xmlReader{window: newWindow(src, limits.Text), limits: limits, wide: wide, spaces: newSpaces()}
}

func (x *xmlReader) document() *Document {
	x.doc.Namespaces = x.spaces.declared
	return &x.doc
}

func (x *xmlReader) next() (*Event, error) {
	if !x.begun {
		if err := x.prolog(); err != nil {
			return nil, err
		}
		x.begun = true
	}
	for {
		x.pool = x.pool[:0]
		t, err := x.token()
		if err != nil {
			return nil, err
		}
		switch t {
		case endOfDocument:
			return nil, x.finish()
		case endTag:
			x.stray(len(x.pool))
			x.frames = x.frames[:len(x.frames)-1]
		case startTag:
			x.stray(x.attrsAt)
			ev, err := x.enter()
			if ev != nil || err != nil {
				return ev, err
			}
		}
	}
}

// stray notes text between the elements of the frame.
func (x *xmlReader) stray(end int) {
	if x.run < end && !x.blank(end) && x.in() != wrapper {
		x.doc.fault(RuleText, "document", "there is text where only elements may be")
	}
}

func (x *xmlReader) in() frame {
	if len(x.frames) == 0 {
		return outside
	}
	return x.frames[len(x.frames)-1]
}

// inside enters a frame.
func (x *xmlReader) inside(f frame) (*Event, error) {
	x.frames = append(x.frames, f)
	return nil, nil
}

// enter acts on a start tag of the frame.
func (x *xmlReader) enter() (*Event, error) {
	switch in := x.in(); in {
	case outside, wrapper:
		return x.enterWrapped(in)
	case theDocument:
		return x.enterDocument()
	case theHeader, theMasterData, theVocabularies, theVocabulary, theVocabularyElements:
		return nil, x.enterHeader(in)
	case theBody, theQueryResults, theResultsBody:
		return nil, x.enterBody(in)
	case theEvents, theMoreEvents, theLastEvents:
		return x.enterEvents(in)
	default:
		return nil, x.keepField(&x.doc.Extensions)
	}
}

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

func (x *xmlReader) enterDocument() (*Event, error) {
	switch x.curElement {
	case epcisHeader:
		if x.bodies > 0 {
			x.doc.fault(RuleOrder, "header", "EPCISHeader comes after EPCISBody")
		}
		return x.inside(theHeader)
	case epcisBody:
		if x.bodies++; x.bodies > 1 {
			return nil, x.fail(0, RuleRepeatedBody, "a second EPCISBody")
		}
		return x.inside(theBody)
	case extension:
		return nil, x.keepFields(&x.doc.Extensions)
	}
	return nil, x.keepField(&x.doc.Extensions)
}

func (x *xmlReader) enterBody(in frame) error {
	e := x.curElement
	switch {
	case e == eventList && in != theQueryResults:
		if x.lists++; x.lists > 1 {
			return x.fail(0, RuleRepeatedBody, "a second EventList")
		}
		x.frames = append(x.frames, theEvents)
	case e == vocabularyList && in != theQueryResults:
		x.frames = append(x.frames, theVocabularies)
	case e == queryResults && in == theBody:
		if x.doc.Query == nil {
			x.doc.Query = &Query{}
		}
		x.frames = append(x.frames, theQueryResults)
	case e == resultsBody && in == theQueryResults:
		x.frames = append(x.frames, theResultsBody)
	case (e == queryName || e == subscriptionID) && in == theQueryResults:
		if err := x.tree(); err != nil {
			return err
		}
		if e == queryName {
			x.doc.Query.Name = x.textOf(&x.nodes[0])
		} else {
			x.doc.Query.SubscriptionID = x.textOf(&x.nodes[0])
		}
		return x.keep()
	default:
		return x.keepField(&x.doc.Extensions)
	}
	return nil
}

func (x *xmlReader) enterEvents(in frame) (*Event, error) {
	level := int(in - theEvents)
	_, event := x.curElement.eventType()
	switch {
	case event:
		return x.takeEvent(level)
	case x.curElement == extension && in != theLastEvents:
		return x.inside(in + 1)
	case x.curSpace != noSpace && !x.spaces.epcis[x.curSpace]:
		x.doc.fault(RuleForeignEvent, fmt.Sprintf("after event %d", x.events), fmt.Sprintf("<%s> is no event of EPCIS; kept with the document", clip(x.cur.raw)))
		return nil, x.keepField(&x.doc.Extensions)
	}
	x.events++
	line, column := x.tagPosition()
	refused := &Error{
		Rule: RuleUnknownEvent, Where: fmt.Sprintf("event %d", x.events), Line: line, Column: column,
		Message: fmt.Sprintf("<%s> is no event of EPCIS", clip(x.cur.raw)), Resumable: true,
	}
	refused.Faults = []Fault{{refused.Rule, refused.Where, refused.Message}}
	if err := x.tree(); err != nil {
		return nil, err
	}
	return nil, refused
}

// keepField keeps the element just entered as it is.
func (x *xmlReader) keepField(to *[]Field) error {
	if x.curSpace == noSpace && x.in() != theCaptureJob && x.doc.Query == nil {
		x.doc.fault(RuleHeaderElement, "document", fmt.Sprintf("<%s> is not known there; kept", clip(x.cur.raw)))
	}
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	*to = append(*to, x.field(0))
	return x.keep()
}

// keepFields keeps what is within the element just entered.
func (x *xmlReader) keepFields(to *[]Field) error {
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	for c := uint32(1); c < x.nodes[0].next; c = x.nodes[c].next {
		*to = append(*to, x.field(c))
	}
	return x.keep()
}

// keep counts the tree just read as kept for good.
func (x *xmlReader) keep() error {
	const perNode = 4 * nodeSize // a Field takes that much more than a node
	if x.kept += len(x.value) + perNode*(len(x.nodes)+len(x.nodeAttrs)); x.kept > x.limits.Header {
		return x.fail(0, RuleLimit, fmt.Sprintf("what is not an event takes more than %d bytes", x.limits.Header))
	}
	return nil
}

// finish checks that there was a document at all.
func (x *xmlReader) finish() error {
	switch {
	case x.doc.Root == "":
		return x.fail(x.v-x.r, RuleRoot, "no EPCIS document is in it")
	case x.bodies == 0 && strings.HasSuffix(x.doc.Root, "Document"):
		return x.fail(x.v-x.r, RuleBody, "EPCISBody is missing")
	}
	return io.EOF
}

// maxFaults are kept of a document outside its events; a thousand times the
// same tells no more.
const maxFaults = 100

func (d *Document) fault(rule, where, message string) {
	if len(d.Faults) < maxFaults {
		d.Faults = append(d.Faults, Fault{rule, where, message})
	}
}
