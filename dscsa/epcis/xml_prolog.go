package epcis

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// declared is the XML declaration (XML 1.0 section 2.8).
var declared = regexp.MustCompile(`^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*(?:"([^"<&]*)"|'([^'<&]*)')` +
	`(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*(?:"([A-Za-z][A-Za-z0-9._-]*)"|'([A-Za-z][A-Za-z0-9._-]*)'))?` +
	`(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:"(?:yes|no)"|'(?:yes|no)'))?[ \t\r\n]*\?>$`)

// prolog reads the XML declaration, if there is one.
func (x *xmlReader) prolog() error {
	const begin = "<?xml"
	if err := x.fill(len(begin) + 1); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if s := x.buf[x.r:x.v]; len(s) <= len(begin) || string(s[:len(begin)]) != begin || !isBlank(s[len(begin)]) {
		return nil // another processing instruction may begin with xml-
	}
	end, err := x.find(0, '>')
	if errors.Is(err, io.EOF) {
		return x.fail(0, RuleTruncated, "the document ends within its XML declaration")
	}
	if err != nil {
		return err
	}
	parts := declared.FindSubmatch(x.buf[x.r : x.r+end+1])
	if parts == nil {
		return x.fail(0, RuleSyntax, `the XML declaration is not of the form <?xml version="1.0" encoding="UTF-8"?>`)
	}
	version, encoding := string(parts[1])+string(parts[2]), string(parts[3])+string(parts[4])
	if version != "1.0" {
		return x.fail(0, RuleSyntax, fmt.Sprintf("XML %s is not supported; EPCIS is XML 1.0", clip(version)))
	}
	// What came in UTF-16 has been turned into UTF-8 by now and says UTF-16.
	// ASCII is part of UTF-8, whose name some leave the hyphen out of.
	known := encoding == "" || strings.EqualFold(encoding, "utf-8") || strings.EqualFold(encoding, "utf8") ||
		strings.EqualFold(encoding, "us-ascii") || x.wide && strings.HasPrefix(strings.ToLower(encoding), "utf-16")
	if !known {
		return x.fail(0, RuleEncoding, fmt.Sprintf("declares the encoding %s; send the document in UTF-8, or in UTF-16 with a byte order mark", clip(encoding)))
	}
	x.r += end + 1
	return nil
}
