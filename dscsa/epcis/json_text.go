package epcis

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// plain are the bytes a string is made of that stand for themselves.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x80; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// odd is 0 when all eight bytes are plain; else its lowest set bit is in the
// first byte that is not.
func odd(v uint64) uint64 {
	quote, slash := v^(ones*'"'), v^(ones*'\\')
	return ((v - ones*0x20) | v | (quote-ones) & ^quote | (slash-ones) & ^slash) & highs
}

// string takes a string and returns what it says; the bytes are good until
// the next call.
func (s *scanner) string(what string) []byte {
	if s.peek() != '"' {
		s.unexpected(what)
		return nil
	}
	s.pos++
	i := s.pos
	for {
		for s.end-i >= 8 {
			if o := odd(binary.LittleEndian.Uint64(s.buf[i:])); o != 0 {
				i += bits.TrailingZeros64(o) / 8
				break
			}
			i += 8
		}
		for i < s.end && plain[s.buf[i]] {
			i++
		}
		if i < s.end {
			if s.buf[i] != '"' {
				return s.rewritten(i - s.pos)
			}
			text := s.buf[s.pos:i]
			if len(text) > s.limits.Text {
				s.tooLong()
				return nil
			}
			s.pos = i + 1
			return text
		}
		n := i - s.pos
		if n > s.limits.Text {
			s.tooLong()
			return nil
		}
		if !s.fill() {
			s.truncated("inside a string")
			return nil
		}
		i = s.pos + n
	}
}

func (s *scanner) tooLong() { s.fail(RuleLimit, "a string longer than %d bytes", s.limits.Text) }

// rewritten takes the rest of a string that has escapes or characters beyond
// ASCII in it; its first n bytes are plain.
func (s *scanner) rewritten(n int) []byte {
	s.text = append(s.text[:0], s.buf[s.pos:s.pos+n]...)
	s.pos += n
	for {
		if len(s.text) > s.limits.Text {
			s.tooLong()
			return nil
		}
		if s.pos == s.end && !s.fill() {
			s.truncated("inside a string")
			return nil
		}
		switch c := s.buf[s.pos]; {
		case c == '"':
			s.pos++
			return s.text
		case c == '\\':
			if !s.escape() {
				return nil
			}
		case c < 0x20:
			s.fail(RuleCharacter, "a control character (%#02x) in a string", c)
			return nil
		case c < utf8.RuneSelf:
			s.text = append(s.text, c)
			s.pos++
		default:
			if !s.rune() {
				return nil
			}
		}
	}
}

// rune takes one character beyond ASCII.
func (s *scanner) rune() bool {
	for !utf8.FullRune(s.buf[s.pos:s.end]) && s.fill() {
	}
	r, n := utf8.DecodeRune(s.buf[s.pos:s.end])
	if r == utf8.RuneError && n <= 1 {
		s.fail(RuleEncoding, "bytes that are not UTF-8")
		return false
	}
	s.text = append(s.text, s.buf[s.pos:s.pos+n]...)
	s.pos += n
	return s.fits(r)
}

// fits refuses what no XML document may hold (XML 1.0 section 2.2): the
// event could not be written in every format.
func (s *scanner) fits(r rune) bool {
	if Writable(r) {
		return true
	}
	s.fail(RuleCharacter, "the character U+%04X in a string", r)
	return false
}

// Writable says whether a character can stand in a document of every format
// (XML 1.0 section 2.2, Char).
func Writable(r rune) bool {
	switch {
	case r < 0x20:
		return r == '\t' || r == '\n' || r == '\r'
	case r < 0xD800:
		return true
	case r < 0xE000, r == 0xFFFE, r == 0xFFFF:
		return false
	}
	return r <= utf8.MaxRune
}

func (s *scanner) escape() bool {
	if !s.have(2) {
		s.truncated("inside a string")
		return false
	}
	c := s.buf[s.pos+1]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		return s.unicode()
	default:
		s.syntax("the escape \\%c", c)
		return false
	}
	s.text = append(s.text, c)
	s.pos += 2
	return s.fits(rune(c))
}

// have makes sure that n bytes from pos on are in the buffer.
func (s *scanner) have(n int) bool {
	for s.end-s.pos < n {
		if !s.fill() {
			return false
		}
	}
	return true
}

func (s *scanner) unicode() bool {
	r, ok := s.hex()
	if !ok {
		return false
	}
	if r >= 0xDC00 && r < 0xE000 {
		s.fail(RuleEncoding, "half a surrogate pair (\\u%04x)", r)
		return false
	}
	if r >= 0xD800 && r < 0xDC00 {
		low := rune(0)
		if s.have(2) && s.buf[s.pos] == '\\' && s.buf[s.pos+1] == 'u' {
			if low, ok = s.hex(); !ok {
				return false
			}
		}
		if low < 0xDC00 || low >= 0xE000 {
			s.fail(RuleEncoding, "half a surrogate pair (\\u%04x)", r)
			return false
		}
		r = 0x10000 + (r-0xD800)<<10 + (low - 0xDC00)
	}
	s.text = utf8.AppendRune(s.text, r)
	return s.fits(r)
}

// hex takes \uXXXX.
func (s *scanner) hex() (rune, bool) {
	if !s.have(6) {
		s.truncated("inside a string")
		return 0, false
	}
	var r rune
	for _, c := range s.buf[s.pos+2 : s.pos+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			s.syntax("a \\u without four hexadecimal digits")
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.pos += 6
	return r, true
}
