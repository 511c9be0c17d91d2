package check

import (
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
)

// text looks for what a browser would run or a person would not see, in a
// value that somebody will look at.
func (c *Checker) text(s string, where at) {
	for i := range len(s) {
		switch b := s[i]; {
		case b >= ' ' && b != '<' && b != ':' && b != '&' && b != 0x7f && b != 0xe2:
		case b == 0:
			c.find("nul-character", where, "the value holds U+0000, which no store of text takes: remove it")
			return
		case b == '\t' || b == '\n' || b == '\r':
		case b < ' ' || b == 0x7f:
			c.find("control-character", where, "the value holds the control character U+%04X: remove it", b)
			return
		case b == 0xe2 && bidi(s[i:]):
			c.find("control-character", where, "the value holds a character that turns the direction of writing, so people read something else than is there: remove it")
			return
		case b == '<' && i+1 < len(s) && tagStart(s[i+1]),
			b == '&' && (hasFold(s[i:], "&lt;script") || hasFold(s[i:], "&#60;") || hasFold(s[i:], "&#x3c;")),
			b == ':' && i >= 10 && strings.EqualFold(s[i-10:i], "javascript"),
			b == ':' && i >= 8 && strings.EqualFold(s[i-8:i], "vbscript"):
			c.find("markup-in-field", where, "the value holds markup or a script address, %q: send plain text", brief(s))
			return
		}
	}
}

// tagStart tells what follows < in a tag, comment or processing instruction.
func tagStart(b byte) bool { return b|0x20-'a' <= 25 || b == '/' || b == '!' || b == '?' }

// bidi tells U+202A to U+202E and U+2066 to U+2069.
func bidi(s string) bool {
	return len(s) >= 3 && (s[1] == 0x80 && s[2] >= 0xaa && s[2] <= 0xae || s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// fields looks through named values and all that is inside them.
func (c *Checker) fields(fields []epcis.Field, where at) {
	for i := range fields {
		f := &fields[i]
		c.text(f.Value, where)
		if f.Name.Space != "" && isGS1US(f.Name.Space) {
			c.usElements = true
		}
		if len(f.Attrs) > 0 {
			c.fields(f.Attrs, where)
		}
		if len(f.Children) > 0 {
			c.fields(f.Children, where)
		}
	}
}

func percent(s string) bool { return strings.IndexByte(s, '%') >= 0 }

// unpercent decodes the escapes that are right and leaves the others.
func unpercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			h, l := unhex(s[i+1]), unhex(s[i+2])
			if h < 16 && l < 16 {
				b.WriteByte(h<<4 | l)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func unhex(b byte) byte {
	switch {
	case b-'0' <= 9:
		return b - '0'
	case b|0x20-'a' <= 5:
		return b | 0x20 - 'a' + 10
	default:
		return 255
	}
}

// field finds a named value by its local name, in any namespace.
func field(fields []epcis.Field, local string) *epcis.Field {
	for i := range fields {
		if fields[i].Name.Local == local {
			return &fields[i]
		}
	}
	return nil
}

// value is a field's text without the blanks that pretty-printers put around.
func value(f *epcis.Field) string {
	if f == nil {
		return ""
	}
	return strings.TrimSpace(f.Value)
}

// isGS1US tells the namespace of the GS1 US healthcare guideline, with or
// without the # that JSON-LD contexts add.
func isGS1US(space string) bool {
	const ns = "http://epcis.gs1us.org/hc/ns"
	return strings.HasPrefix(space, ns) && len(space) <= len(ns)+1
}
