package epcis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// token is what the lexer comes to next. Text between tags is gathered in
// xmlReader.pool and is no token of its own.
type token uint8

const (
	startTag token = iota
	endTag
	endOfDocument
)

// attribute is one attribute of the start tag just read, or of a node.
type attribute struct {
	name  *name
	space space
	value span
}

// span is a part of the pool.
type span struct{ at, n uint32 }

// open is an element whose end is still to come.
type open struct {
	name     *name
	bindings int   // that were in scope outside it
	standard space // of names without prefix outside it
}

// token reads up to and including the next tag. After a startTag cur, curSpace,
// curElement and attrs describe it; the text before it is in pool from run on.
func (x *xmlReader) token() (token, error) {
	x.run = len(x.pool)
	if x.selfClosing {
		x.selfClosing = false
		x.close()
		return endTag, nil
	}
	t, err := x.nextTag()
	if err == nil {
		return t, nil
	}
	if errors.Is(err, io.EOF) {
		if len(x.opens) > 0 {
			err = x.fail(x.v-x.r, RuleTruncated, fmt.Sprintf("the document ends within <%s>", clip(x.opens[len(x.opens)-1].name.raw)))
		} else {
			err = x.fail(x.v-x.r, RuleTruncated, "the document ends within a tag or comment")
		}
	}
	return t, err
}

func (x *xmlReader) nextTag() (token, error) {
	for {
		if x.run == len(x.pool) { // blanks at the beginning do not count
			if err := x.skipBlanks(); err != nil {
				if errors.Is(err, io.EOF) && x.ended {
					return endOfDocument, nil
				}
				return 0, err
			}
		}
		if c, err := x.at(0); err != nil {
			return 0, err
		} else if c != '<' {
			if err := x.text(); err != nil {
				return 0, err
			}
			continue
		}
		c, err := x.at(1)
		if err != nil {
			return 0, err
		}
		switch c {
		case '/':
			return endTag, x.endTag()
		case '!':
			err = x.declaration()
		case '?':
			err = x.instruction()
		default:
			return startTag, x.startTag()
		}
		if err != nil {
			return 0, err
		}
	}
}

// text adds the text up to the next tag to the pool.
func (x *xmlReader) text() error {
	if len(x.opens) == 0 {
		return x.fail(0, RuleSyntax, "text outside the document element")
	}
	n, err := x.find(0, '<')
	if err != nil {
		return err
	}
	raw := x.buf[x.r : x.r+n]
	switch {
	case x.within(&x.brackets, ']', n) && bytes.Contains(raw, []byte("]]>")):
		return x.fail(bytes.Index(raw, []byte("]]>")), RuleSyntax, "]]> may not be in a text")
	case x.within(&x.amp, '&', n) || x.within(&x.cr, '\r', n):
		if err := x.unescape(0, raw, false); err != nil {
			return err
		}
	default:
		x.pool = append(x.pool, raw...)
	}
	x.r += n
	return x.room()
}

// room refuses a value, or a whole of values, that takes too much memory.
func (x *xmlReader) room() error {
	switch {
	case len(x.pool)-x.run > x.limits.Text:
		return x.fail(0, RuleLimit, fmt.Sprintf("a text is longer than %d bytes", x.limits.Text))
	case len(x.pool)+len(x.nodes)*nodeSize > x.limits.Event:
		return x.fail(0, RuleLimit, fmt.Sprintf("an event, or an element of the header, takes more than %d bytes", x.limits.Event))
	}
	return nil
}

// unescape appends raw to the pool, references resolved, ends of lines as XML
// 1.0 section 2.11 and white space of attributes as section 3.3.3 want them.
// raw is at offset i of the window.
func (x *xmlReader) unescape(i int, raw []byte, inAttribute bool) error {
	for j := 0; j < len(raw); j++ {
		c := raw[j]
		switch {
		case c == '&':
			end := bytes.IndexByte(raw[j:], ';')
			if end < 0 {
				return x.fail(i+j, RuleSyntax, "& begins a reference that does not end; write &amp;")
			}
			r, rule, reason := reference(raw[j+1 : j+end])
			if rule != "" {
				return x.fail(i+j, rule, reason)
			}
			x.pool = utf8.AppendRune(x.pool, r)
			j += end
		case c == '\r':
			if j+1 < len(raw) && raw[j+1] == '\n' {
				continue
			}
			x.pool = append(x.pool, lineEnd(inAttribute))
		case (c == '\n' || c == '\t') && inAttribute:
			x.pool = append(x.pool, ' ')
		default:
			x.pool = append(x.pool, c)
		}
	}
	return nil
}

func lineEnd(inAttribute bool) byte {
	if inAttribute {
		return ' '
	}
	return '\n'
}

// reference resolves what is between & and ;.
func reference(b []byte) (r rune, rule, reason string) {
	switch string(b) {
	case "lt":
		return '<', "", ""
	case "gt":
		return '>', "", ""
	case "amp":
		return '&', "", ""
	case "quot":
		return '"', "", ""
	case "apos":
		return '\'', "", ""
	}
	if len(b) < 2 || b[0] != '#' {
		if isName(b) {
			return 0, RuleEntity, fmt.Sprintf("the entity &%s; is not allowed; write the text itself", clip(string(b)))
		}
		return 0, RuleSyntax, "& begins no reference; write &amp;"
	}
	digits, base := string(b[1:]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isChar(rune(n)) || n > utf8.MaxRune {
		return 0, RuleSyntax, fmt.Sprintf("&%s; is no character of XML", clip(string(b)))
	}
	return rune(n), "", ""
}

// isChar is Char of XML 1.0 section 2.2.
func isChar(r rune) bool {
	return r >= ' ' && r < 0xd800 || r == '\n' || r == '\t' || r == '\r' || r > 0xdfff && r < 0xfffe || r > 0xffff && r <= utf8.MaxRune
}
