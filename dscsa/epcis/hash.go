package epcis

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/gs1"
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
// a slash left out of their parents.
func Hash(e *Event) string {
	sum := sha256.Sum256([]byte(Prehash(e)))
	return "ni:///sha-256;" + hex.EncodeToString(sum[:]) + "?ver=CBV2.0"
}

// Prehash is the text that is hashed.
func Prehash(e *Event) string {
	h := hasher{}
	h.b.WriteString("eventType=" + string(e.Type))
	h.time("eventTime", e.EventTime)
	h.pair("eventTimeZoneOffset", e.Zone)
	h.sorted("", "certificationInfo", e.Certifications)
	h.objects(e)
	h.pair("action", string(e.Action))
	h.pair("transformationID", e.TransformationID)
	h.pair("bizStep", bizSteps.uri(e.BizStep))
	h.pair("disposition", dispositions.uri(e.Disposition))
	h.persistent(e.Persistent)
	h.place("readPoint", e.ReadPoint)
	h.place("bizLocation", e.BizLocation)
	h.sensors(e.Sensors)

	rest := []string{
		references("bizTransactionList", "bizTransaction", bizTypes, e.BizTransactions),
		references("sourceList", "source", partyTypes, e.Sources),
		references("destinationList", "destination", partyTypes, e.Destinations),
	}
	if ilmd := fieldsText(e.ILMD); ilmd != "" {
		rest = append(rest, "ilmd"+ilmd)
	}
	rest = append(rest, fieldTexts(e.Extensions)...)
	slices.Sort(rest)
	h.b.WriteString(strings.Join(rest, ""))
	return h.b.String()
}

// hasher puts together the pre-hash text, name=value after name=value.
type hasher struct{ b strings.Builder }

func (h *hasher) pair(name, value string) { h.b.WriteString(pair(name, value)) }

func pair(name, value string) string {
	if value = canonical(value); value == "" {
		return ""
	}
	return name + "=" + value
}

func (h *hasher) time(name string, t time.Time) { h.b.WriteString(name + "=" + stamp(t)) }

// stamp is a time in UTC to the millisecond, rounded half up.
func stamp(t time.Time) string {
	return t.UTC().Add(500 * time.Microsecond).Truncate(time.Millisecond).Format("2006-01-02T15:04:05.000Z")
}

// sorted writes values in the order of what is written of them, behind the
// name of their list.
func (h *hasher) sorted(list, each string, values []string) {
	texts := make([]string, 0, len(values))
	for _, v := range values {
		texts = append(texts, pair(each, v))
	}
	h.list(list, texts)
}

func (h *hasher) list(name string, texts []string) {
	slices.Sort(texts)
	if text := strings.Join(texts, ""); text != "" {
		h.b.WriteString(name + text)
	}
}

func (h *hasher) objects(e *Event) {
	h.pair("parentID", e.Parent)
	switch e.Type {
	case AggregationEvent, AssociationEvent:
		h.sorted("childEPCs", "epc", e.EPCs)
		h.quantities("childQuantityList", e.Quantities)
	default:
		h.sorted("epcList", "epc", e.EPCs)
		h.sorted("inputEPCList", "epc", e.InputEPCs)
		h.quantities("quantityList", e.Quantities)
	}
	h.quantities("inputQuantityList", e.InputQuantities)
	h.sorted("outputEPCList", "epc", e.OutputEPCs)
	h.quantities("outputQuantityList", e.OutputQuantities)
}

func (h *hasher) quantities(name string, list []Quantity) {
	texts := make([]string, 0, len(list))
	for _, q := range list {
		texts = append(texts, "quantityElement"+pair("epcClass", q.Class)+pair("quantity", q.Amount)+pair("uom", q.UOM))
	}
	h.list(name, texts)
}

func (h *hasher) persistent(d *PersistentDisposition) {
	if d == nil {
		return
	}
	var texts []string
	for _, side := range []struct {
		name  string
		words []string
	}{{"set", d.Set}, {"unset", d.Unset}} {
		var list []string
		for _, w := range side.words {
			list = append(list, pair(side.name, dispositions.uri(w)))
		}
		slices.Sort(list)
		texts = append(texts, list...)
	}
	if len(texts) > 0 {
		h.b.WriteString("persistentDisposition" + strings.Join(texts, ""))
	}
}

func (h *hasher) place(name string, p Place) {
	if text := pair("id", p.ID) + fieldsText(p.Extensions); text != "" {
		h.b.WriteString(name + text)
	}
}

func references(list, each string, types vocabulary, values []Reference) string {
	texts := make([]string, 0, len(values))
	for _, r := range values {
		texts = append(texts, pair("type", types.uri(r.Type))+pair(each, r.ID))
	}
	slices.Sort(texts)
	if text := strings.Join(texts, ""); text != "" {
		return list + text
	}
	return ""
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

func (h *hasher) sensors(list []Sensor) {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		text := ""
		if m := attributesText(metadataOrder, s.Metadata); m != "" {
			text = "sensorMetadata" + m
		}
		var reports []string
		for _, r := range s.Reports {
			if m := attributesText(reportOrder, r); m != "" {
				reports = append(reports, "sensorReport"+m)
			}
		}
		slices.Sort(reports)
		if text += strings.Join(reports, "") + fieldsText(s.Extensions); text != "" {
			texts = append(texts, "sensorElement"+text)
		}
	}
	h.list("sensorElementList", texts)
}

func attributesText(order []string, fields []Field) string {
	var b strings.Builder
	for _, name := range order {
		for _, f := range fields {
			if f.Name != (Name{Local: name}) {
				continue
			}
			value := f.Value
			if v, ok := sensorVocabularies[name]; ok {
				value = v.uri(value)
			}
			if name == "booleanValue" {
				value = boolean(value)
			}
			if t, _, ok := parseTime(value); ok && strings.HasSuffix(strings.ToLower(name), "time") {
				b.WriteString(name + "=" + stamp(t))
				continue
			}
			b.WriteString(pair(name, value))
		}
	}
	var own []Field
	for _, f := range fields {
		if f.Name.Space != "" || !slices.Contains(order, f.Name.Local) {
			own = append(own, f)
		}
	}
	return b.String() + fieldsText(own)
}

// fieldsText is what fields add to the text, sorted.
func fieldsText(fields []Field) string {
	texts := fieldTexts(fields)
	slices.Sort(texts)
	return strings.Join(texts, "")
}

func fieldTexts(fields []Field) []string {
	var texts []string
	for _, f := range fields {
		switch {
		case f.Name == comment:
		case f.Kind == List:
			for _, c := range f.Children {
				c.Name = f.Name
				texts = append(texts, fieldTexts([]Field{c})...)
			}
		default:
			texts = append(texts, fieldText(f))
		}
	}
	return texts
}

// comment is for people and no part of what happened.
var comment = Name{Space: "http://www.w3.org/2000/01/rdf-schema#", Local: "comment"}

func fieldText(f Field) string {
	name := f.Name.Local
	if f.Name.Space != "" {
		name = "{" + f.Name.Space + "}" + name
	}
	if value := canonical(f.Value); value != "" {
		name += "=" + value
	}
	inner := append(fieldTexts(f.Attrs), fieldTexts(f.Children)...)
	slices.Sort(inner)
	return name + strings.Join(inner, "")
}

// canonical is a value in the one spelling the hash has for it: identifiers as
// canonical Digital Link URIs, numbers without idle zeros.
func canonical(s string) string {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return ""
	case strings.HasPrefix(s, "urn:epc:"), strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
		id, err := gs1.Parse(s)
		if err != nil && !gs1.IsCheckDigit(err) || id.Kind == gs1.Other {
			return s
		}
		return id.DigitalLink()
	case s[0] >= '0' && s[0] <= '9', strings.IndexByte("+-.", s[0]) >= 0:
		return plainNumber(s)
	}
	return s
}

// plainNumber is a number as the reference implementation spells it, and any
// other text as it is.
func plainNumber(s string) string {
	if strings.ContainsAny(s, "xX_pP") {
		return s // numbers to strconv, not to anyone else
	}
	f, err := strconv.ParseFloat(s, 64)
	switch a := math.Abs(f); {
	case err != nil, math.IsInf(f, 0), math.IsNaN(f):
		return s
	case f == 0:
		return "0"
	case f == math.Trunc(f):
		return strconv.FormatFloat(f, 'f', 0, 64)
	case a < 1e-4:
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
