package epcis

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// name is a qualified name as it is written.
type name struct {
	raw     string // "epcis:EPCISDocument"
	prefix  string
	local   string
	element element // what it is if it belongs to EPCIS
}

// nameTable keeps the names of a document, so that a name met again costs a
// comparison. It has room for far more than EPCIS and its extensions have; what
// does not fit is made anew each time.
type nameTable struct {
	slots [1024]*name
	used  int
}

func slot(b []byte) uint32 {
	n := uint32(len(b))
	return n ^ uint32(b[0])<<3 ^ uint32(b[n-1])<<5 ^ uint32(b[n/2])<<1 ^ uint32(b[n/3])<<4
}

// known finds a name met before.
func (t *nameTable) known(b []byte) *name {
	at := slot(b)
	for i := range uint32(8) {
		n := t.slots[(at+i)%uint32(len(t.slots))]
		if n == nil || n.raw == string(b) {
			return n
		}
	}
	return nil
}

// name gives the name written as b, or nil when it is not one (XML 1.0
// sections 2.3, Namespaces in XML section 3).
func (t *nameTable) name(b []byte) *name {
	if n := t.known(b); n != nil {
		return n
	}
	if !isName(b) {
		return nil
	}
	n := &name{raw: string(b)}
	prefix, local, ok := strings.Cut(n.raw, ":")
	if !ok {
		prefix, local = "", prefix
	}
	n.prefix, n.local, n.element = prefix, local, elements[local]
	at := slot(b)
	for i := range uint32(8) {
		if s := &t.slots[(at+i)%uint32(len(t.slots))]; *s == nil && t.used < len(t.slots)/2 {
			*s = n
			t.used++
			break
		}
	}
	return n
}

// isName tells whether b is a QName: a name with at most one colon, with
// something that can begin a name on both sides of it.
func isName(b []byte) bool {
	prefix, local, ok := bytes.Cut(b, []byte(":"))
	if ok && !isNCName(prefix) {
		return false
	}
	if !ok {
		local = prefix
	}
	return isNCName(local)
}

func isNCName(b []byte) bool {
	for i, r := range string(b) {
		if !isNameRune(r, i == 0) {
			return false
		}
	}
	return len(b) > 0
}

// isNameRune is NameStartChar and NameChar (XML 1.0 section 2.3) without the
// colon.
func isNameRune(r rune, first bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
		return true
	case r >= '0' && r <= '9', r == '-', r == '.':
		return !first
	case r < 0xb7:
		return false
	case r == 0xb7, r >= 0x300 && r <= 0x36f, r == 0x203f, r == 0x2040:
		return !first
	}
	return r >= 0xc0 && r <= 0x2ff && r != 0xd7 && r != 0xf7 ||
		r >= 0x370 && r <= 0x1fff && r != 0x37e ||
		r == 0x200c || r == 0x200d || r >= 0x2070 && r <= 0x218f || r >= 0x2c00 && r <= 0x2fef ||
		r >= 0x3001 && r <= 0xd7ff || r >= 0xf900 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xfffd ||
		r >= 0x10000 && r <= 0xeffff
}

// nameEnds are the bytes that end a name within a tag.
var nameEnds = [256]bool{' ': true, '\n': true, '\t': true, '\r': true, '=': true, '/': true, '>': true, '<': true, '"': true, '\'': true, '&': true}

const maxName = 1000 // bytes

// nameAt reads the name at offset i and gives the offset behind it.
func (x *xmlReader) nameAt(i int) (*name, int, error) {
	end, err := x.nameEnd(i)
	if err != nil {
		return nil, 0, err
	}
	raw := x.buf[x.r+i : x.r+end]
	if len(raw) == 0 {
		return nil, 0, x.fail(i, RuleSyntax, "a name is missing")
	}
	if len(raw) > maxName {
		return nil, 0, x.fail(i, RuleLimit, fmt.Sprintf("a name is longer than %d bytes", maxName))
	}
	n := x.names.name(raw)
	if n == nil {
		return nil, 0, x.fail(i, RuleSyntax, fmt.Sprintf("%q is no name", clip(string(raw))))
	}
	return n, end, nil
}

// nameEnd is the offset behind the name at offset i.
func (x *xmlReader) nameEnd(i int) (int, error) {
	for end := i; ; {
		for _, c := range x.buf[min(x.r+end, x.v):x.v] {
			if nameEnds[c] {
				return end, nil
			}
			end++
		}
		if end-i > maxName {
			return end, nil // the caller refuses it
		}
		if err := x.more(); err != nil {
			return 0, err
		}
	}
}

// space is a namespace, as an index into the namespaces of the document.
type space uint16

const (
	noSpace  space = iota // names without a namespace
	xmlSpace              // that of the prefix xml
)

const (
	xmlURI      = "http://www.w3.org/XML/1998/namespace"
	xmlnsURI    = "http://www.w3.org/2000/xmlns/"
	instanceURI = "http://www.w3.org/2001/XMLSchema-instance"
	maxSpaces   = 1000
)

// binding says what a prefix stands for where it is in scope.
type binding struct {
	prefix string
	space  space
}

// spaces keeps the namespaces of a document and what is in scope.
type spaces struct {
	uris     []string
	byURI    map[string]space
	epcis    []bool // by space: one of EPCIS
	scope    []binding
	standard space // of names without prefix
	declared []Namespace
}

func newSpaces() spaces {
	return spaces{
		uris:  []string{"", xmlURI},
		byURI: map[string]space{"": noSpace, xmlURI: xmlSpace},
		epcis: []bool{false, false},
		scope: []binding{{"xml", xmlSpace}},
	}
}

// bind puts a declaration into scope. The reason says why it may not be
// (Namespaces in XML 1.0 section 3).
func (s *spaces) bind(prefix, uri string) (reason string) {
	switch {
	case prefix == "xmlns" || uri == xmlnsURI:
		return "the prefix xmlns may not be declared"
	case (prefix == "xml") != (uri == xmlURI):
		return "the prefix xml and its namespace belong together"
	case prefix != "" && uri == "":
		return fmt.Sprintf("the prefix %q is bound to nothing", clip(prefix))
	}
	n, ok := s.byURI[uri]
	if !ok {
		if len(s.uris) == maxSpaces {
			return fmt.Sprintf("more than %d namespaces", maxSpaces)
		}
		n = space(len(s.uris))
		s.uris = append(s.uris, uri)
		s.byURI[uri] = n
		s.epcis = append(s.epcis, epcisVersion(uri) != 0)
	}
	if prefix == "" {
		s.standard = n
	} else {
		s.scope = append(s.scope, binding{prefix, n})
	}
	declared := Namespace{Prefix: prefix, URI: uri}
	if uri != "" && len(s.declared) < maxSpaces && !slices.Contains(s.declared, declared) {
		s.declared = append(s.declared, declared)
	}
	return ""
}

func (s *spaces) lookup(prefix string) (space, bool) {
	for i := len(s.scope) - 1; i >= 0; i-- {
		if s.scope[i].prefix == prefix {
			return s.scope[i].space, true
		}
	}
	return noSpace, false
}

// epcisVersion is 1 or 2 for a namespace of EPCIS, else 0.
func epcisVersion(uri string) int {
	rest, ok := strings.CutPrefix(uri, "urn:epcglobal:epcis")
	if !ok {
		return 0
	}
	switch rest {
	case ":xsd:1", "-query:xsd:1", "-masterdata:xsd:1":
		return 1
	case ":xsd:2", "-query:xsd:2", "-masterdata:xsd:2":
		return 2
	}
	return 0
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
