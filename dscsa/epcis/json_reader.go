package epcis

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// The objects and arrays around the events, outermost first.
const (
	inRoot = iota
	inBody
	inResults     // queryResults
	inResultsBody // resultsBody
	inList        // eventList
	levels
	atEnd
)

// jsonReader reads EPCIS 2.0 JSON-LD: a document, a query document or a bare
// event. It goes from event to event and holds no more than one, unless
// @context stands behind the events: then the document is held up to there.
type jsonReader struct {
	s *scanner
	spare
	doc   Document
	names jsonContext

	level   int
	first   [levels]bool
	seen    [levels]nameSet
	inside  int  // the level the event list is a member of
	late    bool // the head behind the body was read already
	context bool // @context was seen
	bodied  bool // the body was read
	bare    *Event
	count   int // events handed on or under way

	// Of the event under way.
	own        *jsonContext // its own @context
	member     string
	index      int // of the element of member, -1: none
	ev         *Event
	unresolved bool // names with prefixes were seen
	refused    *Error
	ownType    string // its type, when that is not of the standard

	text         strings.Builder // memory for texts, see keep
	piece        int             // how much of it was taken at once last
	room         []Event         // for events to come, see begin
	lists        []string        // for lists to come, see listOf
	used, around int             // memory this event takes; what is around the events
	prefixes     jsonContext     // what own points to
	contextText  string          // what prefixes were read from
	lastNames    [4]lastName
	nextName     int
	zone         string
	places       [2]string // of the read point and the location last kept
	strs         []string
	quantities   []Quantity
	refs         []Reference
	warned       map[string]bool
}

func newJSONReader(r *bufio.Reader, limits Limits) (eventSource, error) {
	p := &jsonReader{s: newScanner(r, limits), index: -1, piece: textTogether, warned: map[string]bool{}}
	p.doc.Format = JSON20
	p.s.place = p.where
	p.s.open('{')
	p.first[inRoot] = true
	p.advance()
	return p, p.s.err
}

func (p *jsonReader) document() *Document { return &p.doc }

// next reads the next event; io.EOF ends the document. What is wrong behind an
// event comes with the call after it.
func (p *jsonReader) next() (*Event, error) {
	var e *Event
	for e == nil {
		switch {
		case p.s.err != nil:
			return nil, p.s.err
		case p.bare != nil:
			e, p.bare = p.bare, nil
		case p.level == inList:
			if e = p.event(); p.ownType != "" {
				e = nil
				p.pass()
			}
		default:
			return nil, io.EOF
		}
	}
	if p.s.err != nil {
		return nil, p.s.err
	}
	refused := p.refused
	p.refused = nil
	p.advance()
	if refused != nil {
		refused.Faults = e.Faults
		return nil, refused
	}
	return e, nil
}

// pass leaves out the event just read, whose type is somebody's own (EPCIS 2.0
// JSON Schema, Extended-Event).
func (p *jsonReader) pass() {
	if p.s.err == nil {
		p.count--
		p.doc.fault(RuleForeignEvent, fmt.Sprintf("after event %d", p.count), fmt.Sprintf("%q is no event of EPCIS; it is not read", clip(p.ownType)))
		p.advance()
	}
	p.ownType, p.refused = "", nil
}

func (p *jsonReader) where() string {
	var b strings.Builder
	switch {
	case p.ev != nil:
		fmt.Fprintf(&b, "event %d", p.count)
	case p.level == inList && p.count > 0:
		fmt.Fprintf(&b, "after event %d", p.count)
	case p.level == inRoot, p.level == atEnd:
		b.WriteString("document")
	default:
		b.WriteString("epcisBody")
	}
	if p.member != "" {
		b.WriteByte(' ')
		b.WriteString(clip(p.member))
		if p.index >= 0 {
			fmt.Fprintf(&b, "[%d]", p.index+1)
		}
	}
	return b.String()
}

// refuse says why the event under way cannot be taken, and carries on reading
// it, so that everything wrong with it is found at once. Outside an event it
// ends the reading.
func (p *jsonReader) refuse(rule, format string, args ...any) {
	if p.s.err != nil {
		return
	}
	if p.ev == nil {
		p.s.fail(rule, format, args...)
		return
	}
	if n := len(p.ev.Faults); n == maxFaults {
		p.ev.Faults = p.ev.Faults[:n-1]
	}
	p.fault(rule, format, args...)
	if p.refused == nil {
		f := p.ev.Faults[len(p.ev.Faults)-1]
		p.refused = &Error{Rule: rule, Where: f.Where, Message: f.Message, Resumable: true}
		p.refused.Line, p.refused.Column = p.s.position(p.s.pos)
	}
}

// fault notes what is wrong and carries on.
func (p *jsonReader) fault(rule, format string, args ...any) {
	if p.s.err != nil {
		return
	}
	f := Fault{Rule: rule, Where: p.where(), Message: message(format, args)}
	to := &p.doc.Faults
	if p.ev != nil {
		to = &p.ev.Faults
	}
	if len(*to) < maxFaults {
		*to = append(*to, f)
	}
}

// enter goes into the object or array that is the value of a member.
func (p *jsonReader) enter(level int, c byte) {
	if p.s.peek() != c {
		if c == '[' {
			p.wrong("an array")
		} else {
			p.wrong("an object")
		}
		return
	}
	p.s.open(c)
	p.level, p.first[level], p.seen[level] = level, true, nameSet{}
}

// advance reads on until an event begins or the document has ended.
func (p *jsonReader) advance() {
	for p.s.err == nil && p.level != atEnd {
		level := p.level
		closes := byte('}')
		if level == inList {
			closes = ']'
		}
		first := p.first[level]
		p.first[level] = false
		if p.s.next(closes, first) {
			if level == inList {
				p.count++
				return
			}
			p.head(level)
			if p.bare != nil {
				return
			}
			continue
		}
		if p.s.err == nil {
			p.close(level)
		}
	}
}

func (p *jsonReader) close(level int) {
	switch level {
	case inRoot:
		p.s.finish()
		p.end()
	case inBody:
		p.level, p.bodied = inRoot, true
		if p.late {
			p.level = atEnd
			p.checkBody()
		}
	case inResults:
		p.level = inBody
	case inResultsBody:
		p.level = inResults
	case inList:
		p.level = p.inside
	}
}
