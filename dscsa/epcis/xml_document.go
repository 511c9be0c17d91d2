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
	spare
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
		return x.enterBody(in)
	case theEvents, theMoreEvents, theLastEvents:
		return x.enterEvents(in)
	default:
		return nil, x.keepField(&x.doc.Extensions)
	}
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
	default:
		return nil, x.keepField(&x.doc.Extensions)
	}
}

func (x *xmlReader) enterBody(in frame) (*Event, error) {
	e := x.curElement
	_, event := e.eventType()
	switch {
	case event:
		return x.takeEvent(outsideList)
	case e == eventList && in != theQueryResults:
		if x.lists++; x.lists > 1 {
			return nil, x.fail(0, RuleRepeatedBody, "a second EventList")
		}
		return x.inside(theEvents)
	case e == vocabularyList && in != theQueryResults:
		return x.inside(theVocabularies)
	case e == queryResults && in == theBody:
		if x.doc.Query == nil {
			x.doc.Query = &Query{}
		}
		return x.inside(theQueryResults)
	case e == resultsBody && in == theQueryResults:
		return x.inside(theResultsBody)
	case (e == queryName || e == subscriptionID) && in == theQueryResults:
		if err := x.tree(); err != nil {
			return nil, err
		}
		if e == queryName {
			x.doc.Query.Name = x.textOf(&x.nodes[0])
		} else {
			x.doc.Query.SubscriptionID = x.textOf(&x.nodes[0])
		}
		return nil, x.keep()
	case in == theBody && x.doc.Query != nil && (x.cur.local == "Poll" || x.cur.local == "Subscribe"):
		return nil, x.queryRequest()
	case in == theBody && x.doc.Query == nil && e != extension && (x.curSpace == noSpace || x.spaces.epcis[x.curSpace]):
		x.doc.fault(RuleUnknownElement, "document", fmt.Sprintf("EPCISBody has no <%s>; it holds an EventList", clip(x.cur.raw)))
		return nil, x.keepTree(&x.doc.Extensions)
	default:
		return nil, x.keepField(&x.doc.Extensions)
	}
}

// queryRequest keeps a query that is asked, not answered: it has to say which.
func (x *xmlReader) queryRequest() error {
	asks := clip(x.cur.raw)
	if err := x.tree(); err != nil {
		return err
	}
	named := false
	for c := uint32(1); c < x.nodes[0].next; c = x.nodes[c].next {
		named = named || x.nodes[c].element == queryName && x.textOf(&x.nodes[c]) != ""
	}
	if !named {
		x.doc.fault(RuleQueryName, "document", fmt.Sprintf("<%s> names no query; add queryName, as SimpleEventQuery", asks))
	}
	x.fields = nil
	x.doc.Extensions = append(x.doc.Extensions, x.field(0))
	return x.keep()
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
