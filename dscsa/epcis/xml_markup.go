package epcis

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

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
