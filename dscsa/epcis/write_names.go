package epcis

import (
	"fmt"
	"strings"
)

// prefixes gives every namespace one prefix. Those a document declares are
// known before its events; what an event brings besides is declared with the
// event.
type prefixes struct {
	known    map[string]string // by URI
	taken    map[string]bool
	declared []Namespace // of the document
	local    []Namespace // of the event under way
}

// newPrefixes takes in what the format gives away by itself, and then the
// document's own declarations as far as they are of use.
func newPrefixes(given map[string]string, taken []string, doc *Document) prefixes {
	p := prefixes{known: map[string]string{}, taken: map[string]bool{}}
	for prefix, uri := range given {
		p.known[uri], p.taken[prefix] = prefix, true
	}
	for _, t := range taken {
		p.taken[t] = true
	}
	for _, ns := range doc.Namespaces {
		if _, ok := p.known[ns.URI]; ok || p.taken[ns.Prefix] || !isPrefix(ns.Prefix) || !strings.ContainsRune(ns.URI, ':') || isFrame(ns.URI) {
			continue
		}
		p.known[ns.URI], p.taken[ns.Prefix] = ns.Prefix, true
		p.declared = append(p.declared, ns)
	}
	return p
}

const schemaURI = "http://www.w3.org/2001/XMLSchema"

// isFrame says whether a namespace is one a writer declares by itself or has
// no use for.
func isFrame(uri string) bool {
	return epcisVersion(uri) != 0 || uri == sbdhURI || uri == xmlURI || uri == instanceURI ||
		uri == schemaURI || uri == soap11URI || uri == soap12URI
}

// isPrefix says whether a prefix is one in JSON, where it is a URI's scheme
// (RFC 3986 section 3.1), and in XML (NCName) alike.
func isPrefix(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
		default:
			return false
		}
	}
	return s != "" && !strings.HasPrefix(strings.ToLower(s), "xml")
}

// of is the prefix of a namespace, a new one when it has none yet.
func (p *prefixes) of(uri string) string {
	if prefix, ok := p.known[uri]; ok {
		return prefix
	}
	for _, ns := range p.local {
		if ns.URI == uri {
			return ns.Prefix
		}
	}
	for n := 1; ; n++ {
		prefix := fmt.Sprintf("ns%d", n)
		if !p.taken[prefix] && !p.isLocal(prefix) {
			p.local = append(p.local, Namespace{Prefix: prefix, URI: uri})
			return prefix
		}
	}
}

// bind declares a prefix with the event under way, unless it is taken.
func (p *prefixes) bind(ns Namespace) {
	if !p.taken[ns.Prefix] && !p.isLocal(ns.Prefix) {
		p.local = append(p.local, ns)
	}
}

func (p *prefixes) isLocal(prefix string) bool {
	for _, ns := range p.local {
		if ns.Prefix == prefix {
			return true
		}
	}
	return false
}

// settle makes what was local the document's.
func (p *prefixes) settle() {
	for _, ns := range p.local {
		p.known[ns.URI], p.taken[ns.Prefix] = ns.Prefix, true
	}
	p.declared = append(p.declared, p.local...)
	p.local = p.local[:0]
}
