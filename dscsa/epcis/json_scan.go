package epcis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// scanWindow is how much of a document the scanner holds, unless one token or the
// search for a late @context needs more.
const scanWindow = 64 << 10

// lateContext is how far behind the events an @context is looked for. The
// order of members means nothing in JSON, but names can be resolved only once
// the context is known, and what comes before it has to be held until then.
const lateContext = 32 << 20

// scanner takes JSON (RFC 8259) apart. It is strict: UTF-8 only, no name twice
// in an object, no character XML could not hold, bounded depth, strings and
// size. The first failure sticks; after it every method returns nothing, so
// that callers look at err once an object and not once a token.
type scanner struct {
	r      io.Reader
	limits Limits
	buf    []byte
	pos    int // next byte to look at
	end    int // end of what was read into buf
	mark   int // buf from here on is kept, -1: only from pos on
	base   int64
	eof    bool
	depth  int
	place  func() string // where we are, for people
	text   []byte        // the string last taken, when it had to be rewritten
	err    error

	lines     int   // before buf
	lineStart int64 // where the line that buf begins in began
}

func newScanner(r io.Reader, limits Limits) *scanner {
	return &scanner{r: r, limits: limits, buf: make([]byte, scanWindow), mark: -1}
}

func (s *scanner) fail(rule, format string, args ...any) {
	if s.err != nil {
		return
	}
	line, column := s.position(s.pos)
	s.stop(&Error{Rule: rule, Where: s.place(), Line: line, Column: column, Message: message(format, args)})
}

// message is what a person is told, with no more of the document than helps.
func message(format string, args []any) string {
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = clip(a)
		case []byte:
			args[i] = clip(string(a[:min(len(a), 100)]))
		}
	}
	return fmt.Sprintf(format, args...)
}

func (s *scanner) stop(err error) {
	s.err = err
	s.pos, s.end, s.eof = 0, 0, true
}

func (s *scanner) syntax(format string, args ...any) { s.fail(RuleSyntax, format, args...) }

func (s *scanner) truncated(where string) {
	s.fail(RuleTruncated, "the document ends %s", where)
}

// position is the line and column of a place in buf.
func (s *scanner) position(pos int) (line, column int) {
	before := s.buf[:pos]
	start := s.lineStart
	if i := bytes.LastIndexByte(before, '\n'); i >= 0 {
		start = s.base + int64(i) + 1
	}
	return s.lines + bytes.Count(before, newline) + 1, int(s.base+int64(pos)-start) + 1
}

var newline = []byte{'\n'}

// forget drops the first n bytes of buf by moving the rest to where.
func (s *scanner) forget(n int, where []byte) {
	gone := s.buf[:n]
	if lines := bytes.Count(gone, newline); lines > 0 {
		s.lines += lines
		s.lineStart = s.base + int64(bytes.LastIndexByte(gone, '\n')) + 1
	}
	copy(where, s.buf[n:s.end])
	s.buf = where
	s.pos, s.end, s.base = s.pos-n, s.end-n, s.base+int64(n)
	if s.mark >= 0 {
		s.mark = 0
	}
}

// fill reads on behind end and keeps what begins at pos (or mark). It says
// whether there is more.
func (s *scanner) fill() bool {
	if s.eof {
		return false
	}
	keep := s.pos
	if s.mark >= 0 {
		keep = s.mark
	}
	switch {
	case keep > 0 && keep >= s.end-keep: // cheap, and makes room
		s.forget(keep, s.buf)
	case s.end == len(s.buf):
		if s.mark >= 0 && s.end-keep >= lateContext {
			s.fail(RuleLimit, "no @context in the first %d MiB behind the start of the events; put @context before epcisBody", lateContext>>20)
			return false
		}
		s.forget(keep, make([]byte, 2*len(s.buf)))
	}
	for range 100 {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		switch {
		case errors.Is(err, io.EOF):
			s.eof = true
			return n > 0
		case err != nil:
			s.stop(readError(err))
			return false
		case n > 0:
			return true
		}
	}
	s.stop(readError(io.ErrNoProgress))
	return false
}

// peek is the next byte that is not blank, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < s.end && s.buf[s.pos] > ' ' {
		return s.buf[s.pos]
	}
	return s.skipBlanks()
}

func (s *scanner) skipBlanks() byte {
	for {
		for s.pos < s.end {
			switch c := s.buf[s.pos]; c {
			case ' ', '\n', '\r', '\t':
				s.pos++
			case 0:
				s.syntax("a NUL byte")
				return 0
			default:
				return c
			}
		}
		if !s.fill() {
			return 0
		}
	}
}

// take consumes c, which must be next.
func (s *scanner) take(c byte) {
	if s.peek() == c {
		s.pos++
		return
	}
	s.unexpected(fmt.Sprintf("%q", c))
}

func (s *scanner) unexpected(wanted string) {
	if s.err != nil {
		return
	}
	c := s.peek()
	if c == 0 {
		s.truncated("where " + wanted + " is expected")
		return
	}
	s.syntax("%q where %s is expected", c, wanted)
}

// open enters an object or array.
func (s *scanner) open(c byte) {
	s.take(c)
	if s.depth++; s.depth > s.limits.Depth {
		s.fail(RuleLimit, "nested deeper than %d", s.limits.Depth)
	}
}

// next says whether the object or array that closes with c goes on, and
// consumes the comma or the end. first: nothing of it was read yet.
func (s *scanner) next(c byte, first bool) bool {
	switch got := s.peek(); {
	case got == c:
		s.pos++
		s.depth--
		return false
	case first:
		return s.err == nil
	case got == ',':
		s.pos++
		if s.peek() == c {
			s.syntax("a comma before %q", c)
		}
		return s.err == nil
	default:
		s.unexpected(fmt.Sprintf("',' or %q", c))
		return false
	}
}

// key takes a member's name. The colon behind it is taken by colon, after the
// name was looked at: it may have to read on.
func (s *scanner) key() []byte { return s.string("a member name") }

func (s *scanner) colon() { s.take(':') }

// ahead says whether text comes next, as far as that is known without reading
// on.
func (s *scanner) ahead(text string) bool {
	return s.end-s.pos >= len(text) && string(s.buf[s.pos:s.pos+len(text)]) == text
}

// number takes a number and returns it as it is written.
func (s *scanner) number() []byte {
	n := 0
	for {
		for s.pos+n < s.end && numeric(s.buf[s.pos+n]) {
			n++
		}
		if n > s.limits.Text {
			s.tooLong()
			return nil
		}
		if s.pos+n < s.end || !s.fill() {
			break
		}
	}
	if s.err != nil {
		return nil
	}
	text := s.buf[s.pos : s.pos+n]
	if !isNumber(text) {
		s.syntax("%q, which is no number", text)
		return nil
	}
	s.pos += n
	return text
}

func numeric(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

// isNumber is the grammar of RFC 8259 section 6.
func isNumber[T string | []byte](t T) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(t) && t[i] >= '0' && t[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(t) && t[i] == '-' {
		i++
	}
	zero := i < len(t) && t[i] == '0'
	from := i
	if !digits() || zero && i > from+1 {
		return false
	}
	if i < len(t) && t[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(t) && (t[i] == 'e' || t[i] == 'E') {
		i++
		if i < len(t) && (t[i] == '+' || t[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(t)
}

// word takes true, false or null.
func (s *scanner) word(w string) {
	if !s.have(len(w)) || string(s.buf[s.pos:s.pos+len(w)]) != w {
		s.syntax("a word that is not true, false or null")
		return
	}
	s.pos += len(w)
}

// skip goes over one value, checking its form and nothing else.
func (s *scanner) skip() {
	switch c := s.peek(); c {
	case '{':
		s.open(c)
		for first := true; s.err == nil && s.next('}', first); first = false {
			s.key()
			s.colon()
			s.skip()
		}
	case '[':
		s.open(c)
		for first := true; s.err == nil && s.next(']', first); first = false {
			s.skip()
		}
	case '"':
		s.string("a string")
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			s.number()
			return
		}
		s.unexpected("a value")
	}
}

// finish makes sure that nothing follows the document.
func (s *scanner) finish() {
	if s.err == nil && s.peek() != 0 {
		s.syntax("something behind the end of the document")
	}
}
