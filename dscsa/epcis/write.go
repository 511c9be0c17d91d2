package epcis

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

// Rules a [Writer] reports in an [Error].
const (
	// RuleUnwritable: the format has no place for what the event or the
	// document says, or what it requires is not there.
	RuleUnwritable = "unwritable"
)

// Writer writes a document event by event. The same document and events give
// the same bytes. Reading them gives the same events: what a format cannot
// hold is an error and never left out. The envelope is another matter: JSON
// has no Standard Business Document Header and keeps of it the sender, the
// receiver and the instance identifier; the 2.0 formats have the fields of
// EPCISHeader beside the body; only JSON has an ID of the document.
type Writer struct {
	out    *bufio.Writer
	enc    encoder
	buf    []byte
	events int
	err    error // of out: the document is broken off
	closed bool
}

// encoder appends the parts of a document in one format.
type encoder interface {
	head(b []byte) ([]byte, error)
	event(b []byte, e *Event, number int) ([]byte, error)
	tail(b []byte) []byte
}

var errClosed = errors.New("epcis: the document is closed")

// NewWriter begins a document of format f. Of doc it takes everything but
// Format and Faults; with Root "EPCISQueryDocument" it is the results of a
// query, else an EPCISDocument. The schema version is that of f unless doc
// came in the same format. An [*Error] says what f cannot hold; nothing is
// written then.
func NewWriter(w io.Writer, f Format, doc *Document) (*Writer, error) {
	if doc.CreationDate.IsZero() {
		return nil, &Error{Rule: RuleUnwritable, Where: "document", Message: "has no creation date"}
	}
	wr := &Writer{out: bufio.NewWriterSize(w, 32<<10)}
	switch f {
	case XML12, XML20:
		wr.enc = newXMLWriter(f, doc)
	case JSON20:
		wr.enc = newJSONWriter(doc)
	default:
		return nil, &Error{Rule: RuleFormat, Where: "document", Message: fmt.Sprintf("no format %q; use %s, %s or %s", f, XML12, XML20, JSON20)}
	}
	b, err := wr.enc.head(nil)
	if err != nil {
		return nil, err
	}
	wr.put(b)
	return wr, wr.err
}

// Write appends an event. After an [*Error] nothing of the event is written
// and the next one can be; after any other error the document is broken off.
func (w *Writer) Write(e *Event) error {
	switch {
	case w.err != nil:
		return w.err
	case w.closed:
		return errClosed
	}
	b, err := w.enc.event(w.buf[:0], e, w.events+1)
	if err != nil {
		return err
	}
	w.buf = b
	w.events++
	w.put(b)
	return w.err
}

// Close ends the document. It does not close what is written to.
func (w *Writer) Close() error {
	if w.closed || w.err != nil {
		return w.err
	}
	w.closed = true
	w.put(w.enc.tail(w.buf[:0]))
	if err := w.out.Flush(); err != nil && w.err == nil {
		w.err = fmt.Errorf("writing the document: %w", err)
	}
	return w.err
}

func (w *Writer) put(b []byte) {
	if _, err := w.out.Write(b); err != nil && w.err == nil {
		w.err = fmt.Errorf("writing the document: %w", err)
	}
}

// output is what the encoders have in common: the text so far, and the first
// thing that could not be written.
type output struct {
	b     []byte
	names prefixes
	where string
	err   *Error
}

func (o *output) fail(format string, args ...any) {
	if o.err == nil {
		o.err = &Error{Rule: RuleUnwritable, Where: o.where, Message: message(format, args)}
	}
}

// result is b and the error, which is nil when there is none.
func (o *output) result() ([]byte, error) {
	if o.err != nil {
		return nil, o.err
	}
	return o.b, nil
}

func (o *output) raw(s string) { o.b = append(o.b, s...) }

// time writes a time as EPCIS has it, to the nanosecond.
func (o *output) time(t time.Time) {
	if y := t.Year(); y < 1 || y > 9999 {
		o.fail("the year %d", y)
	}
	o.b = sayable(t).AppendFormat(o.b, "2006-01-02T15:04:05.999999999Z07:00")
}

// sayable is t in a zone that can be written: whole minutes, at most 14 hours.
// Others are no zones of today and become UTC.
func sayable(t time.Time) time.Time {
	if _, seconds := t.Zone(); seconds%60 != 0 || max(seconds, -seconds) > 14*3600 {
		return t.UTC()
	}
	return t
}

// legible refuses characters that may not stand in a document.
func (o *output) legible(s string) {
	for i := 0; i < len(s); {
		if c := s[i]; c >= 0x20 && c < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !Writable(r) {
			if o.err == nil {
				o.err = &Error{Rule: RuleCharacter, Where: o.where, Message: fmt.Sprintf("%q has a character no document may have", clip(s))}
			}
			return
		}
		i += n
	}
}

// zone is the eventTimeZoneOffset to write. An event that came without one
// gets that of its eventTime, because every format requires one.
func zone(e *Event) string {
	if e.Zone != "" {
		return e.Zone
	}
	return sayable(e.EventTime).Format("-07:00")
}

// check refuses an event that no format could hold.
func (o *output) check(e *Event) {
	has := hasOf(e)
	may, ok := allowed[e.Type]
	switch {
	case !ok:
		o.fail("the event type %q", e.Type)
	case e.EventTime.IsZero():
		o.fail("eventTime is missing")
	case has&^may != 0:
		o.fail("%s is no member of %s", (has&^may)&-(has&^may), e.Type)
	case may&hasAction != 0 && e.Action == "":
		o.fail("action is missing")
	case may&hasAction != 0 && !slices.Contains([]Action{Add, Observe, Delete}, e.Action):
		o.fail("the action %q", e.Action)
	case e.Error != nil && e.Error.At.IsZero():
		o.fail("errorDeclaration has no declarationTime")
	}
}

// hasOf are the members an event has, of those not every event may have.
func hasOf(e *Event) members {
	var has members
	set := func(m members, there bool) {
		if there {
			has |= m
		}
	}
	lists, quantities := hasEPCs, hasQuantities
	if e.Type == AggregationEvent || e.Type == AssociationEvent {
		lists, quantities = hasChildEPCs, hasChildQuantities
	}
	set(hasAction, e.Action != "")
	set(lists, len(e.EPCs) > 0)
	set(quantities, len(e.Quantities) > 0)
	set(hasParent, e.Parent != "")
	set(hasInputEPCs, len(e.InputEPCs) > 0)
	set(hasOutputEPCs, len(e.OutputEPCs) > 0)
	set(hasInputQuantities, len(e.InputQuantities) > 0)
	set(hasOutputQuantities, len(e.OutputQuantities) > 0)
	set(hasTransformation, e.TransformationID != "")
	set(hasILMD, len(e.ILMD) > 0)
	return has
}

func isQuery(doc *Document) bool { return doc.Root == "EPCISQueryDocument" || doc.Query != nil }

func schemaVersion(f Format, doc *Document) string {
	switch {
	case doc.Format == f && doc.SchemaVersion != "":
		return doc.SchemaVersion
	case f == XML12:
		return "1.2"
	}
	return "2.0"
}
