package epcis

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// decoding is what is known of the event that is being made of a tree.
type decoding struct {
	ev         *Event
	kind       element
	seen       uint32 // bits by element
	last       uint8  // place in eventOrder of the last element
	foreign    bool   // an element of another namespace was seen
	zoned      bool   // eventTime has an offset
	extensions []Field
	once       uint8 // faults that are noted once per event
	faults     []Fault
	refused    int // faults[:refused] has the first that refuses the event
}

// Faults that would otherwise be noted for each element.
const (
	orderNoted uint8 = 1 << iota
	qualifiedNoted
)

// outsideList is the level of an event that is in no EventList.
const outsideList = -1

// takeEvent reads the event whose start tag has just been read and which is in
// level extensions of the EventList.
func (x *xmlReader) takeEvent(level int) (*Event, error) {
	x.events++
	line, column := x.tagPosition()
	if err := x.tree(); err != nil {
		return nil, x.during(err)
	}
	ev := x.decode(level)
	d := &x.decoding
	if d.refused == 0 {
		ev.Faults = append([]Fault(nil), d.faults...)
		return ev, nil
	}
	first := d.faults[d.refused-1]
	return nil, &Error{
		Rule: first.Rule, Where: first.Where, Message: first.Message, Line: line, Column: column,
		Resumable: true, Faults: slices.Clone(d.faults),
	}
}

// tagPosition is where the start tag just read begins.
func (x *xmlReader) tagPosition() (line, column int) {
	line, column = x.position(-x.tagSize)
	x.settle()
	return line, column
}

// during names the event within which a document broke off.
func (x *xmlReader) during(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // made here
		e.Where = fmt.Sprintf("event %d", x.events)
	}
	return err
}

// fault notes something about the event that does not stop it.
func (x *xmlReader) fault(rule, where, message string) {
	if len(x.decoding.faults) < maxFaults {
		at := fmt.Sprintf("event %d", x.events)
		if where != "" {
			at += " " + where
		}
		x.decoding.faults = append(x.decoding.faults, Fault{rule, at, message})
	}
}

// refuse notes why the event cannot be taken.
func (x *xmlReader) refuse(rule, where, message string) {
	d := &x.decoding
	if len(d.faults) == maxFaults {
		d.faults = d.faults[:maxFaults-1]
	}
	x.fault(rule, where, message)
	if d.refused == 0 {
		d.refused = len(d.faults)
	}
}

// decode makes an Event of the tree just read.
func (x *xmlReader) decode(level int) *Event {
	root := &x.nodes[0]
	ev := x.take()
	if ev == nil {
		ev = &Event{}
	}
	ev.Type, _ = root.element.eventType()
	clear(x.decoding.extensions)
	x.decoding = decoding{
		ev: ev, kind: root.element,
		extensions: x.decoding.extensions[:0], faults: x.decoding.faults[:0],
	}
	x.fields = nil
	x.checkEvent(root, level)
	x.eventFields(0, 0, 0)
	ev.Extensions = append([]Field(nil), x.decoding.extensions...)
	x.checkTimes()
	if ev.Action == "" && !x.has(action) && root.element != transformationEvent && root.element != quantityEvent {
		x.refuse(RuleMissingAction, "", string(ev.Type)+" has no action; add ADD, OBSERVE or DELETE")
	}
	return ev
}

func (x *xmlReader) has(e element) bool { return x.decoding.seen&(1<<e) != 0 }

// checkEvent looks at the event's own element and where it is.
func (x *xmlReader) checkEvent(root *node, level int) {
	if x.isQualified(root) {
		x.noteQualified(root)
	}
	if len(x.frames) > 0 { // a bare event has the attributes of a document
		x.checkAttributes(root, "")
	}
	due := 0
	if x.version == 1 {
		switch root.element {
		case transformationEvent:
			due = 1
		case associationEvent:
			due = 2
		default:
		}
	}
	if level == outsideList {
		x.fault(RuleNesting, "", root.name.local+" belongs into an EventList")
	} else if level != due && x.version != 0 {
		x.fault(RuleNesting, "", fmt.Sprintf("%s is in %d extensions of the EventList; in EPCIS %d it is in %d", root.name.local, level, x.version, due))
	}
	if root.element == quantityEvent && x.version == 2 {
		x.fault(RuleDeprecated, "", "EPCIS 2.0 has no QuantityEvent; use an ObjectEvent with a quantityList")
	}
}

// isQualified: an element of EPCIS with a prefix, or under a default namespace.
func (x *xmlReader) isQualified(n *node) bool { return n.space != noSpace && x.spaces.epcis[n.space] }

func (x *xmlReader) noteQualified(n *node) {
	if x.decoding.once&qualifiedNoted == 0 {
		x.decoding.once |= qualifiedNoted
		x.fault(RuleQualified, clip(n.name.local), fmt.Sprintf("<%s>: the elements of EPCIS within the document element have no namespace", clip(n.name.raw)))
	}
}

// eventFields takes what is within the event, or within one of its extensions:
// level many of the event's own, or base many of its baseExtension.
func (x *xmlReader) eventFields(at uint32, level, base int) {
	d := &x.decoding
	parent := &x.nodes[at]
	x.noText(parent)
	order := &eventOrder[d.kind-objectEvent]
	for c := at + 1; c < parent.next; c = x.nodes[c].next {
		n := &x.nodes[c]
		e := n.element
		if n.space != noSpace {
			if !x.spaces.epcis[n.space] {
				d.extensions = append(d.extensions, x.field(c))
				d.foreign = d.foreign || base == 0
				continue
			}
			x.noteQualified(n)
		}
		switch {
		case e == extension && base > 0:
			x.eventFields(c, level, base+1)
		case e == extension:
			x.eventFields(c, level+1, 0)
		case e == baseExtension && level == 0 && base == 0:
			x.eventFields(c, 0, 1)
		case e == unknown || e > extension || order[e] == 0:
			x.unknownField(c, level, base)
		default:
			if d.seen&(1<<e) != 0 && e != certificationInfo {
				x.refuse(RuleRepeated, n.name.local, fmt.Sprintf("%s is there twice", n.name.local))
			}
			d.seen |= 1 << e
			x.checkPlace(n, order[e], level, base)
			x.eventField(c)
		}
	}
}

// unknownField keeps an unknown element where the schema of 1.2 leaves room for
// later versions (the innermost extension), and refuses it elsewhere.
func (x *xmlReader) unknownField(c uint32, level, base int) {
	n := &x.nodes[c]
	open := level > 1 || base > 1
	if k := x.decoding.kind; level == 1 && (k == transformationEvent || k == quantityEvent || k == associationEvent) {
		open = true
	}
	if n.space == noSpace && n.element == unknown && open && x.version == 1 {
		x.fault(RuleUnknownExtension, clip(n.name.local), "is not known; kept as an extension")
		x.decoding.extensions = append(x.decoding.extensions, x.field(c))
		return
	}
	x.refuse(RuleUnknownElement, clip(n.name.local), fmt.Sprintf("%s has no <%s>; give extensions a namespace of their own", x.decoding.ev.Type, clip(n.name.local)))
}

// checkPlace looks at where among the others, and in which extension, an
// element of the event is.
func (x *xmlReader) checkPlace(n *node, place uint8, level, base int) {
	d := &x.decoding
	due := 0
	switch {
	case x.version == 1 && d.kind == associationEvent:
		return // 1.2 has no such event, and so no order
	case x.version == 1:
		due = nested(d.kind, n.element)
	}
	if x.version == 1 && (n.element == sensorElementList || n.element == persistentDisposition) {
		place += uint8(extension) // in the innermost extension, behind ilmd
	}
	if (place < d.last || d.foreign) && d.once&orderNoted == 0 {
		d.once |= orderNoted
		x.fault(RuleOrder, n.name.local, fmt.Sprintf("%s comes later than the schema wants it", n.name.local))
	}
	d.last = place
	// Only what baseExtension is for may be in it.
	inBase := x.version == 1 && (n.element == eventID || n.element == errorDeclaration || n.element == certificationInfo)
	if x.version != 0 && (level+base != due || (base > 0) != inBase) {
		x.fault(RuleNesting, n.name.local, fmt.Sprintf("%s is in %d extensions; in EPCIS %d it is in %d", n.name.local, level+base, x.version, due))
	}
}

// eventField takes one element of the event.
func (x *xmlReader) eventField(c uint32) {
	ev, n := x.decoding.ev, &x.nodes[c]
	switch n.element {
	case eventTime:
		var ok bool
		text := x.leaf(c)
		if ev.EventTime, x.decoding.zoned, ok = parseTime(text); !ok || ev.EventTime.IsZero() { // the zero Time is none
			x.refuse(RuleEventTime, "eventTime", fmt.Sprintf("%q is no date and time; write it as 2024-01-15T08:00:00-05:00", clip(text)))
		}
	case recordTime:
		var ok bool
		text := x.leaf(c)
		if ev.RecordTime, _, ok = parseTime(text); !ok {
			x.fault(RuleRecordTime, "recordTime", fmt.Sprintf("%q is no date and time", clip(text)))
		}
	case eventTimeZoneOffset:
		ev.Zone = x.leaf(c)
	case eventID:
		ev.EventID = x.leaf(c)
	case errorDeclaration:
		x.errorDeclaration(c)
	case certificationInfo:
		ev.Certifications = append(ev.Certifications, x.leaf(c))
	case epcList, childEPCs:
		ev.EPCs = x.identifiers(c, epc)
	case inputEPCList:
		ev.InputEPCs = x.identifiers(c, epc)
	case outputEPCList:
		ev.OutputEPCs = x.identifiers(c, epc)
	case quantityList, childQuantityList:
		ev.Quantities = x.quantities(c)
	case inputQuantityList:
		ev.InputQuantities = x.quantities(c)
	case outputQuantityList:
		ev.OutputQuantities = x.quantities(c)
	case epcClass, quantity: // of a QuantityEvent
		x.quantityOfEvent(c)
	case transformationID:
		ev.TransformationID = x.leaf(c)
	case parentID:
		ev.Parent = x.leaf(c)
	case action:
		ev.Action = x.action(x.leaf(c))
	case bizStep:
		ev.BizStep = x.word(bizSteps, n, x.leaf(c))
	case disposition:
		ev.Disposition = x.word(dispositions, n, x.leaf(c))
	case readPoint:
		ev.ReadPoint = x.place(c)
	case bizLocation:
		ev.BizLocation = x.place(c)
	case bizTransactionList:
		ev.BizTransactions = x.references(c, bizTransaction, bizTypes)
	case sourceList:
		ev.Sources = x.references(c, source, partyTypes)
	case destinationList:
		ev.Destinations = x.references(c, destination, partyTypes)
	case sensorElementList:
		x.sensors(c)
	case persistentDisposition:
		x.persistent(c)
	case ilmd:
		ev.ILMD = x.extensionsWithin(nil, c, 0)
	default:
	}
}

func (x *xmlReader) action(s string) Action {
	switch a := Action(s); a {
	case Add, Observe, Delete:
		return a
	}
	x.refuse(RuleAction, "action", fmt.Sprintf("%q is no action; write ADD, OBSERVE or DELETE", clip(s)))
	return ""
}

// word gives the bare word of a vocabulary.
func (x *xmlReader) word(v vocabulary, n *node, s string) string {
	w := v.word(s)
	if w == s && s != "" && !strings.Contains(s, ":") {
		x.fault(RuleVocabularyForm, n.name.local, fmt.Sprintf("%q is no URI; write %s%s", clip(s), v.urn, clip(s)))
	}
	return w
}

// checkTimes settles eventTime and eventTimeZoneOffset, which need each other.
func (x *xmlReader) checkTimes() {
	ev := x.decoding.ev
	seconds, ok := parseOffset(ev.Zone)
	switch {
	case !x.has(eventTimeZoneOffset):
		x.fault(RuleMissingZone, "", "eventTimeZoneOffset is missing")
	case !ok:
		x.fault(RuleZone, "eventTimeZoneOffset", fmt.Sprintf("%q is no offset; write it as -05:00", clip(ev.Zone)))
	}
	switch {
	case !x.has(eventTime):
		x.refuse(RuleMissingTime, "", "eventTime is missing")
	case ev.EventTime.IsZero() || x.decoding.zoned:
	case ok:
		ev.EventTime = ev.EventTime.Add(-time.Duration(seconds) * time.Second).In(time.FixedZone("", seconds))
		x.fault(RuleTimeWithoutZone, "eventTime", "names no offset; eventTimeZoneOffset is taken for it")
	default:
		x.refuse(RuleEventTime, "eventTime", "names no offset, and no other place does")
	}
}
