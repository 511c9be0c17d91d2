package epcis

import (
	"slices"
	"strings"
)

func (w *jsonWriter) eventMembers(e *Event) {
	w.optional("eventID", e.EventID)
	w.member("eventTime")
	w.quoted(func() { w.time(e.EventTime) })
	w.member("eventTimeZoneOffset")
	w.text(zone(e))
	if !e.RecordTime.IsZero() {
		w.member("recordTime")
		w.quoted(func() { w.time(e.RecordTime) })
	}
	w.errorDeclaration(e.Error)
	switch len(e.Certifications) {
	case 0:
	case 1:
		w.member("certificationInfo")
		w.text(e.Certifications[0])
	default:
		w.texts("certificationInfo", e.Certifications, false)
	}
	w.objects(e)
	w.optional("action", string(e.Action))
	w.optional("transformationID", e.TransformationID)
	w.optional("bizStep", bizSteps.json(e.BizStep))
	w.optional("disposition", dispositions.json(e.Disposition))
	w.persistent(e.Persistent)
	w.place("readPoint", e.ReadPoint)
	w.place("bizLocation", e.BizLocation)
	w.references("bizTransactionList", "bizTransaction", bizTypes, e.BizTransactions)
	w.references("sourceList", "source", partyTypes, e.Sources)
	w.references("destinationList", "destination", partyTypes, e.Destinations)
	w.sensors(e.Sensors)
	if len(e.ILMD) > 0 {
		w.member("ilmd")
		w.raw("{")
		w.grouped(e.ILMD, true)
		w.raw("}")
	}
	w.grouped(e.Extensions, false)
}

// objects writes what the event is about. The schema wants some list of an
// ObjectEvent and a TransactionEvent, and be it an empty one.
func (w *jsonWriter) objects(e *Event) {
	w.optional("parentID", e.Parent)
	switch e.Type {
	case AggregationEvent, AssociationEvent:
		w.texts("childEPCs", e.EPCs, false)
		w.quantities("childQuantityList", e.Quantities)
	case TransformationEvent:
		w.texts("inputEPCList", e.InputEPCs, false)
		w.quantities("inputQuantityList", e.InputQuantities)
		w.texts("outputEPCList", e.OutputEPCs, false)
		w.quantities("outputQuantityList", e.OutputQuantities)
	default:
		w.texts("epcList", e.EPCs, len(e.Quantities) == 0)
		w.quantities("quantityList", e.Quantities)
	}
}

func (w *jsonWriter) quoted(what func()) {
	w.raw(`"`)
	what()
	w.raw(`"`)
}

func (w *jsonWriter) optional(name, value string) {
	if value != "" {
		w.member(name)
		w.text(value)
	}
}

func (w *jsonWriter) texts(name string, values []string, always bool) {
	if len(values) > 0 || always {
		w.member(name)
		list(w, values, w.text)
	}
}

func (w *jsonWriter) quantities(name string, values []Quantity) {
	if len(values) == 0 {
		return
	}
	w.member(name)
	list(w, values, func(q Quantity) {
		w.raw(`{"epcClass":`)
		w.text(q.Class)
		if q.Amount != "" {
			w.member("quantity")
			w.number(q.Amount)
		}
		w.optional("uom", q.UOM)
		w.raw("}")
	})
}

func (w *jsonWriter) references(name, each string, types vocabulary, values []Reference) {
	if len(values) == 0 {
		return
	}
	w.member(name)
	list(w, values, func(r Reference) {
		w.raw("{")
		if r.Type != "" {
			w.raw(`"type":`)
			w.text(types.json(r.Type))
			w.raw(",")
		}
		w.raw(`"` + each + `":`)
		w.text(r.ID)
		w.raw("}")
	})
}

func (w *jsonWriter) place(name string, p Place) {
	if p.ID == "" && len(p.Extensions) == 0 {
		return
	}
	w.member(name)
	w.raw("{")
	if p.ID != "" {
		w.raw(`"id":`)
		w.text(p.ID)
	}
	w.grouped(p.Extensions, p.ID == "")
	w.raw("}")
}

func (w *jsonWriter) persistent(d *PersistentDisposition) {
	if d == nil {
		return
	}
	w.member("persistentDisposition")
	w.raw("{")
	words := func(values []string) {
		list(w, values, func(s string) { w.text(dispositions.json(s)) })
	}
	if len(d.Set) > 0 {
		w.raw(`"set":`)
		words(d.Set)
	}
	if len(d.Unset) > 0 {
		if len(d.Set) > 0 {
			w.raw(",")
		}
		w.raw(`"unset":`)
		words(d.Unset)
	}
	w.raw("}")
}

func (w *jsonWriter) errorDeclaration(d *ErrorDeclaration) {
	if d == nil {
		return
	}
	w.member("errorDeclaration")
	w.raw(`{"declarationTime":`)
	w.quoted(func() { w.time(d.At) })
	w.optional("reason", errorReasons.json(d.Reason))
	w.texts("correctiveEventIDs", d.CorrectiveIDs, false)
	w.grouped(d.Extensions, false)
	w.raw("}")
}

func (w *jsonWriter) sensors(values []Sensor) {
	if len(values) == 0 {
		return
	}
	w.member("sensorElementList")
	list(w, values, func(s Sensor) {
		w.raw("{")
		if len(s.Metadata) > 0 {
			w.raw(`"sensorMetadata":`)
			w.attributes(metadataAttributes, s.Metadata)
			w.raw(",")
		}
		if len(s.Reports) == 0 {
			w.fail("a sensor element without a report")
		}
		w.raw(`"sensorReport":`)
		list(w, s.Reports, func(r []Field) {
			if !slices.ContainsFunc(r, func(f Field) bool { return f.Name == Name{Local: "type"} }) {
				w.fail("JSON has no sensor report without a type")
			}
			w.attributes(reportAttributes, r)
		})
		w.grouped(s.Extensions, false)
		w.raw("}")
	})
}

// attributes writes a sensor report or sensor metadata. What the standard
// says is a number or a boolean is one in JSON, however it is held.
func (w *jsonWriter) attributes(known map[string]Kind, fields []Field) {
	w.raw("{")
	own := fields[:0:0]
	first := true
	for _, same := range groups(fields) {
		f := same[0]
		kind, ok := known[f.Name.Local]
		if f.Name.Space != "" || !ok {
			own = append(own, same...)
			continue
		}
		if len(same) > 1 {
			w.fail("the sensor attribute %s comes twice", f.Name.Local)
		}
		if !first {
			w.raw(",")
		}
		first = false
		w.text(f.Name.Local)
		w.raw(":")
		switch v, isWord := sensorVocabularies[f.Name.Local]; {
		case kind == Number:
			w.number(f.Value)
		case kind == Boolean:
			w.scalar(Field{Kind: Boolean, Value: boolean(f.Value)})
		case isWord:
			w.text(v.json(f.Value))
		default:
			w.text(f.Value)
		}
	}
	w.grouped(own, first)
	w.raw("}")
}

// boolean is the word for what XML Schema also writes as a digit.
func boolean(s string) string {
	switch strings.TrimSpace(s) {
	case "1":
		return "true"
	case "0":
		return "false"
	}
	return s
}
