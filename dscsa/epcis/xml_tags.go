package epcis

import (
	"bytes"
	"fmt"
)

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
