package epcis

import (
	"fmt"
	"strings"
)

const epcisContext = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"

// jsonWriter writes EPCIS 2.0 JSON-LD, one event a line.
type jsonWriter struct {
	output
	doc *Document
}

func newJSONWriter(doc *Document) *jsonWriter {
	// Prefixes that would read as the schemes of everyday URIs.
	schemes := []string{"urn", "http", "https", "ni", "geo", "tel", "mailto", "data", "ftp", "info", "tag"}
	return &jsonWriter{doc: doc, output: output{where: "document", names: newPrefixes(standardPrefixes, schemes, doc)}}
}

func (w *jsonWriter) head(b []byte) ([]byte, error) {
	d := w.doc
	if isQuery(d) && len(d.MasterData) > 0 {
		w.fail("a query document in JSON has no master data")
	}
	// What the head holds is written first, to know its namespaces.
	w.b = nil
	fields := append(d.HeaderFields[:len(d.HeaderFields):len(d.HeaderFields)], d.Extensions...)
	w.masterData()
	w.grouped(fields, false)
	inner := w.b
	w.names.settle()

	w.b = append(b, `{"@context":`...)
	w.context()
	if d.ID != "" {
		w.raw(`,"id":`)
		w.text(d.ID)
	}
	root := "EPCISDocument"
	if isQuery(d) {
		root = "EPCISQueryDocument"
	}
	w.raw(`,"type":"` + root + `","schemaVersion":`)
	w.text(schemaVersion(JSON20, d))
	w.raw(`,"creationDate":"`)
	w.time(d.CreationDate)
	w.raw(`"`)
	w.parties()
	w.b = append(w.b, inner...)
	w.raw(`,"epcisBody":{`)
	if isQuery(d) {
		w.raw(`"queryResults":{`)
		if d.Query != nil && d.Query.SubscriptionID != "" {
			w.raw(`"subscriptionID":`)
			w.text(d.Query.SubscriptionID)
			w.raw(",")
		}
		w.raw(`"queryName":`)
		name := ""
		if d.Query != nil {
			name = d.Query.Name
		}
		w.text(name)
		w.raw(`,"resultsBody":{`)
	}
	w.raw(`"eventList":[`)
	return w.result()
}

func (w *jsonWriter) tail(b []byte) []byte {
	if isQuery(w.doc) {
		return append(b, "\n]}}}}\n"...)
	}
	return append(b, "\n]}}\n"...)
}

func (w *jsonWriter) context() {
	w.raw(`["` + epcisContext + `"`)
	if len(w.names.declared) > 0 {
		w.raw(",")
		w.bindings(w.names.declared)
	}
	w.raw("]")
}

func (w *jsonWriter) bindings(list []Namespace) {
	for i, ns := range list {
		w.raw([]string{"{", ","}[min(i, 1)])
		w.text(ns.Prefix)
		w.raw(":")
		w.text(ns.URI)
	}
	w.raw("}")
}

// parties writes what JSON has in place of a business header.
func (w *jsonWriter) parties() {
	h := w.doc.Header
	if h == nil || isQuery(w.doc) {
		return
	}
	for _, side := range []struct {
		name string
		list []Party
	}{{"sender", h.Sender}, {"receiver", h.Receiver}} {
		switch len(side.list) {
		case 0:
		case 1:
			w.member(side.name)
			w.text(side.list[0].ID)
		default:
			w.fail("JSON has one %s, not %d", side.name, len(side.list))
		}
	}
	if h.InstanceIdentifier != "" {
		w.member("instanceIdentifier")
		w.text(h.InstanceIdentifier)
	}
}

func (w *jsonWriter) masterData() {
	if len(w.doc.MasterData) == 0 {
		return
	}
	w.where = "header"
	w.raw(`,"epcisHeader":{"epcisMasterData":{"vocabularyList":`)
	list(w, w.doc.MasterData, func(v Vocabulary) {
		w.raw(`{"type":`)
		w.text(v.Type)
		w.raw(`,"vocabularyElementList":`)
		list(w, v.Elements, w.element)
		w.raw("}")
	})
	w.raw("}}")
	w.where = "document"
}

func (w *jsonWriter) element(e Element) {
	w.raw(`{"id":`)
	w.text(e.ID)
	if len(e.Attributes) > 0 {
		w.raw(`,"attributes":`)
		list(w, e.Attributes, func(a Attribute) {
			if a.ID == "" {
				w.fail("JSON has no place for what is no attribute in the master data of %s", e.ID)
			}
			w.raw(`{"id":`)
			w.text(a.ID)
			w.raw(`,"attribute":`)
			w.value(Field{Value: a.Value, Children: a.Fields})
			w.raw("}")
		})
	}
	if len(e.Children) > 0 {
		w.raw(`,"children":`)
		list(w, e.Children, w.text)
	}
	w.raw("}")
}

// list writes an array.
func list[T any](w *jsonWriter, items []T, each func(T)) {
	w.raw("[")
	for i, item := range items {
		if i > 0 {
			w.raw(",")
		}
		each(item)
	}
	w.raw("]")
}

// member begins a member that is not the first one.
func (w *jsonWriter) member(name string) { w.raw(`,"` + name + `":`) }

// text writes a string. The characters that mean something in HTML are
// written as they are: a document is no part of a page.
func (w *jsonWriter) text(s string) {
	w.b = append(w.b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c] || c >= 0x80 {
			continue
		}
		w.b = append(w.b, s[from:i]...)
		from = i + 1
		switch c {
		case '\n':
			w.raw(`\n`)
		case '\r':
			w.raw(`\r`)
		case '\t':
			w.raw(`\t`)
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		}
	}
	w.b = append(append(w.b, s[from:]...), '"')
	w.legible(s)
}

// number writes a decimal or floating-point number of XML Schema as JSON.
func (w *jsonWriter) number(s string) {
	n := s
	if !isNumber(n) {
		sign := ""
		switch rest := strings.TrimPrefix(n, "+"); {
		case strings.HasPrefix(rest, "-") && rest == n:
			sign, n = "-", rest[1:]
		default:
			n = rest
		}
		mantissa, exponent := n, ""
		if i := strings.IndexAny(n, "eE"); i >= 0 {
			mantissa, exponent = n[:i], n[i:]
		}
		whole, fraction, _ := strings.Cut(mantissa, ".")
		if mantissa == "." || mantissa == "" {
			whole = "?"
		}
		whole = strings.TrimLeft(whole, "0")
		if whole == "" {
			whole = "0"
		}
		if fraction != "" {
			fraction = "." + fraction
		}
		n = sign + whole + fraction + exponent
	}
	if !isNumber(n) {
		w.fail("JSON has no number %q", clip(s))
	}
	w.raw(n)
}

// name writes a member name and its colon. top: it stands beside names of the
// standard, so that it needs a namespace.
func (w *jsonWriter) name(n Name, top bool) {
	switch {
	case n.Space == "" && (top || n.Local == "" || n.Local[0] == '@' || n.Local == "#text" || strings.ContainsRune(n.Local, ':')):
		w.fail("JSON has no place for the name %q without a namespace", n.Local)
	case n.Space != "" && !strings.ContainsRune(n.Space, ':'):
		w.fail("the namespace %q is no URI", clip(n.Space))
	case n.Space != "" && (n.Local == "" || strings.HasPrefix(n.Local, "//")):
		w.fail("the name %q", n.Local)
	}
	if n.Space != "" {
		n.Local = w.names.of(n.Space) + ":" + n.Local
	}
	w.text(n.Local)
	w.raw(":")
}

// grouped writes fields as members, each after a comma: fields of one name
// are a list. first: no comma before the first one.
func (w *jsonWriter) grouped(fields []Field, first bool) { w.members(fields, first, true) }

func (w *jsonWriter) members(fields []Field, first, top bool) {
	for _, same := range groups(fields) {
		if !first {
			w.raw(",")
		}
		first = false
		w.name(same[0].Name, top)
		switch {
		case len(same) > 1:
			list(w, same, w.value)
		case same[0].Kind != List:
			w.value(same[0])
		case len(same[0].Children) == 0:
			w.raw("[]")
		default:
			list(w, same, w.value)
		}
	}
}

// groups puts fields of one name together, in the order the names come in.
func groups(fields []Field) [][]Field {
	list := make([][]Field, 0, len(fields))
	at := make(map[Name]int, len(fields))
	for i, f := range fields {
		g, ok := at[f.Name]
		if !ok {
			at[f.Name] = len(list)
			list = append(list, fields[i:i+1:i+1])
			continue
		}
		list[g] = append(list[g], f)
	}
	return list
}

func (w *jsonWriter) value(f Field) {
	switch {
	case f.Kind == List:
		list(w, f.Children, w.value)
	case len(f.Attrs) == 0 && len(f.Children) == 0:
		w.scalar(f)
	default:
		w.raw("{")
		first := true
		for _, same := range groups(f.Attrs) {
			a := same[0]
			if len(same) > 1 || len(a.Children)+len(a.Attrs) > 0 {
				w.fail("the attribute %s comes twice or has something inside it", a.Name.Local)
			}
			if !first {
				w.raw(",")
			}
			first = false
			if a.Name.Space != "" {
				a.Name.Local = w.names.of(a.Name.Space) + ":" + a.Name.Local
			}
			w.text("@" + a.Name.Local)
			w.raw(":")
			w.scalar(a)
		}
		if f.Value != "" || f.Kind != Text {
			if !first {
				w.raw(",")
			}
			first = false
			w.raw(`"#text":`)
			w.scalar(f)
		}
		w.members(f.Children, first, false)
		w.raw("}")
	}
}

func (w *jsonWriter) scalar(f Field) {
	switch f.Kind {
	case Text:
		w.text(f.Value)
	case Number:
		w.number(f.Value)
	case Boolean:
		if f.Value != "true" && f.Value != "false" {
			w.fail("%q is neither true nor false", clip(f.Value))
		}
		w.raw(f.Value)
	case Null:
		w.raw("null")
	case EmptyObject:
		w.raw("{}")
	case List:
		w.fail("a list as an attribute")
	}
}

func (w *jsonWriter) event(b []byte, e *Event, number int) ([]byte, error) {
	w.err, w.where = nil, fmt.Sprintf("event %d", number)
	w.names.local = w.names.local[:0]
	w.check(e)
	if w.err != nil {
		return nil, w.err
	}
	if number > 1 {
		b = append(b, ',')
	}
	b = append(append(append(b, "\n{\"type\":\""...), e.Type...), '"')
	w.b = b
	at := len(b)
	w.eventMembers(e)
	if len(w.names.local) > 0 { // declared in front of what uses them
		rest := string(w.b[at:])
		w.b = w.b[:at]
		w.member("@context")
		w.bindings(w.names.local)
		w.raw(rest)
	}
	w.raw("}")
	return w.result()
}
