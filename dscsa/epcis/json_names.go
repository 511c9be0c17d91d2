package epcis

import (
	"bytes"
	"fmt"
	"strings"
)

// The namespace of DSCSA elements and the prefixes every document may use
// without jsonContext them: those of the standard's own context
// (https://ref.gs1.org/standards/epcis/epcis-context.jsonld).
var standardPrefixes = map[string]string{
	"epcis":   "https://ref.gs1.org/epcis/",
	"cbv":     cbvWeb,
	"cbvmda":  "urn:epcglobal:cbv:mda:",
	"gs1":     vocWeb,
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
	"dcterms": "http://purl.org/dc/terms/",
}

// isStandardContext says whether a context is the one of EPCIS 2.0, at any of
// the addresses GS1 has published it.
func isStandardContext(uri string) bool {
	return strings.HasSuffix(uri, "/epcis-context.jsonld") &&
		(strings.HasPrefix(uri, "https://ref.gs1.org/standards/epcis/") || strings.HasPrefix(uri, "https://gs1.github.io/EPCIS/"))
}

// jsonContext is what an @context says: prefixes. Contexts are never fetched; a
// document that leans on a foreign one may use prefixes nobody here can
// resolve.
type jsonContext struct {
	prefixes map[string]string
	order    []Namespace // the document's own, as they came
	foreign  []string    // contexts that were named and not fetched
	standard bool
}

// ownContext reads the @context of an event. Most often it is the one of the
// event before, letter by letter.
func (p *jsonReader) ownContext() {
	s := p.s
	p.own = &p.prefixes
	c := s.peek()
	if n := len(p.contextText); n > 0 && s.ahead(p.contextText) {
		p.charge(n)
		s.pos += n
		return
	}
	p.own.reset()
	p.contextText = ""
	from, faults := s.base+int64(s.pos), len(p.ev.Faults)
	p.readContext(p.own)
	clean := s.err == nil && p.refused == nil && len(p.ev.Faults) == faults && faults < maxFaults
	whole := c == '{' || c == '[' || c == '"' // tells its end by itself
	if at := from - s.base; clean && whole && at >= 0 && s.pos-int(at) <= 4<<10 {
		p.contextText = string(s.buf[at:s.pos])
	}
}

// reset makes a context that says nothing of one that is used no more.
func (b *jsonContext) reset() {
	if len(b.prefixes) > 64 { // clearing costs as much as there ever was
		b.prefixes = nil
	}
	clear(b.prefixes)
	b.order, b.foreign, b.standard = b.order[:0], b.foreign[:0], false
}

// readContext reads an @context.
func (p *jsonReader) readContext(b *jsonContext) {
	s := p.s
	if b.prefixes == nil {
		b.prefixes = map[string]string{}
	}
	switch c := s.peek(); c {
	case '"':
		if uri := string(s.string("a context")); isStandardContext(uri) {
			b.standard = true
		} else if s.err == nil {
			b.foreign = append(b.foreign, uri)
		}
	case '[':
		s.open('[')
		for first := true; s.err == nil && s.next(']', first); first = false {
			p.readContext(b)
		}
	case '{':
		s.open('{')
		var seen nameSet
		for first := true; s.err == nil && s.next('}', first); first = false {
			term := p.keep(s.key())
			if !p.once(&seen, Name{Local: term}) {
				continue
			}
			s.colon()
			p.term(b, term)
		}
	case 'n':
		s.word("null")
	default:
		s.unexpected("a context: text, an object or an array of them")
	}
}

// term reads what a context says of one term. Only prefixes matter here:
// what a term means beyond its name does not change what is held.
func (p *jsonReader) term(b *jsonContext, term string) {
	s := p.s
	bind := func(uri string) {
		if strings.ContainsRune(term, ':') || strings.HasPrefix(term, "@") || s.err != nil {
			return
		}
		uri = p.expand(b, uri)
		if !strings.ContainsRune(uri, ':') {
			p.refuse(RuleContext, "@context binds %q to %q, which is no URI", term, uri)
			return
		}
		b.prefixes[term] = uri
		b.order = append(b.order, Namespace{Prefix: term, URI: uri})
	}
	switch s.peek() {
	case '"':
		bind(p.keep(s.string("a URI")))
	case '{':
		s.open('{')
		for first := true; s.err == nil && s.next('}', first); first = false {
			key := string(s.key())
			s.colon()
			if key == "@id" && s.peek() == '"' {
				bind(p.keep(s.string("a URI")))
				continue
			}
			s.skip()
		}
	default:
		s.skip()
	}
}

// expand resolves a compact URI (prefix:rest) whose prefix is bound, and
// leaves anything else.
func (p *jsonReader) expand(b *jsonContext, s string) string {
	prefix, rest, ok := strings.Cut(s, ":")
	if !ok || strings.HasPrefix(rest, "//") {
		return s
	}
	if uri, ok := p.bound(b, prefix); ok {
		return uri + rest
	}
	return s
}

func (p *jsonReader) bound(b *jsonContext, prefix string) (string, bool) {
	if b != nil {
		if uri, ok := b.prefixes[prefix]; ok {
			return uri, true
		}
	}
	if uri, ok := p.names.prefixes[prefix]; ok {
		return uri, true
	}
	uri, ok := standardPrefixes[prefix]
	return uri, ok
}

// name takes a member name apart. Its prefix stays in Space until the whole
// event is read, because the context that binds it may stand behind it.
func (p *jsonReader) name(key []byte) Name {
	i := bytes.IndexByte(key, ':')
	if i < 0 {
		return Name{Local: p.keep(key)}
	}
	for j := range p.lastNames {
		if last := &p.lastNames[j]; last.text == string(key) {
			p.unresolved = true
			p.charge(len(key))
			return last.name
		}
	}
	prefix, local := key[:i], key[i+1:]
	if bytes.HasPrefix(local, []byte("//")) || string(prefix) == "urn" { // a whole URI
		i = bytes.LastIndexAny(key, "/#:")
		prefix, local = key[:i+1], key[i+1:]
	}
	p.unresolved = true
	if len(prefix) == 0 || len(local) == 0 {
		p.refuse(RuleUnknownElement, "the member name %q is neither prefix:name nor a URI that ends in a name", key)
		return Name{Space: p.keep(prefix), Local: p.keep(local)}
	}
	if len(key) > longName {
		return Name{Space: p.keep(prefix), Local: p.keep(local)}
	}
	p.charge(len(key))
	text := string(key)
	n := Name{Space: text[:len(prefix)], Local: text[len(text)-len(local):]}
	p.lastNames[p.nextName] = lastName{text: text, name: n}
	p.nextName = (p.nextName + 1) % len(p.lastNames)
	return n
}

// lastName is a name met lately, taken apart.
type lastName struct {
	text string
	name Name
}

const longName = 200 // bytes of a name that is not remembered

// resolve puts URIs where the prefixes are. A namespace URI has a colon in
// it, a prefix has none.
func (p *jsonReader) resolve(b *jsonContext, fields []Field) {
	for i := range fields {
		f := &fields[i]
		if f.Name.Space != "" && strings.IndexByte(f.Name.Space, ':') < 0 {
			f.Name.Space = p.space(b, f.Name)
		}
		p.resolve(b, f.Attrs)
		p.resolve(b, f.Children)
	}
}

func (p *jsonReader) space(b *jsonContext, n Name) string {
	if uri, ok := p.bound(b, n.Space); ok {
		return uri
	}
	foreign := p.names.foreign
	if b != nil {
		foreign = append(foreign[:len(foreign):len(foreign)], b.foreign...)
	}
	if len(foreign) == 0 {
		p.refuse(RuleNamespace, "%s:%s: @context does not bind the prefix %q", n.Space, n.Local, n.Space)
		return n.Space
	}
	if !p.warned[n.Space] {
		p.warned[n.Space] = true
		p.doc.fault(RuleForeignContext, "@context", fmt.Sprintf("the prefix %s is not bound by the document itself, and %s is not fetched; bind it in @context",
			clip(n.Space), clip(strings.Join(foreign, ", "))))
	}
	return n.Space + ":" // what JSON-LD makes of an unbound prefix: a scheme
}

// nameSet finds a name that comes twice in an object.
type nameSet struct {
	few  [8]Name
	n    int
	many map[Name]struct{}
}

// add says whether the name is new.
func (s *nameSet) add(n Name) bool {
	switch {
	case s.has(n):
		return false
	case s.n < len(s.few):
		s.few[s.n] = n
		s.n++
		return true
	case s.many == nil:
		s.many = map[Name]struct{}{}
	}
	s.many[n] = struct{}{}
	return true
}

func (s *nameSet) has(n Name) bool {
	for i := range min(s.n, len(s.few)) {
		if s.few[i] == n {
			return true
		}
	}
	_, ok := s.many[n]
	return ok
}

// once says whether a member is new in its object; the value of one that is
// not is skipped.
func (p *jsonReader) once(s *nameSet, n Name) bool {
	if p.s.err != nil {
		return false
	}
	if s.add(n) {
		return true
	}
	name := n.Local
	if n.Space != "" {
		name = n.Space + ":" + name
	}
	p.refuse(RuleRepeated, "the member %q comes twice", name)
	p.skipValue()
	return false
}

// skipValue goes over the value of a member whose name was just read.
func (p *jsonReader) skipValue() {
	p.s.colon()
	if p.s.err == nil {
		p.s.skip()
	}
}
