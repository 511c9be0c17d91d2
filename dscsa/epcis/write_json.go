package epcis

import "fmt"

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
