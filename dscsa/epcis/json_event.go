package epcis

import (
	"bytes"
	"strings"
	"time"
)

// isEventMember says whether a member can be one of an event and not of a
// document.
func isEventMember(key []byte) bool {
	return memberOf(key)&^(hasContext|hasType) != 0
}

// eventState is what is known of the event under way besides the event.
type eventState struct {
	has   members
	naive bool    // eventTime has no zone
	names nameSet // of extensions
}

// event reads one event of a list.
func (p *jsonReader) event() *Event {
	var st eventState
	e := p.begin()
	if p.s.peek() != '{' {
		p.wrong("an event")
		p.ev = nil
		return e
	}
	p.s.open('{')
	return p.members(e, &st, true)
}

// A few small events share their memory: who keeps one of them keeps its
// neighbours, so that a large one has no share in that.
const (
	eventsTogether = 8
	textTogether   = 4 << 10
	listsTogether  = 128
	smallEvent     = 4 << 10
)

func (p *jsonReader) begin() *Event {
	if p.used > smallEvent {
		p.room, p.text, p.lists = nil, strings.Builder{}, nil
	}
	if p.ev = p.take(); p.ev == nil {
		if len(p.room) == 0 {
			p.room = make([]Event, eventsTogether)
		}
		p.ev, p.room = &p.room[0], p.room[1:]
	}
	p.used, p.piece, p.own, p.unresolved, p.index = 0, textTogether, nil, false, -1
	return p.ev
}

// bareEvent reads the rest of a document that is an event: its type was just
// read, or key, which only an event has.
func (p *jsonReader) bareEvent(typ string, key []byte) {
	name := string(key) // begin may move it
	p.count = 1
	var st eventState
	e := p.begin()
	if p.context {
		st.has |= hasContext
	}
	e.Extensions, p.doc.Extensions = p.doc.Extensions, nil
	p.unresolved = len(e.Extensions) > 0
	for _, f := range e.Extensions {
		st.names.add(f.Name)
		if f.Name.Space == "" {
			p.refuse(RuleUnknownElement, "the standard has no member %q in an event; a member of one's own needs a prefix", f.Name.Local)
		}
	}
	if typ != "" {
		st.has |= hasType
		e.Type = jsonEventTypes[typ]
	}
	if key != nil {
		p.eventMember(e, &st, []byte(name))
	}
	if e = p.members(e, &st, false); e == nil {
		return
	}
	p.s.finish()
	if p.s.err != nil {
		return
	}
	p.context = p.context || st.has&hasContext != 0
	if p.own != nil {
		p.doc.Namespaces = append(p.doc.Namespaces, p.own.order...)
	}
	p.doc.Root, p.bare = string(e.Type), e
	p.end()
}

// members reads the members of an event up to its end.
func (p *jsonReader) members(e *Event, st *eventState, first bool) *Event {
	for ; p.s.next('}', first); first = false {
		key := p.s.key()
		if p.s.err != nil {
			return nil
		}
		p.eventMember(e, st, key)
		if p.s.err != nil {
			return nil
		}
		p.member = ""
	}
	if p.s.err == nil {
		p.finishEvent(e, st)
	}
	p.ev = nil
	if p.s.err != nil {
		return nil
	}
	return e
}

func (p *jsonReader) eventMember(e *Event, st *eventState, key []byte) {
	m := memberOf(key)
	if m == 0 && string(key) == "id" {
		p.fault(RuleElementName, "id is read as eventID, which is its name in EPCIS")
		m = hasEventID
	}
	if m == 0 {
		p.member = ""
		n := p.name(key)
		if n.Space == "" {
			p.refuse(RuleUnknownElement, "the standard has no member %q in an event; a member of one's own needs a prefix", n.Local)
			p.skipValue()
			return
		}
		if p.once(&st.names, n) {
			p.s.colon()
			e.Extensions = p.field(e.Extensions, n)
		}
		return
	}
	p.member = m.String()
	switch {
	case st.has&m == 0:
	case m == hasEventID:
		// One of GS1's own examples has two. What happened is clear all the
		// same; the last one counts, as most parsers have it.
		p.fault(RuleTwoEventIDs, "eventID comes twice; the last one is taken")
	default:
		p.refuse(RuleRepeated, "the member %q comes twice", p.member)
		p.skipValue()
		return
	}
	st.has |= m
	p.s.colon()
	p.eventValue(e, st, m)
}

func (p *jsonReader) eventValue(e *Event, st *eventState, m members) {
	switch m { //nolint:exhaustive // anyEvent is a set of them
	case hasContext:
		p.ownContext()
	case hasType:
		b := p.bytes()
		switch e.Type = jsonEventTypes[string(b)]; {
		case e.Type != "":
		case bytes.IndexByte(b, ':') > 0:
			p.ownType = string(b)
		default:
			p.refuse(RuleUnknownEvent, "the event type %q; expected ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent", b)
		}
	case hasEventTime:
		var ok, zoned bool
		b := p.bytes()
		if e.EventTime, zoned, ok = parseTime(string(b)); !ok {
			p.refuse(RuleEventTime, "%q is no time; expected 2006-01-02T15:04:05.000Z", b)
		}
		st.naive = !zoned
	case hasRecordTime:
		e.RecordTime = p.time(RuleRecordTime)
	case hasZone:
		b := p.bytes()
		if _, ok := parseOffset(string(b)); !ok && p.s.err == nil {
			p.fault(RuleZone, "%q is no offset; expected +hh:mm or -hh:mm, at most 14:00", b)
		}
		e.Zone = p.again(b, &p.zone)
	case hasEventID:
		e.EventID = p.id()
	case hasError:
		e.Error = p.errorDeclaration()
	case hasCertification:
		if p.s.peek() == '"' {
			e.Certifications = []string{p.str()}
		} else {
			e.Certifications = p.list()
		}
	case hasAction:
		switch b := p.bytes(); string(b) {
		case "ADD":
			e.Action = Add
		case "OBSERVE":
			e.Action = Observe
		case "DELETE":
			e.Action = Delete
		default:
			p.refuse(RuleAction, "%q; expected ADD, OBSERVE or DELETE", b)
		}
	case hasBizStep:
		e.BizStep = p.word(bizSteps, p.refuseWord)
	case hasDisposition:
		e.Disposition = p.word(dispositions, p.refuseWord)
	case hasPersistent:
		e.Persistent = p.persistent()
	case hasReadPoint:
		e.ReadPoint = p.placeValue(&p.places[0])
	case hasBizLocation:
		e.BizLocation = p.placeValue(&p.places[1])
	case hasTransactions:
		e.BizTransactions = p.references("bizTransaction", bizTypes)
	case hasSources:
		e.Sources = p.references("source", partyTypes)
	case hasDestinations:
		e.Destinations = p.references("destination", partyTypes)
	case hasSensors:
		e.Sensors = p.sensors()
	case hasILMD:
		e.ILMD = p.ilmd()
	case hasParent:
		e.Parent = p.id()
	case hasEPCs, hasChildEPCs:
		e.EPCs = p.list()
	case hasQuantities, hasChildQuantities:
		e.Quantities = p.quantityList()
	case hasInputEPCs:
		e.InputEPCs = p.list()
	case hasOutputEPCs:
		e.OutputEPCs = p.list()
	case hasInputQuantities:
		e.InputQuantities = p.quantityList()
	case hasOutputQuantities:
		e.OutputQuantities = p.quantityList()
	case hasTransformation:
		e.TransformationID = p.str()
	}
}

func (p *jsonReader) refuseWord(w string) {
	p.refuse(RuleWord, "%q is neither a word of the Core Business Vocabulary nor a URI", w)
}

func (p *jsonReader) doubtWord(w string) {
	p.fault(RuleWord, "%q is neither a word of the Core Business Vocabulary nor a URI", w)
}

// time takes a time an event means something without.
func (p *jsonReader) time(rule string) time.Time {
	t, zoned, ok := parseTime(string(p.bytes()))
	switch {
	case !ok:
		p.fault(rule, "no date and time; expected 2006-01-02T15:04:05.000Z")
	case !zoned:
		p.fault(rule, "names no time zone; taken as UTC")
	}
	return t
}

// finishEvent checks what only the whole event can tell.
func (p *jsonReader) finishEvent(e *Event, st *eventState) {
	p.member = ""
	if p.unresolved {
		p.resolveEvent(e)
	}
	if st.has&hasType == 0 {
		p.refuse(RuleUnknownEvent, "type is missing; expected ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent")
	}
	if odd := st.has &^ allowed[e.Type]; odd != 0 && e.Type != "" {
		p.refuse(RuleUnknownElement, "%s is no member of %s", odd&-odd, e.Type)
	}
	if st.has&hasEventTime == 0 {
		p.refuse(RuleMissingTime, "eventTime is missing")
	}
	if st.has&hasAction == 0 && e.Type != TransformationEvent {
		p.refuse(RuleMissingAction, "action is missing; expected ADD, OBSERVE or DELETE")
	}
	if st.has&hasZone == 0 {
		p.fault(RuleMissingZone, "eventTimeZoneOffset is missing")
	}
	if st.naive {
		p.fault(RuleTimeWithoutZone, "eventTime names no time zone; that of eventTimeZoneOffset is taken, or UTC")
		if seconds, ok := parseOffset(e.Zone); ok {
			t := e.EventTime
			e.EventTime = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.FixedZone("", seconds))
		}
	}
}

func (p *jsonReader) resolveEvent(e *Event) {
	p.resolve(p.own, e.Extensions)
	p.resolve(p.own, e.ILMD)
	p.resolve(p.own, e.ReadPoint.Extensions)
	p.resolve(p.own, e.BizLocation.Extensions)
	if e.Error != nil {
		p.resolve(p.own, e.Error.Extensions)
	}
	for _, s := range e.Sensors {
		p.resolve(p.own, s.Extensions)
		p.resolve(p.own, s.Metadata)
		for _, r := range s.Reports {
			p.resolve(p.own, r)
		}
	}
}
