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

// startTag reads a start tag or an empty element.
func (x *xmlReader) startTag() error {
	if x.ended {
		return x.fail(0, RuleSyntax, "a second document element")
	}
	x.attrs, x.attrsAt = x.attrs[:0], len(x.pool)
	outside := open{bindings: len(x.spaces.scope), standard: x.spaces.standard}

	// A name met before that is followed by > at once is all there is to it.
	const usual = 32
	near := x.buf[x.r+1 : min(x.r+1+usual, x.v)]
	if n := bytes.IndexByte(near, '>'); n > 0 {
		if known := x.names.known(near[:n]); known != nil {
			x.r += n + 2
			x.tagSize = n + 2
			outside.name = known
			return x.open(outside)
		}
	}
	tag, i, err := x.nameAt(1)
	if err != nil {
		return err
	}
	for {
		before := i
		c, err := x.notBlank(&i)
		if err != nil {
			return err
		}
		switch {
		case c == '/':
			if c, err = x.at(i + 1); err != nil {
				return err
			} else if c != '>' {
				return x.fail(i, RuleSyntax, "/ within a tag")
			}
			x.selfClosing = true
			i++
			fallthrough
		case c == '>':
			if err := x.resolve(); err != nil {
				return err
			}
			x.r += i + 1
			x.tagSize = i + 1
			outside.name = tag
			return x.open(outside)
		case i == before:
			return x.fail(i, RuleSyntax, "a blank is missing before an attribute")
		case len(x.attrs) == x.limits.Attributes:
			return x.fail(i, RuleLimit, fmt.Sprintf("an element has more than %d attributes", x.limits.Attributes))
		}
		if i, err = x.attribute(i); err != nil {
			return err
		}
	}
}

// notBlank moves *i to the next byte that is not white space.
func (x *xmlReader) notBlank(i *int) (byte, error) {
	for ; ; *i++ {
		c, err := x.at(*i)
		if err != nil || !isBlank(c) {
			return c, err
		}
		if err := x.short(*i); err != nil {
			return 0, err
		}
	}
}

// attribute reads the attribute at offset i and gives the offset behind it.
func (x *xmlReader) attribute(i int) (int, error) {
	n, i, err := x.nameAt(i)
	if err != nil {
		return 0, err
	}
	quote, i, err := x.quote(n, i)
	if err != nil {
		return 0, err
	}
	end, err := x.find(i, quote)
	if err != nil {
		return 0, err
	}
	at := len(x.pool)
	raw := x.buf[x.r+i : x.r+end]
	switch special(raw) {
	case '<':
		return 0, x.fail(i, RuleSyntax, fmt.Sprintf("< within the value of the attribute %s; write &lt;", clip(n.raw)))
	case 0:
		x.pool = append(x.pool, raw...)
	default:
		if err := x.unescape(i, raw, true); err != nil {
			return 0, err
		}
	}
	x.attrs = append(x.attrs, attribute{name: n, value: span{uint32(at), uint32(len(x.pool) - at)}})
	return end + 1, x.room()
}

// quote reads = and the quote that begins a value, and gives the offset behind
// them.
func (x *xmlReader) quote(n *name, i int) (byte, int, error) {
	if near := x.buf[x.r+i : x.v]; len(near) > 1 && near[0] == '=' && near[1] == '"' {
		return '"', i + 2, nil
	}
	c, err := x.notBlank(&i)
	if err != nil {
		return 0, 0, err
	}
	if c != '=' {
		return 0, 0, x.fail(i, RuleSyntax, fmt.Sprintf("the attribute %s has no value", clip(n.raw)))
	}
	i++
	quote, err := x.notBlank(&i)
	if err != nil {
		return 0, 0, err
	}
	if quote != '"' && quote != '\'' {
		return 0, 0, x.fail(i, RuleSyntax, fmt.Sprintf("the value of the attribute %s has no quotes", clip(n.raw)))
	}
	return quote, i + 1, nil
}

// special gives < if there is one, else some byte that needs care, else 0.
func special(raw []byte) (found byte) {
	for _, c := range raw {
		switch c {
		case '<':
			return c
		case '&', '\n', '\t', '\r':
			found = c
		}
	}
	return found
}

// resolve takes the declarations of namespaces out of attrs and finds the
// namespaces of the others.
func (x *xmlReader) resolve() error {
	kept := x.attrs[:0]
	for i, a := range x.attrs {
		for _, other := range x.attrs[:i] {
			if other.name.raw == a.name.raw {
				return x.fail(0, RuleSyntax, fmt.Sprintf("the attribute %s is there twice", clip(a.name.raw)))
			}
		}
	}
	for _, a := range x.attrs {
		prefix := ""
		switch {
		case a.name.prefix == "xmlns":
			prefix = a.name.local
		case a.name.raw != "xmlns":
			kept = append(kept, a)
			continue
		}
		uri := string(x.pool[a.value.at : a.value.at+a.value.n])
		if reason := x.spaces.bind(prefix, uri); reason != "" {
			return x.fail(0, RuleNamespace, reason)
		}
	}
	x.attrs = kept
	for i := range x.attrs {
		a := &x.attrs[i]
		if a.name.prefix == "" {
			continue
		}
		var ok bool
		if a.space, ok = x.spaces.lookup(a.name.prefix); !ok {
			return x.unbound(a.name)
		}
		for _, other := range x.attrs[:i] {
			if other.space == a.space && other.name.local == a.name.local {
				return x.fail(0, RuleNamespace, fmt.Sprintf("the attributes %s and %s are the same", clip(other.name.raw), clip(a.name.raw)))
			}
		}
	}
	return nil
}

func (x *xmlReader) unbound(n *name) error {
	return x.fail(0, RuleNamespace, fmt.Sprintf("the prefix of %s is not declared; add xmlns:%s", clip(n.raw), clip(n.prefix)))
}

// open enters the element of the start tag just read.
func (x *xmlReader) open(o open) error {
	x.cur, x.curSpace = o.name, x.spaces.standard
	if o.name.prefix != "" {
		var ok bool
		if x.curSpace, ok = x.spaces.lookup(o.name.prefix); !ok {
			return x.unbound(o.name)
		}
	}
	x.curElement = 0
	if x.curSpace == noSpace || x.spaces.epcis[x.curSpace] {
		x.curElement = o.name.element
	}
	if len(x.opens) == x.limits.Depth {
		return x.fail(0, RuleLimit, fmt.Sprintf("elements are nested more than %d deep", x.limits.Depth))
	}
	x.opens = append(x.opens, o)
	return nil
}

func (x *xmlReader) close() {
	o := x.opens[len(x.opens)-1]
	x.opens = x.opens[:len(x.opens)-1]
	x.spaces.scope = x.spaces.scope[:o.bindings]
	x.spaces.standard = o.standard
	x.ended = len(x.opens) == 0
}

// endTag reads an end tag, which has to name the innermost open element.
func (x *xmlReader) endTag() error {
	if len(x.opens) == 0 {
		return x.fail(0, RuleSyntax, "an end tag without its start tag")
	}
	raw := x.opens[len(x.opens)-1].name.raw
	if end := x.r + 2 + len(raw); end < x.v && x.buf[end] == '>' && string(x.buf[x.r+2:end]) == raw {
		x.r = end + 1
		x.close()
		return nil
	}
	n, i, err := x.nameAt(2)
	if err != nil {
		return err
	}
	if n.raw != raw {
		return x.fail(0, RuleSyntax, fmt.Sprintf("</%s> where </%s> is due", clip(n.raw), clip(raw)))
	}
	c, err := x.notBlank(&i)
	if err != nil {
		return err
	}
	if c != '>' {
		return x.fail(i, RuleSyntax, fmt.Sprintf("</%s> has something after the name", clip(raw)))
	}
	x.r += i + 1
	x.close()
	return nil
}

// declaration reads a comment or a CDATA section and refuses the others.
func (x *xmlReader) declaration() error {
	for _, begin := range [...]string{"<!--", "<![CDATA[", "<!DOCTYPE"} {
		err := x.fill(len(begin))
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if !bytes.HasPrefix(x.buf[x.r:x.v], []byte(begin)) {
			continue
		}
		switch begin {
		case "<!--":
			return x.comment()
		case "<![CDATA[":
			return x.cdata()
		}
		return x.doctype()
	}
	if x.v-x.r < len("<!DOCTYPE") {
		if err := x.fill(len("<!DOCTYPE")); err != nil {
			return err
		}
	}
	return x.fail(0, RuleSyntax, "<! begins neither a comment nor a CDATA section")
}

// doctype skips a DOCTYPE that has a name and no more, which some tools write:
// it declares nothing. One that declares anything, here or elsewhere, is
// refused before any of it is looked at.
func (x *xmlReader) doctype() error {
	const refusal = "a DOCTYPE is not allowed; leave it out"
	i := len("<!DOCTYPE")
	if c, err := x.at(i); err != nil {
		return err
	} else if !isBlank(c) || len(x.opens) > 0 || x.ended || x.doctypes > 0 {
		return x.fail(0, RuleDoctype, refusal)
	}
	if _, err := x.notBlank(&i); err != nil {
		return err
	}
	_, i, err := x.nameAt(i)
	if err != nil {
		return err
	}
	c, err := x.notBlank(&i)
	if err != nil {
		return err
	}
	if c != '>' {
		return x.fail(0, RuleDoctype, refusal)
	}
	x.r += i + 1
	x.doctypes++
	x.doc.fault(RuleEmptyDoctype, "document", "a DOCTYPE without declarations is skipped")
	return nil
}

// comment skips a comment, in which there may be no -- (XML 1.0 section 2.5).
func (x *xmlReader) comment() error {
	for i := len("<!--"); ; {
		dash, err := x.find(i, '-')
		if err != nil {
			return err
		}
		if c, err := x.at(dash + 1); err != nil {
			return err
		} else if c != '-' {
			i = dash + 1
			continue
		}
		c, err := x.at(dash + 2)
		if err != nil {
			return err
		}
		if c != '>' {
			return x.fail(dash, RuleSyntax, "-- within a comment")
		}
		x.r += dash + 3
		return nil
	}
}

// cdata adds a CDATA section to the text.
func (x *xmlReader) cdata() error {
	if len(x.opens) == 0 {
		return x.fail(0, RuleSyntax, "text outside the document element")
	}
	const begin = len("<![CDATA[")
	for i := begin; ; {
		end, err := x.find(i, ']')
		if err != nil {
			return err
		}
		if _, err := x.at(end + 2); err != nil {
			return err
		}
		if string(x.buf[x.r+end:x.r+end+3]) != "]]>" {
			i = end + 1
			continue
		}
		for j, c := range x.buf[x.r+begin : x.r+end] {
			if c == '\r' {
				if x.buf[x.r+begin+j+1] == '\n' {
					continue
				}
				c = '\n'
			}
			x.pool = append(x.pool, c)
		}
		x.r += end + 3
		return x.room()
	}
}

// instruction skips a processing instruction. Nothing here acts on one.
func (x *xmlReader) instruction() error {
	target, i, err := x.targetAt(2)
	if err != nil {
		return err
	}
	for {
		end, err := x.find(i, '?')
		if err != nil {
			return err
		}
		c, err := x.at(end + 1)
		if err != nil {
			return err
		}
		if c == '>' {
			x.r += end + 2
			x.doc.fault(RuleInstruction, "document", "the processing instruction "+clip(target)+" is skipped")
			return nil
		}
		i = end + 1
	}
}

// targetAt reads the target of a processing instruction, which may be anything
// but xml and has no colon.
func (x *xmlReader) targetAt(i int) (string, int, error) {
	end := i
	for {
		c, err := x.at(end)
		if err != nil {
			return "", 0, err
		}
		if isBlank(c) || c == '?' {
			break
		}
		if end++; end-i > maxName {
			return "", 0, x.fail(i, RuleLimit, fmt.Sprintf("a name is longer than %d bytes", maxName))
		}
	}
	raw := x.buf[x.r+i : x.r+end]
	if !isNCName(raw) || bytes.EqualFold(raw, []byte("xml")) {
		return "", 0, x.fail(0, RuleSyntax, fmt.Sprintf("%q is no name of a processing instruction; an XML declaration is only allowed at the very beginning", clip(string(raw))))
	}
	if x.buf[x.r+end] == '?' {
		if c, err := x.at(end + 1); err != nil {
			return "", 0, err
		} else if c != '>' {
			return "", 0, x.fail(0, RuleSyntax, "? within the name of a processing instruction")
		}
	}
	return string(raw), end, nil
}
