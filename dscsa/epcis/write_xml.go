package epcis

import (
	"fmt"
	"slices"
	"strings"
)

// xmlWriter writes EPCIS in XML, 1.2 or 2.0, one event a line. The elements
// stand in the order of the schemas (1.2 section 9.5, 2.0 section 9.5), in 1.2
// with what came later in its extensions.
type xmlWriter struct {
	output
	doc *Document
	v2  bool
}

func newXMLWriter(f Format, doc *Document) *xmlWriter {
	w := &xmlWriter{doc: doc, v2: f == XML20}
	w.output = output{where: "document", names: newPrefixes(map[string]string{"sbdh": sbdhURI}, []string{"epcis", "epcisq"}, doc)}
	return w
}

func (w *xmlWriter) head(b []byte) ([]byte, error) {
	d := w.doc
	w.b = nil
	w.header()
	header := w.b
	w.names.settle()

	w.b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<"...)
	w.raw(w.root())
	version := "1"
	if w.v2 {
		version = "2"
	}
	if isQuery(d) {
		w.raw(` xmlns:epcisq="urn:epcglobal:epcis-query:xsd:` + version + `"`)
	} else {
		w.raw(` xmlns:epcis="urn:epcglobal:epcis:xsd:` + version + `"`)
	}
	if d.Header != nil {
		w.raw(` xmlns:sbdh="` + sbdhURI + `"`)
	}
	w.declare(w.names.declared)
	f := XML12
	if w.v2 {
		f = XML20
	}
	w.attribute("schemaVersion", schemaVersion(f, d))
	w.raw(` creationDate="`)
	w.time(d.CreationDate)
	w.raw("\">\n")
	w.b = append(w.b, header...)
	w.raw("<EPCISBody>")
	if isQuery(d) {
		q := Query{}
		if d.Query != nil {
			q = *d.Query
		}
		w.raw("<epcisq:QueryResults>")
		w.element("queryName", q.Name)
		w.optional("subscriptionID", q.SubscriptionID)
		w.raw("<resultsBody>")
	}
	w.raw("<EventList>\n")
	w.after() // what cannot be written is known before the first event is
	return w.result()
}

func (w *xmlWriter) root() string {
	if isQuery(w.doc) {
		return "epcisq:EPCISQueryDocument"
	}
	return "epcis:EPCISDocument"
}

// after is what stands behind the body.
func (w *xmlWriter) after() []byte {
	was, local := w.b, w.names.local
	w.b, w.where = nil, "document"
	fields := w.doc.Extensions
	if w.v2 { // EPCISHeader of 2.0 has no place for them
		fields = slices.Concat(w.doc.HeaderFields, fields)
	}
	for _, f := range fields {
		w.lone(f)
	}
	b := w.b
	w.b, w.names.local = was, local
	return b
}

// lone writes a field with the declarations it needs.
func (w *xmlWriter) lone(f Field) {
	if f.Name.Space == "" {
		w.fail("XML has no place for the name %q without a namespace here", f.Name.Local)
		return
	}
	w.names.local = w.names.local[:0]
	was := w.b
	w.b = nil
	w.field(f)
	inner := w.b
	w.b = was
	end := slices.IndexFunc(inner, func(r byte) bool { return r == ' ' || r == '>' || r == '/' })
	if end < 0 {
		return
	}
	w.b = append(w.b, inner[:end]...)
	w.declare(w.names.local)
	w.b = append(w.b, inner[end:]...)
}

func (w *xmlWriter) tail(b []byte) []byte {
	b = append(b, "</EventList>"...)
	if isQuery(w.doc) {
		b = append(b, "</resultsBody></epcisq:QueryResults>"...)
	}
	b = append(append(b, "</EPCISBody>\n"...), w.after()...)
	return append(append(append(b, "</"...), w.root()...), ">\n"...)
}

func (w *xmlWriter) declare(list []Namespace) {
	for _, ns := range list {
		w.attribute("xmlns:"+ns.Prefix, ns.URI)
	}
}

// text writes character data. A carriage return would be read as a line feed
// if it were not written as a reference (XML 1.0 section 2.11).
func (w *xmlWriter) text(s string) { w.escaped(s, false) }

func (w *xmlWriter) escaped(s string, attribute bool) {
	from := 0
	for i := range len(s) {
		var e string
		switch s[i] {
		case '&':
			e = "&amp;"
		case '<':
			e = "&lt;"
		case '>':
			e = "&gt;"
		case '\r':
			e = "&#13;"
		case '"':
			if attribute {
				e = "&quot;"
			}
		case '\t':
			if attribute {
				e = "&#9;"
			}
		case '\n':
			if attribute {
				e = "&#10;"
			}
		}
		if e != "" {
			w.b = append(append(w.b, s[from:i]...), e...)
			from = i + 1
		}
	}
	w.b = append(w.b, s[from:]...)
	w.legible(s)
}

func (w *xmlWriter) attribute(name, value string) {
	w.raw(" " + name + `="`)
	w.escaped(value, true)
	w.raw(`"`)
}

func (w *xmlWriter) element(name, value string) {
	w.b = append(append(append(w.b, '<'), name...), '>')
	w.text(value)
	w.b = append(append(append(w.b, "</"...), name...), '>')
}

func (w *xmlWriter) optional(name, value string) {
	if value != "" {
		w.element(name, value)
	}
}

// qualified is a name as it is written.
func (w *xmlWriter) qualified(n Name) string {
	if !isNCName([]byte(n.Local)) {
		w.fail("XML has no name %q", clip(n.Local))
	}
	if n.Space == "" {
		return n.Local
	}
	if epcisVersion(n.Space) != 0 {
		w.fail("the namespace of EPCIS on %q, which is none of its elements", clip(n.Local))
	}
	w.legible(n.Space)
	return w.names.of(n.Space) + ":" + n.Local
}

// field writes what is not part of the standard. What JSON tells apart from
// text, and text in XML is not, is written as what it says.
func (w *xmlWriter) field(f Field) {
	if f.Kind == List {
		if len(f.Children) > 0 {
			w.fail("XML has no place for the list within a list of %q", clip(f.Name.Local))
		}
		return
	}
	name := w.qualified(f.Name)
	w.b = append(append(w.b, '<'), name...)
	w.attributes(f.Attrs)
	if f.Value == "" && len(f.Children) == 0 {
		w.raw("/>")
		return
	}
	w.raw(">")
	w.text(f.Value)
	for _, c := range f.Children {
		w.field(c)
	}
	w.b = append(append(append(w.b, "</"...), name...), '>')
}

func (w *xmlWriter) attributes(fields []Field) {
	for _, same := range groups(fields) {
		a := same[0]
		if len(same) > 1 || len(a.Children)+len(a.Attrs) > 0 || a.Kind == List {
			w.fail("XML has no place for %q, which comes twice or has something inside it, as an attribute", clip(a.Name.Local))
		}
		if a.Name.Space == "" && a.Name.Local == "xmlns" {
			w.fail("the attribute xmlns")
		}
		w.attribute(w.qualified(a.Name), a.Value)
		if a.Name == (Name{Space: instanceURI, Local: "type"}) {
			// The value is a qualified name: its prefix has to mean something.
			if prefix, _, ok := strings.Cut(a.Value, ":"); ok && (prefix == "xsd" || prefix == "xs") {
				w.names.bind(Namespace{Prefix: prefix, URI: schemaURI})
			}
		}
	}
}

func (w *xmlWriter) event(b []byte, e *Event, number int) ([]byte, error) {
	w.err, w.where = nil, fmt.Sprintf("event %d", number)
	w.names.local = w.names.local[:0]
	if e.Type == QuantityEvent && !w.v2 {
		w.checkQuantityEvent(e)
	} else {
		w.check(e)
	}
	if w.err != nil {
		return nil, w.err
	}
	wrap := 0
	if !w.v2 {
		switch e.Type {
		case TransformationEvent:
			wrap = 1
		case AssociationEvent:
			wrap = 2
		default:
		}
	}
	w.b = b
	for range wrap {
		w.raw("<extension>")
	}
	w.raw("<" + string(e.Type))
	at := len(w.b)
	w.raw(">")
	w.eventElements(e)
	if len(w.names.local) > 0 {
		rest := string(w.b[at:])
		w.b = w.b[:at]
		w.declare(w.names.local)
		w.raw(rest)
	}
	w.raw("</" + string(e.Type) + ">")
	for range wrap {
		w.raw("</extension>")
	}
	w.raw("\n")
	return w.result()
}
