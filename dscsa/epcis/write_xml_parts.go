package epcis

func (w *xmlWriter) errorDeclaration(d *ErrorDeclaration) {
	if d == nil {
		return
	}
	w.raw("<errorDeclaration><declarationTime>")
	w.time(d.At)
	w.raw("</declarationTime>")
	w.optional("reason", errorReasons.xml(d.Reason))
	if len(d.CorrectiveIDs) > 0 {
		w.raw("<correctiveEventIDs>")
		for _, id := range d.CorrectiveIDs {
			w.element("correctiveEventID", id)
		}
		w.raw("</correctiveEventIDs>")
	}
	w.extended(d.Extensions)
	w.raw("</errorDeclaration>")
}

// extended writes extensions of something that keeps an extension element for
// those without a namespace.
func (w *xmlWriter) extended(fields []Field) {
	open := false
	for _, f := range fields {
		if f.Name.Space != "" {
			continue
		}
		if !open {
			w.raw("<extension>")
			open = true
		}
		w.field(f)
	}
	if open {
		w.raw("</extension>")
	}
	for _, f := range fields {
		if f.Name.Space != "" {
			w.field(f)
		}
	}
}

func (w *xmlWriter) identifiers(name string, ids []string, always bool) {
	if len(ids) == 0 {
		if always {
			w.raw("<" + name + "/>")
		}
		return
	}
	w.raw("<" + name + ">")
	for _, id := range ids {
		w.element("epc", id)
	}
	w.raw("</" + name + ">")
}

func (w *xmlWriter) quantities(name string, list []Quantity) {
	if len(list) == 0 {
		return
	}
	w.raw("<" + name + ">")
	for _, q := range list {
		w.raw("<quantityElement>")
		w.element("epcClass", q.Class)
		switch {
		case q.Amount != "" && !isDecimal(q.Amount):
			w.fail("XML has no decimal %q", clip(q.Amount))
		case q.Amount == "" && q.UOM != "":
			w.fail("XML has no unit of measure without a quantity")
		}
		w.optional("quantity", q.Amount)
		w.optional("uom", q.UOM)
		w.raw("</quantityElement>")
	}
	w.raw("</" + name + ">")
}
