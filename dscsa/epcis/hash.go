package epcis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Hash is the event hash of CBV 2.0 section 8.9, "ni:///sha-256;…?ver=CBV2.0":
// the same for the same event in whatever format and spelling. Record time,
// event ID, error declaration and rdfs:comment are no part of it, so that an
// error declaration has the hash of the event it declares wrong (EPCIS 1.2
// section 7.4.1.2).
//
// Where the standard's text, its annex and the reference implementation
// (RalphTro/epcis-event-hash-generator 1.9.3) differ, this follows the
// implementation, because its hashes are what partners have: the order of
// parentID and certificationInfo, a type in front of what it is the type of,
// and business transactions, sources, destinations and ILMD sorted among the
// extensions. It does not follow it in what makes one event two: booleans of
// JSON spelled as Python does, extensions of a namespace that does not end in
// a slash left out of their parents, and the namespaces that JSON ends in a
// separator because it puts names together from them (see namespace).
func Hash(e *Event) string {
	h := hasher{b: make([]byte, 0, 2048)}
	h.event(e)
	sum := sha256.Sum256(h.b)
	h.b = append(h.b[:0], "ni:///sha-256;"...)
	h.b = hex.AppendEncode(h.b, sum[:])
	return string(append(h.b, "?ver=CBV2.0"...))
}

// Prehash is the text that is hashed.
func Prehash(e *Event) string {
	var h hasher
	h.event(e)
	return string(h.b)
}

// hasher puts together the pre-hash text, name=value after name=value.
type hasher struct {
	b     []byte
	parts []part // of the lists under way, innermost last
	spare []byte
}

// part is where in b one element of a list is.
type part struct{ from, to int }

func (h *hasher) event(e *Event) {
	h.raw("eventType=")
	h.raw(string(e.Type))
	h.time("eventTime", e.EventTime)
	h.pair("eventTimeZoneOffset", e.Zone)
	h.texts("", "certificationInfo", e.Certifications)
	h.objects(e)
	h.pair("action", string(e.Action))
	h.pair("transformationID", e.TransformationID)
	h.word("bizStep", bizSteps, e.BizStep)
	h.word("disposition", dispositions, e.Disposition)
	h.persistent(e.Persistent)
	h.place("readPoint", e.ReadPoint)
	h.place("bizLocation", e.BizLocation)
	h.list("sensorElementList", func() {
		for _, s := range e.Sensors {
			h.part(func() { h.sensor(s) })
		}
	})
	h.list("", func() { // what is left is sorted as a whole, whatever it is
		h.part(func() { h.references("bizTransactionList", "bizTransaction", bizTypes, e.BizTransactions) })
		h.part(func() { h.references("sourceList", "source", partyTypes, e.Sources) })
		h.part(func() { h.references("destinationList", "destination", partyTypes, e.Destinations) })
		h.part(func() { h.list("ilmd", func() { h.fields(e.ILMD) }) })
		h.fields(e.Extensions)
	})
}

func (h *hasher) raw(s string) { h.b = append(h.b, s...) }

// list writes the parts that parts writes in their order as text, behind a
// name. A list without parts is not there.
func (h *hasher) list(name string, parts func()) {
	start, first := len(h.b), len(h.parts)
	h.raw(name)
	body := len(h.b)
	parts()
	mine := h.parts[first:]
	if len(h.b) == body {
		h.b = h.b[:start]
	}
	order := func(a, b part) int { return bytes.Compare(h.b[a.from:a.to], h.b[b.from:b.to]) }
	if !slices.IsSortedFunc(mine, order) {
		slices.SortFunc(mine, order)
		h.spare = h.spare[:0]
		for _, p := range mine {
			h.spare = append(h.spare, h.b[p.from:p.to]...)
		}
		h.b = append(h.b[:body], h.spare...)
	}
	h.parts = h.parts[:first]
}

// part writes one part of the list under way.
func (h *hasher) part(what func()) {
	from := len(h.b)
	what()
	if len(h.b) > from {
		h.parts = append(h.parts, part{from, len(h.b)})
	}
}

// pair writes name=value, or nothing when there is no value.
func (h *hasher) pair(name, value string) {
	if value = strings.TrimSpace(value); value == "" {
		return
	}
	h.raw(name)
	h.raw("=")
	h.canonical(value)
}

// word writes a word of a vocabulary as its web URI.
func (h *hasher) word(name string, v vocabulary, word string) {
	if word == "" || strings.ContainsRune(word, ':') {
		h.pair(name, word)
		return
	}
	h.raw(name)
	h.raw("=")
	h.raw(v.uri(word))
}

// time writes a time in UTC to the millisecond, rounded half up.
func (h *hasher) time(name string, t time.Time) {
	h.raw(name)
	h.raw("=")
	h.b = t.UTC().Add(500*time.Microsecond).Truncate(time.Millisecond).AppendFormat(h.b, "2006-01-02T15:04:05.000Z")
}

// texts writes a list of values.
func (h *hasher) texts(name, each string, values []string) {
	h.list(name, func() {
		for _, v := range values {
			h.part(func() { h.pair(each, v) })
		}
	})
}

func (h *hasher) objects(e *Event) {
	h.pair("parentID", e.Parent)
	switch e.Type {
	case AggregationEvent, AssociationEvent:
		h.texts("childEPCs", "epc", e.EPCs)
		h.quantities("childQuantityList", e.Quantities)
	default:
		h.texts("epcList", "epc", e.EPCs)
		h.texts("inputEPCList", "epc", e.InputEPCs)
		h.quantities("quantityList", e.Quantities)
	}
	h.quantities("inputQuantityList", e.InputQuantities)
	h.texts("outputEPCList", "epc", e.OutputEPCs)
	h.quantities("outputQuantityList", e.OutputQuantities)
}

func (h *hasher) quantities(name string, list []Quantity) {
	h.list(name, func() {
		for _, q := range list {
			h.part(func() {
				h.raw("quantityElement")
				h.pair("epcClass", q.Class)
				h.pair("quantity", q.Amount)
				h.pair("uom", q.UOM)
			})
		}
	})
}

func (h *hasher) persistent(d *PersistentDisposition) {
	if d == nil || len(d.Set)+len(d.Unset) == 0 {
		return
	}
	h.raw("persistentDisposition")
	words := func(name string, list []string) {
		h.list("", func() {
			for _, w := range list {
				h.part(func() { h.word(name, dispositions, w) })
			}
		})
	}
	words("set", d.Set)
	words("unset", d.Unset)
}

// place writes the extensions of a place behind its ID.
func (h *hasher) place(name string, p Place) {
	if p.ID == "" && len(p.Extensions) == 0 {
		return
	}
	h.raw(name)
	h.pair("id", p.ID)
	h.list("", func() { h.fields(p.Extensions) })
}

func (h *hasher) references(name, each string, types vocabulary, values []Reference) {
	h.list(name, func() {
		for _, r := range values {
			h.part(func() {
				h.word("type", types, r.Type)
				h.pair(each, r.ID)
			})
		}
	})
}

// The order of what a sensor says.
var (
	metadataOrder = []string{"time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"}
	reportOrder   = []string{
		"type", "exception", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "time", "microorganism",
		"chemicalSubstance", "value", "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue",
		"maxValue", "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem",
	}
)

func (h *hasher) sensor(s Sensor) {
	h.raw("sensorElement")
	h.attributes("sensorMetadata", metadataOrder, s.Metadata)
	h.list("", func() {
		for _, r := range s.Reports {
			h.part(func() { h.attributes("sensorReport", reportOrder, r) })
		}
	})
	h.list("", func() { h.fields(s.Extensions) })
}

func (h *hasher) attributes(name string, order []string, fields []Field) {
	if len(fields) == 0 {
		return
	}
	h.raw(name)
	for _, name := range order {
		for _, f := range fields {
			if f.Name == (Name{Local: name}) {
				h.attribute(name, f.Value)
			}
		}
	}
	h.list("", func() {
		for _, f := range fields {
			if f.Name.Space != "" || !slices.Contains(order, f.Name.Local) {
				h.field(f)
			}
		}
	})
}

func (h *hasher) attribute(name, value string) {
	if v, ok := sensorVocabularies[name]; ok {
		h.word(name, v, value)
		return
	}
	switch name {
	case "booleanValue":
		value = boolean(value)
	case "time", "startTime", "endTime":
		if t, _, ok := parseTime(value); ok {
			h.time(name, t)
			return
		}
	}
	h.pair(name, value)
}

// fields writes each field as a part of the list under way.
func (h *hasher) fields(fields []Field) {
	for _, f := range fields {
		h.field(f)
	}
}

// comment is for people and no part of what happened.
var comment = Name{Space: "http://www.w3.org/2000/01/rdf-schema#", Local: "comment"}

func (h *hasher) field(f Field) {
	switch {
	case f.Name == comment:
		return
	case f.Kind == List: // of values of this name, as one that is not in a list
		for _, c := range f.Children {
			c.Name = f.Name
			h.field(c)
		}
		return
	}
	h.part(func() {
		if f.Name.Space != "" {
			h.raw("{")
			h.raw(namespace(f.Name.Space))
			h.raw("}")
		}
		h.entry(f.Name.Local, f.Value)
		h.list("", func() {
			h.fields(f.Attrs)
			h.fields(f.Children)
		})
	})
}

// entry writes a name and, if there is one, its value.
func (h *hasher) entry(name, value string) {
	if value = strings.TrimSpace(value); value == "" {
		h.raw(name)
		return
	}
	h.pair(name, value)
}
