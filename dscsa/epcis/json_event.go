package epcis

import (
	"math/bits"
	"slices"
	"strings"
	"time"
)

// jsonEventTypes are the event types of EPCIS 2.0.
var jsonEventTypes = map[string]EventType{
	"ObjectEvent": ObjectEvent, "AggregationEvent": AggregationEvent, "TransactionEvent": TransactionEvent,
	"TransformationEvent": TransformationEvent, "AssociationEvent": AssociationEvent,
}

// members is a set of the standard's members of an event.
type members uint32

const (
	hasContext members = 1 << iota
	hasType
	hasEventTime
	hasRecordTime
	hasZone
	hasEventID
	hasError
	hasCertification
	hasAction
	hasBizStep
	hasDisposition
	hasPersistent
	hasReadPoint
	hasBizLocation
	hasTransactions
	hasSources
	hasDestinations
	hasSensors
	hasILMD
	hasParent
	hasEPCs
	hasQuantities
	hasChildEPCs
	hasChildQuantities
	hasInputEPCs
	hasOutputEPCs
	hasInputQuantities
	hasOutputQuantities
	hasTransformation
)

// memberNames are in the order of the bits.
var memberNames = [...]string{
	"@context", "type", "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration",
	"certificationInfo", "action", "bizStep", "disposition", "persistentDisposition", "readPoint",
	"bizLocation", "bizTransactionList", "sourceList", "destinationList", "sensorElementList", "ilmd",
	"parentID", "epcList", "quantityList", "childEPCs", "childQuantityList", "inputEPCList", "outputEPCList",
	"inputQuantityList", "outputQuantityList", "transformationID",
}

func (m members) String() string { return memberNames[bits.TrailingZeros32(uint32(m))] }

// memberOf is the member of a name, 0 when the standard has none.
func memberOf(key []byte) members {
	switch string(key) {
	case "@context":
		return hasContext
	case "type":
		return hasType
	case "eventTime":
		return hasEventTime
	case "recordTime":
		return hasRecordTime
	case "eventTimeZoneOffset":
		return hasZone
	case "eventID":
		return hasEventID
	case "errorDeclaration":
		return hasError
	case "certificationInfo":
		return hasCertification
	case "action":
		return hasAction
	case "bizStep":
		return hasBizStep
	case "disposition":
		return hasDisposition
	case "persistentDisposition":
		return hasPersistent
	case "readPoint":
		return hasReadPoint
	case "bizLocation":
		return hasBizLocation
	case "bizTransactionList":
		return hasTransactions
	case "sourceList":
		return hasSources
	case "destinationList":
		return hasDestinations
	case "sensorElementList":
		return hasSensors
	case "ilmd":
		return hasILMD
	case "parentID":
		return hasParent
	case "epcList":
		return hasEPCs
	case "quantityList":
		return hasQuantities
	case "childEPCs":
		return hasChildEPCs
	case "childQuantityList":
		return hasChildQuantities
	case "inputEPCList":
		return hasInputEPCs
	case "outputEPCList":
		return hasOutputEPCs
	case "inputQuantityList":
		return hasInputQuantities
	case "outputQuantityList":
		return hasOutputQuantities
	case "transformationID":
		return hasTransformation
	}
	return 0
}

// anyEvent are the members every event type has; allowed are those of each
// type (EPCIS 2.0 section 7.4; persistentDisposition is one of all since the
// XSD says so).
const anyEvent = hasContext | hasType | hasEventTime | hasRecordTime | hasZone | hasEventID | hasError |
	hasCertification | hasBizStep | hasDisposition | hasPersistent | hasReadPoint | hasBizLocation | hasTransactions |
	hasSources | hasDestinations | hasSensors

var allowed = map[EventType]members{
	ObjectEvent:      anyEvent | hasAction | hasEPCs | hasQuantities | hasILMD,
	AggregationEvent: anyEvent | hasAction | hasParent | hasChildEPCs | hasChildQuantities,
	AssociationEvent: anyEvent | hasAction | hasParent | hasChildEPCs | hasChildQuantities,
	TransactionEvent: anyEvent | hasAction | hasParent | hasEPCs | hasQuantities,
	TransformationEvent: anyEvent | hasInputEPCs | hasOutputEPCs | hasInputQuantities | hasOutputQuantities |
		hasTransformation | hasILMD,
}

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
	e, st := p.begin()
	if p.s.peek() != '{' {
		p.wrong("an event")
		p.ev = nil
		return e
	}
	p.s.open('{')
	return p.members(e, &st, true)
}

func (p *jsonReader) begin() (*Event, eventState) {
	p.arena = strings.Builder{}
	p.arena.Grow(max(p.hint, 128))
	p.used, p.texts, p.own, p.unresolved, p.index = 0, 0, nil, false, -1
	p.ev = &Event{}
	return p.ev, eventState{}
}

// bareEvent reads the rest of a document that is an event: its type was just
// read, or key, which only an event has.
func (p *jsonReader) bareEvent(typ string, key []byte) {
	name := string(key) // begin may move it
	p.count = 1
	e, st := p.begin()
	if p.context {
		st.has |= hasContext
	}
	e.Extensions, p.doc.Extensions = p.doc.Extensions, nil
	p.unresolved = len(e.Extensions) > 0
	for _, f := range e.Extensions {
		st.names.add(f.Name)
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
	p.ev, p.hint = nil, p.texts+p.texts/8
	if p.s.err != nil {
		return nil
	}
	return e
}

func (p *jsonReader) eventMember(e *Event, st *eventState, key []byte) {
	m := memberOf(key)
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
	switch m {
	case hasContext:
		p.own = &jsonContext{}
		p.readContext(p.own)
	case hasType:
		b := p.bytes()
		if e.Type = jsonEventTypes[string(b)]; e.Type == "" {
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
		e.Zone = p.keep(b)
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
		e.ReadPoint = p.placeValue()
	case hasBizLocation:
		e.BizLocation = p.placeValue()
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

// placeValue takes a read point or business location.
func (p *jsonReader) placeValue() Place {
	var pl Place
	p.parts(func(name string) bool {
		if name == "id" {
			p.s.colon()
			pl.ID = p.id()
			return true
		}
		return false
	}, &pl.Extensions)
	if pl.ID == "" {
		p.fault(RulePlaceID, "names no place")
	}
	return pl
}

// parts reads an object of the standard that may have members of one's own:
// known takes those of the standard and says which it took, the others go to
// extensions. extensions nil: there may be none.
func (p *jsonReader) parts(known func(name string) bool, extensions *[]Field) {
	s := p.s
	if s.peek() != '{' {
		p.wrong("an object")
		return
	}
	s.open('{')
	var seen nameSet
	for first := true; s.err == nil && s.next('}', first); first = false {
		n := p.name(s.key())
		if !p.once(&seen, n) {
			continue
		}
		switch {
		case n.Space != "" && extensions != nil:
			s.colon()
			*extensions = p.field(*extensions, n)
		case n.Space == "" && known(n.Local):
		default:
			p.refuse(RuleUnknownElement, "the standard has no member %q here", n.Local)
			p.skipValue()
		}
	}
}

func (p *jsonReader) ilmd() []Field {
	var fields []Field
	p.parts(func(string) bool { return false }, &fields)
	return fields
}

func (p *jsonReader) persistent() *PersistentDisposition {
	d := &PersistentDisposition{}
	list := func() []string {
		var words []string
		p.array(func() { words = append(words, p.word(dispositions, p.refuseWord)) })
		return words
	}
	p.parts(func(name string) bool {
		switch name {
		case "set":
			p.s.colon()
			d.Set = list()
		case "unset":
			p.s.colon()
			d.Unset = list()
		default:
			return false
		}
		return true
	}, nil)
	return d
}

func (p *jsonReader) errorDeclaration() *ErrorDeclaration {
	d := &ErrorDeclaration{}
	p.parts(func(name string) bool {
		switch name {
		case "declarationTime":
			p.s.colon()
			d.At = p.time(RuleDeclarationTime)
		case "reason":
			p.s.colon()
			d.Reason = p.word(errorReasons, p.doubtWord)
		case "correctiveEventIDs":
			p.s.colon()
			d.CorrectiveIDs = p.list()
		default:
			return false
		}
		return true
	}, &d.Extensions)
	if d.At.IsZero() {
		p.fault(RuleDeclarationTime, "declarationTime is missing")
	}
	return d
}

// references takes a list of business transactions, sources or destinations.
func (p *jsonReader) references(what string, types vocabulary) []Reference {
	s := p.s
	p.refs = p.refs[:0]
	p.array(func() {
		if s.peek() != '{' {
			p.wrong("an object")
			return
		}
		var r Reference
		var hasType, hasID bool
		s.open('{')
		for first := true; s.err == nil && s.next('}', first); first = false {
			switch key := s.key(); {
			case string(key) == "type" && !hasType:
				hasType = true
				s.colon()
				r.Type = p.word(types, p.doubtWord)
			case string(key) == what && !hasID:
				hasID = true
				s.colon()
				r.ID = p.id()
			default:
				p.oddMember(key, "type", what)
			}
		}
		if !hasID {
			p.fault(RuleEmptyID, "%s is missing", what)
		}
		p.charge(2 * textCost)
		if r.ID != "" {
			p.refs = append(p.refs, r)
		}
	})
	if len(p.refs) == 0 {
		return nil
	}
	return slices.Clone(p.refs)
}

// oddMember refuses a member of an object that may have none but known.
func (p *jsonReader) oddMember(key []byte, known ...string) {
	if slices.Contains(known, string(key)) {
		p.refuse(RuleRepeated, "the member %q comes twice", key)
	} else {
		p.refuse(RuleUnknownElement, "the standard has no member %q here", key)
	}
	p.skipValue()
}

func (p *jsonReader) quantityList() []Quantity {
	s := p.s
	p.quantities = p.quantities[:0]
	p.array(func() {
		if s.peek() != '{' {
			p.wrong("an object")
			return
		}
		var q Quantity
		var hasClass, hasAmount, hasUOM bool
		s.open('{')
		for first := true; s.err == nil && s.next('}', first); first = false {
			switch key := s.key(); {
			case string(key) == "epcClass" && !hasClass:
				hasClass = true
				s.colon()
				q.Class = p.id()
			case string(key) == "quantity" && !hasAmount:
				hasAmount = true
				s.colon()
				q.Amount = p.number()
			case string(key) == "uom" && !hasUOM:
				hasUOM = true
				s.colon()
				q.UOM = p.str()
			default:
				p.oddMember(key, "epcClass", "quantity", "uom")
			}
		}
		if !hasClass {
			p.refuse(RuleMissingClass, "epcClass is missing")
		}
		p.charge(3 * textCost)
		p.quantities = append(p.quantities, q)
	})
	if len(p.quantities) == 0 {
		return nil
	}
	return slices.Clone(p.quantities)
}

// number takes a number as it is written.
func (p *jsonReader) number() string {
	if c := p.s.peek(); c != '-' && (c < '0' || c > '9') {
		if p.s.err == nil && c == '"' {
			p.refuse(RuleNumber, "text where a number is expected")
			p.s.skip()
		} else {
			p.wrong("a number")
		}
		return ""
	}
	return p.keep(p.s.number())
}
