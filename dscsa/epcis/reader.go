package epcis

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits bound what one document may cost. A zero field means its default.
type Limits struct {
	Bytes      int64 // of the whole document as it comes in; 1 GiB
	Depth      int   // of elements or objects within each other; 100
	Text       int   // bytes of one value, tag or comment; 1 MiB
	Attributes int   // of one element; 100
	Event      int   // bytes of memory one event takes while it is read; 64 MiB
	Header     int   // bytes of memory everything outside the events takes; 64 MiB
}

// withDefaults fills in what is not given.
func (l Limits) withDefaults() Limits {
	l.Bytes = cmp.Or(l.Bytes, 1<<30)
	l.Depth = cmp.Or(l.Depth, 100)
	l.Text = cmp.Or(l.Text, 1<<20)
	l.Attributes = cmp.Or(l.Attributes, 100)
	l.Event = cmp.Or(l.Event, 64<<20)
	l.Header = cmp.Or(l.Header, 64<<20)
	return l
}

// Error says why a document or one of its events is refused.
type Error struct {
	Rule    string // one of the Rule constants
	Where   string // "document", "header", "event 3 action"
	Line    int    // of the text, or of where the event begins; from 1, 0: not known
	Column  int    // in bytes, from 1
	Message string // what to change

	// Resumable: only this event is refused. Next can be called again and
	// gives the one after it.
	Resumable bool

	// Faults are all that was found in a refused event, the reason included.
	Faults []Fault
}

func (e *Error) Error() string {
	var s strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&s, "line %d, column %d: ", e.Line, e.Column)
	}
	if e.Where != "" {
		s.WriteString(e.Where + ": ")
	}
	fmt.Fprintf(&s, "%s (%s)", e.Message, e.Rule)
	return s.String()
}

// eventSource is what each format provides.
type eventSource interface {
	next() (*Event, error)
	recycle(*Event)
	document() *Document
}

// Reader hands on the events of a document one by one.
type Reader struct {
	src eventSource
	err error
}

// NewReader tells the format by the first bytes. The error is an [*Error], or
// wraps what the source says.
func NewReader(r io.Reader, limits Limits) (*Reader, error) {
	limits = limits.withDefaults()
	br, wide, err := sniff(&countingReader{src: r, left: limits.Bytes, limit: limits.Bytes})
	if err != nil {
		return nil, err
	}
	first, err := firstByte(br)
	if err != nil {
		return nil, err
	}
	var src eventSource
	switch first {
	case '<':
		src = newXMLReader(br, limits, wide)
	case '{', '[':
		src, err = newJSONReader(br, limits)
	default:
		err = &Error{Rule: RuleFormat, Where: "document", Message: fmt.Sprintf("begins with %q; an EPCIS document is XML or JSON", first)}
	}
	if err != nil {
		return nil, err
	}
	return &Reader{src: src}, nil
}

// Next gives the next event, [io.EOF] after the last one, an [*Error], or an
// error that wraps what the source says. After an error that is not resumable
// it gives that same error.
func (r *Reader) Next() (*Event, error) {
	if r.err != nil {
		return nil, r.err
	}
	ev, err := r.src.next()
	if err == nil {
		return ev, nil
	}
	var refused *Error
	if !errors.As(err, &refused) || !refused.Resumable {
		r.err = err
	}
	return nil, err
}

// Recycle gives an event back that nobody looks at any more: its memory, but not
// that of its texts, is used for the next one. Who reads a long document event
// by event leaves the garbage collector half the work.
func (r *Reader) Recycle(e *Event) { r.src.recycle(e) }

// spare is the memory of an event that was given back.
type spare struct {
	event *Event
	list  []string
}

func (s *spare) recycle(e *Event) {
	list := e.EPCs[:0]
	*e = Event{}
	s.event, s.list = e, list
}

// take gives the event, nil for none.
func (s *spare) take() *Event {
	e := s.event
	s.event = nil
	return e
}

// takeList gives the list if it has room for n, nil otherwise.
func (s *spare) takeList(n int) []string {
	if cap(s.list) < n || n == 0 {
		return nil
	}
	list := s.list
	s.list = nil
	return list
}

// Document gives what is known of the document around the events so far. It
// is complete when Next has given [io.EOF].
func (r *Reader) Document() *Document { return r.src.document() }

// sniff takes a byte order mark away and turns UTF-16 into UTF-8; wide says
// that it did.
func sniff(r io.Reader) (br *bufio.Reader, wide bool, err error) {
	br = bufio.NewReader(r)
	mark, err := br.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, false, readError(err)
	}
	switch {
	case bytes.HasPrefix(mark, []byte("\xef\xbb\xbf")):
		_, err = br.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")), bytes.HasPrefix(mark, []byte("\xfe\xff")):
		big := mark[0] == 0xfe
		_, err = br.Discard(2)
		return bufio.NewReader(&utf16Reader{src: br, big: big}), true, err
	case bytes.HasPrefix(mark, []byte("<\x00")), bytes.HasPrefix(mark, []byte("\x00<")):
		err = &Error{Rule: RuleEncoding, Where: "document", Message: "is UTF-16 without its byte order mark"}
	default:
		err = nil
	}
	return br, false, err
}

// firstByte looks for the first byte that is not blank without taking anything.
func firstByte(br *bufio.Reader) (byte, error) {
	for n := 1; ; n++ {
		ahead, err := br.Peek(n)
		if len(ahead) < n {
			switch {
			case err == nil || errors.Is(err, io.EOF):
				return 0, &Error{Rule: RuleFormat, Where: "document", Message: "is empty"}
			case errors.Is(err, bufio.ErrBufferFull):
				return 0, &Error{Rule: RuleFormat, Where: "document", Message: "begins with nothing but blanks"}
			}
			return 0, readError(err)
		}
		if c := ahead[n-1]; !isBlank(c) {
			return c, nil
		}
	}
}

// readError leaves an Error as it is and wraps what a source says.
func readError(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return fmt.Errorf("reading the document: %w", err)
}

// countingReader refuses to read more than the limit.
type countingReader struct {
	src         io.Reader
	left, limit int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, &Error{Rule: RuleLimit, Where: "document", Message: fmt.Sprintf("is longer than %d bytes", c.limit)}
	}
	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1] // one byte more tells the end from the limit
	}
	n, err := c.src.Read(p)
	c.left -= int64(n)
	if c.left < 0 {
		return n - 1, nil
	}
	return n, err
}

// utf16Reader turns UTF-16 into UTF-8. A surrogate without its other half is
// refused, not replaced.
type utf16Reader struct {
	src  *bufio.Reader
	big  bool
	rest []byte // UTF-8 that had no room
	buf  [utf8.UTFMax]byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	n := copy(p, u.rest)
	u.rest = u.rest[n:]
	for n < len(p) && len(u.rest) == 0 {
		if n > 0 && u.src.Buffered() < 4 {
			return n, nil // hand on what is there before waiting for more
		}
		r, err := u.rune()
		if err != nil {
			return n, err
		}
		size := utf8.EncodeRune(u.buf[:], r)
		m := copy(p[n:], u.buf[:size])
		n += m
		u.rest = u.buf[m:size]
	}
	return n, nil
}

func (u *utf16Reader) rune() (rune, error) {
	first, err := u.unit()
	if err != nil {
		return 0, err
	}
	switch {
	case first < 0xd800 || first > 0xdfff:
		return first, nil
	case first >= 0xdc00:
		return 0, notUTF16("half a surrogate pair")
	}
	second, err := u.unit()
	if errors.Is(err, io.EOF) || err == nil && (second < 0xdc00 || second > 0xdfff) {
		return 0, notUTF16("half a surrogate pair")
	}
	return 0x10000 + (first-0xd800)<<10 + second - 0xdc00, err
}

func notUTF16(why string) error {
	return &Error{Rule: RuleEncoding, Where: "document", Message: "is not UTF-16: " + why}
}

func (u *utf16Reader) unit() (rune, error) {
	a, err := u.src.ReadByte()
	if err != nil {
		return 0, err
	}
	b, err := u.src.ReadByte()
	if errors.Is(err, io.EOF) {
		return 0, notUTF16("an odd number of bytes")
	}
	if u.big {
		a, b = b, a
	}
	return rune(a) | rune(b)<<8, err
}
