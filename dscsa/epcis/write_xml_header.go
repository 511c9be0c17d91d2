package epcis

import "slices"

// header writes EPCISHeader: business header, master data and, in 1.2, what
// is not of the standard.
func (w *xmlWriter) header() {
	d := w.doc
	if d.Header == nil && len(d.MasterData) == 0 && (w.v2 || len(d.HeaderFields) == 0) {
		return
	}
	w.where = "header"
	w.raw("<EPCISHeader>")
	switch {
	case d.Header != nil:
		w.businessHeader(d.Header)
	case !w.v2:
		w.fail("EPCIS 1.2 has master data and the fields of the header only beside a business header; add sender and receiver")
	}
	if len(d.MasterData) > 0 {
		w.raw("<extension><EPCISMasterData><VocabularyList>")
		for _, v := range d.MasterData {
			w.vocabulary(v)
		}
		w.raw("</VocabularyList></EPCISMasterData></extension>")
	}
	if !w.v2 {
		for _, f := range d.HeaderFields {
			if f.Name.Space == "" {
				w.fail("XML has no place for the name %q without a namespace here", f.Name.Local)
			}
			w.field(f)
		}
	}
	w.raw("</EPCISHeader>\n")
	w.where = "document"
}

func (w *xmlWriter) vocabulary(v Vocabulary) {
	w.raw("<Vocabulary")
	w.attribute("type", v.Type)
	w.raw(">")
	if len(v.Elements) > 0 {
		w.raw("<VocabularyElementList>")
		for _, e := range v.Elements {
			w.raw("<VocabularyElement")
			w.attribute("id", e.ID)
			w.raw(">")
			w.masterData(e)
			w.raw("</VocabularyElement>")
		}
		w.raw("</VocabularyElementList>")
	}
	w.raw("</Vocabulary>")
}

// masterData writes what is known of one thing. What is no attribute is held
// as one without an ID.
func (w *xmlWriter) masterData(e Element) {
	var others []Field
	for _, a := range e.Attributes {
		if a.ID == "" {
			others = append(others, a.Fields...)
			continue
		}
		w.raw("<attribute")
		w.attribute("id", a.ID)
		w.raw(">")
		w.text(a.Value)
		for _, f := range a.Fields {
			w.field(f)
		}
		w.raw("</attribute>")
	}
	if len(e.Children) > 0 {
		w.raw("<children>")
		for _, c := range e.Children {
			w.element("id", c)
		}
		w.raw("</children>")
	}
	for _, f := range others {
		w.field(f)
	}
}

// businessHeader writes the Standard Business Document Header (UN/CEFACT).
func (w *xmlWriter) businessHeader(h *BusinessHeader) {
	if len(h.Sender) == 0 || len(h.Receiver) == 0 {
		w.fail("the business header needs a sender and a receiver")
	}
	own := map[string][]Field{}
	for _, f := range h.Fields {
		own[f.Name.Local] = append(own[f.Name.Local], f)
	}
	w.raw("<sbdh:StandardBusinessDocumentHeader>")
	w.given(own["HeaderVersion"], "HeaderVersion", "1.0")
	for _, side := range []struct {
		name string
		list []Party
	}{{"Sender", h.Sender}, {"Receiver", h.Receiver}} {
		for _, p := range side.list {
			w.party(side.name, p, own[side.name])
		}
	}
	var identification []Field
	if f := own["DocumentIdentification"]; len(f) > 0 {
		identification = f[0].Children
	}
	said := func(name string) []Field {
		i := slices.IndexFunc(identification, func(f Field) bool { return f.Name.Local == name })
		if i < 0 {
			return nil
		}
		return identification[i : i+1]
	}
	w.raw("<sbdh:DocumentIdentification>")
	w.given(said("Standard"), "Standard", "EPCglobal")
	w.given(said("TypeVersion"), "TypeVersion", "1.0")
	w.element("sbdh:InstanceIdentifier", h.InstanceIdentifier)
	w.given(said("Type"), "Type", "Events")
	if f := said("MultipleType"); f != nil {
		w.field(f[0])
	}
	at := h.CreatedAt
	if at.IsZero() {
		at = w.doc.CreationDate
	}
	w.raw("<sbdh:CreationDateAndTime>")
	w.time(at)
	w.raw("</sbdh:CreationDateAndTime></sbdh:DocumentIdentification>")
	for _, name := range []string{"Manifest", "BusinessScope"} {
		for _, f := range own[name] {
			w.field(f)
		}
	}
	w.raw("</sbdh:StandardBusinessDocumentHeader>")
}

// given writes what the header says, or what it has to say at least.
func (w *xmlWriter) given(fields []Field, name, value string) {
	if len(fields) > 0 {
		value = fields[0].Value
	}
	w.element("sbdh:"+name, value)
}

// party writes a sender or receiver, with its contact when that is known.
func (w *xmlWriter) party(name string, p Party, known []Field) {
	for _, f := range known {
		for _, c := range f.Children {
			if c.Name.Local == "Identifier" && c.Value == p.ID {
				w.field(f)
				return
			}
		}
	}
	w.raw("<sbdh:" + name + "><sbdh:Identifier")
	if p.Authority != "" {
		w.attribute("Authority", p.Authority)
	}
	w.raw(">")
	w.text(p.ID)
	w.raw("</sbdh:Identifier></sbdh:" + name + ">")
}
