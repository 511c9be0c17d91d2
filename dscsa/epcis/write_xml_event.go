package epcis

func (w *xmlWriter) eventElements(e *Event) {
	w.stamped(e)
	switch e.Type {
	case ObjectEvent:
		w.identifiers("epcList", e.EPCs, true)
		w.element("action", string(e.Action))
		w.where4(e)
		w.transactions(e.BizTransactions)
	case AggregationEvent:
		w.optional("parentID", e.Parent)
		w.identifiers("childEPCs", e.EPCs, true)
		w.element("action", string(e.Action))
		w.where4(e)
		w.transactions(e.BizTransactions)
	case TransactionEvent:
		if len(e.BizTransactions) == 0 {
			w.fail("a TransactionEvent without a business transaction")
		}
		w.transactions(e.BizTransactions)
		w.optional("parentID", e.Parent)
		w.identifiers("epcList", e.EPCs, true)
		w.element("action", string(e.Action))
		w.where4(e)
	case TransformationEvent:
		w.identifiers("inputEPCList", e.InputEPCs, false)
		w.quantities("inputQuantityList", e.InputQuantities)
		w.identifiers("outputEPCList", e.OutputEPCs, false)
		w.quantities("outputQuantityList", e.OutputQuantities)
		w.optional("transformationID", e.TransformationID)
		w.where4(e)
		w.transactions(e.BizTransactions)
	case QuantityEvent:
		w.element("epcClass", e.Quantities[0].Class)
		w.element("quantity", e.Quantities[0].Amount)
		w.where4(e)
		w.transactions(e.BizTransactions)
	case AssociationEvent:
		w.optional("parentID", e.Parent)
		w.identifiers("childEPCs", e.EPCs, false)
		w.quantities("childQuantityList", e.Quantities)
		w.element("action", string(e.Action))
		w.where4(e)
		w.transactions(e.BizTransactions)
	default:
	}
	switch {
	case w.v2 || e.Type == AssociationEvent:
		w.later2(e)
	case e.Type == QuantityEvent:
		if local := locals(e.Extensions); len(local) > 0 {
			w.extension(func() { w.fields(local) })
		}
	default:
		w.later1(e)
	}
	for _, f := range e.Extensions {
		if f.Name.Space != "" {
			w.field(f)
		}
	}
}

// checkQuantityEvent refuses what the event of EPCIS 1.0 has no place for
// (1.2 section 7.4.4).
func (w *xmlWriter) checkQuantityEvent(e *Event) {
	switch {
	case e.EventTime.IsZero():
		w.fail("eventTime is missing")
	case len(e.Quantities) != 1 || e.Quantities[0].Amount == "" || e.Quantities[0].UOM != "":
		w.fail("a QuantityEvent is about one quantity, counted")
	case hasOf(e)&^hasQuantities != 0 || len(e.Sources)+len(e.Destinations)+len(e.Sensors) > 0 || e.Persistent != nil:
		w.fail("a QuantityEvent has nothing but a quantity, a step, a disposition, places and business transactions")
	}
}

// stamped writes what every event begins with.
func (w *xmlWriter) stamped(e *Event) {
	w.raw("<eventTime>")
	w.time(e.EventTime)
	w.raw("</eventTime>")
	if !e.RecordTime.IsZero() {
		w.raw("<recordTime>")
		w.time(e.RecordTime)
		w.raw("</recordTime>")
	}
	w.element("eventTimeZoneOffset", zone(e))
	if w.v2 {
		w.optional("eventID", e.EventID)
		w.errorDeclaration(e.Error)
		w.certifications(e)
		return
	}
	if e.EventID == "" && e.Error == nil && len(e.Certifications) == 0 {
		return
	}
	w.raw("<baseExtension>")
	w.optional("eventID", e.EventID)
	w.errorDeclaration(e.Error)
	if len(e.Certifications) > 0 {
		w.raw("<extension>")
		w.certifications(e)
		w.raw("</extension>")
	}
	w.raw("</baseExtension>")
}

func (w *xmlWriter) certifications(e *Event) {
	if w.v2 && len(e.Certifications) > 1 {
		w.fail("EPCIS 2.0 XML has one certificationInfo, not %d", len(e.Certifications))
	}
	for _, c := range e.Certifications {
		w.element("certificationInfo", c)
	}
}

// where4 writes step, disposition and places.
func (w *xmlWriter) where4(e *Event) {
	w.optional("bizStep", bizSteps.xml(e.BizStep))
	w.optional("disposition", dispositions.xml(e.Disposition))
	w.place("readPoint", e.ReadPoint)
	w.place("bizLocation", e.BizLocation)
}

func (w *xmlWriter) place(name string, p Place) {
	switch {
	case p.ID != "":
	case len(p.Extensions) > 0:
		w.fail("XML has no %s without an id", name)
		return
	default:
		return
	}
	w.raw("<" + name + ">")
	w.element("id", p.ID)
	w.extended(p.Extensions)
	w.raw("</" + name + ">")
}

func (w *xmlWriter) transactions(list []Reference) {
	w.references("bizTransactionList", "bizTransaction", bizTypes, list)
}

func (w *xmlWriter) parties(e *Event) {
	w.references("sourceList", "source", partyTypes, e.Sources)
	w.references("destinationList", "destination", partyTypes, e.Destinations)
}

func (w *xmlWriter) references(name, each string, types vocabulary, list []Reference) {
	if len(list) == 0 {
		return
	}
	w.raw("<" + name + ">")
	for _, r := range list {
		w.raw("<" + each)
		if r.Type != "" {
			w.attribute("type", types.xml(r.Type))
		}
		w.raw(">")
		w.text(r.ID)
		w.raw("</" + each + ">")
	}
	w.raw("</" + name + ">")
}

// later2 writes what stands behind the business transactions, where 2.0 has it.
func (w *xmlWriter) later2(e *Event) {
	switch e.Type {
	case ObjectEvent, TransactionEvent:
		w.quantities("quantityList", e.Quantities)
	case AggregationEvent:
		w.quantities("childQuantityList", e.Quantities)
	default:
	}
	w.parties(e)
	w.sensors(e.Sensors)
	w.persistent(e.Persistent)
	w.ilmd(e.ILMD)
	if local := locals(e.Extensions); len(local) > 0 {
		if w.v2 {
			w.fail("EPCIS 2.0 XML has no place for %q without a namespace", clip(local[0].Name.Local))
			return
		}
		w.extension(func() { w.fields(local) })
	}
}

// later1 writes the same where 1.2 has it: what came with 1.1 in an extension,
// what came later in the extension of that, which 1.2 leaves open.
func (w *xmlWriter) later1(e *Event) {
	local := locals(e.Extensions)
	late := len(e.Sensors) > 0 || e.Persistent != nil || len(local) > 0
	latest := func() {
		w.sensors(e.Sensors)
		w.persistent(e.Persistent)
		w.fields(local)
	}
	if e.Type == TransformationEvent {
		w.parties(e)
		w.ilmd(e.ILMD)
		if late {
			w.extension(latest)
		}
		return
	}
	if !late && len(e.Quantities)+len(e.Sources)+len(e.Destinations)+len(e.ILMD) == 0 {
		return
	}
	w.extension(func() {
		name := "quantityList"
		if e.Type == AggregationEvent {
			name = "childQuantityList"
		}
		w.quantities(name, e.Quantities)
		w.parties(e)
		w.ilmd(e.ILMD)
		if late {
			w.extension(latest)
		}
	})
}

// extension writes what stands in an extension element.
func (w *xmlWriter) extension(what func()) {
	w.raw("<extension>")
	what()
	w.raw("</extension>")
}

func (w *xmlWriter) fields(list []Field) {
	for _, f := range list {
		w.field(f)
	}
}

// locals are the fields without a namespace.
func locals(fields []Field) (list []Field) {
	for _, f := range fields {
		if f.Name.Space == "" {
			list = append(list, f)
		}
	}
	return list
}

func (w *xmlWriter) ilmd(fields []Field) {
	if len(fields) == 0 {
		return
	}
	w.raw("<ilmd>")
	w.extended(fields)
	w.raw("</ilmd>")
}

func (w *xmlWriter) persistent(d *PersistentDisposition) {
	if d == nil {
		return
	}
	w.raw("<persistentDisposition>")
	for _, s := range d.Unset {
		w.element("unset", dispositions.xml(s))
	}
	for _, s := range d.Set {
		w.element("set", dispositions.xml(s))
	}
	w.raw("</persistentDisposition>")
}

func (w *xmlWriter) sensors(list []Sensor) {
	if len(list) == 0 {
		return
	}
	w.raw("<sensorElementList>")
	for _, s := range list {
		w.raw("<sensorElement>")
		if len(s.Metadata) > 0 {
			w.raw("<sensorMetadata")
			w.attributes(s.Metadata)
			w.raw("/>")
		}
		if len(s.Reports) == 0 {
			w.fail("a sensor element without a report")
		}
		for _, r := range s.Reports {
			w.raw("<sensorReport")
			w.attributes(sensorWords(r, vocabulary.xml))
			w.raw("/>")
		}
		w.extended(s.Extensions)
		w.raw("</sensorElement>")
	}
	w.raw("</sensorElementList>")
}

// sensorWords is a sensor report with its words as spell writes them.
func sensorWords(report []Field, spell func(vocabulary, string) string) []Field {
	list := make([]Field, len(report))
	for i, f := range report {
		if v, ok := sensorVocabularies[f.Name.Local]; ok && f.Name.Space == "" {
			f.Value = spell(v, f.Value)
		}
		list[i] = f
	}
	return list
}
