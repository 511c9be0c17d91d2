package epcistest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Event generates events that every one of the formats can hold, with all the
// standard knows and extensions of one's own. Fields of one name stand next to
// each other: JSON has no other order.
func Event(formats ...epcis.Format) *rapid.Generator[*epcis.Event] {
	xml := slices.Contains(formats, epcis.XML12) || slices.Contains(formats, epcis.XML20)
	g := generator{
		xml:  xml,
		xml2: slices.Contains(formats, epcis.XML20),
		json: slices.Contains(formats, epcis.JSON20),
	}
	return rapid.Custom(g.event)
}

type generator struct{ xml, xml2, json bool }

var types = []epcis.EventType{
	epcis.ObjectEvent, epcis.AggregationEvent, epcis.TransactionEvent, epcis.TransformationEvent, epcis.AssociationEvent,
}

func (g generator) event(t *rapid.T) *epcis.Event {
	e := &epcis.Event{
		Type:        rapid.SampledFrom(types).Draw(t, "type"),
		EventTime:   instant(t),
		Zone:        rapid.SampledFrom([]string{"+00:00", "-05:00", "+05:30", "+14:00", "-13:59"}).Draw(t, "zone"),
		BizStep:     rapid.SampledFrom([]string{"", "commissioning", "packing", "shipping", "receiving", "https://example.com/step/weigh"}).Draw(t, "step"),
		Disposition: rapid.SampledFrom([]string{"", "active", "in_progress", "in_transit", "urn:example:disp:chilled"}).Draw(t, "disposition"),
		ReadPoint:   g.place(t, "readPoint"),
		BizLocation: g.place(t, "bizLocation"),
		Extensions:  g.fields(t, "extension", 2),
	}
	if rapid.Bool().Draw(t, "recorded") {
		e.RecordTime = instant(t)
	}
	if rapid.Bool().Draw(t, "named") {
		e.EventID = "urn:uuid:" + rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}`).Draw(t, "eventID")
	}
	if rapid.IntRange(0, 4).Draw(t, "declared") == 0 {
		e.Error = &epcis.ErrorDeclaration{
			At:            instant(t),
			Reason:        rapid.SampledFrom([]string{"", "did_not_occur", "incorrect_data", "urn:example:reason:1"}).Draw(t, "reason"),
			CorrectiveIDs: list(t, "corrective", 0, func() string { return "urn:uuid:" + serial(t) }),
			Extensions:    g.fields(t, "declaration", 1),
		}
	}
	e.BizTransactions = list(t, "transactions", 0, func() epcis.Reference {
		return epcis.Reference{
			Type: rapid.SampledFrom([]string{"", "po", "desadv", "inv", "urn:example:btt:x"}).Draw(t, "btt"),
			ID:   "urn:epcglobal:cbv:bt:0860001234107:" + serial(t),
		}
	})
	e.Sources, e.Destinations = g.parties(t, "sources"), g.parties(t, "destinations")
	e.Sensors = list(t, "sensors", 0, func() epcis.Sensor { return g.sensor(t) })
	most := 1
	if !g.xml2 {
		most = 3
	}
	e.Certifications = list(t, "certifications", 0, func() string { return "https://example.com/certificate/" + serial(t) })
	e.Certifications = e.Certifications[:min(len(e.Certifications), most)]
	if len(e.Certifications) == 0 {
		e.Certifications = nil
	}
	g.what(t, e)
	// The JSON schema knows persistentDisposition of two types only.
	if (!g.json || e.Type == epcis.ObjectEvent || e.Type == epcis.TransformationEvent) && rapid.IntRange(0, 3).Draw(t, "persists") == 0 {
		e.Persistent = &epcis.PersistentDisposition{Set: []string{"recalled"}}
		if rapid.Bool().Draw(t, "unsets") {
			e.Persistent.Unset = []string{"completeness_inferred", "urn:example:disp:warm"}
		}
	}
	return e
}

// what generates what the event is about.
func (g generator) what(t *rapid.T, e *epcis.Event) {
	if e.Type != epcis.TransformationEvent {
		e.Action = rapid.SampledFrom([]epcis.Action{epcis.Add, epcis.Observe, epcis.Delete}).Draw(t, "action")
	}
	switch e.Type {
	case epcis.ObjectEvent:
		e.EPCs = list(t, "epcs", 0, func() string { return SGTIN(t) })
		e.Quantities = quantities(t, "quantities")
		if e.Action == epcis.Add {
			e.ILMD = g.fields(t, "ilmd", 2)
		}
	case epcis.AggregationEvent, epcis.AssociationEvent:
		e.Parent = SSCC(t)
		e.EPCs = list(t, "epcs", 1, func() string { return SGTIN(t) })
		e.Quantities = quantities(t, "quantities")
	case epcis.TransactionEvent:
		e.BizTransactions = append(e.BizTransactions, epcis.Reference{Type: "po", ID: "urn:epcglobal:cbv:bt:0860001234107:" + serial(t)})
		e.EPCs = list(t, "epcs", 0, func() string { return SGTIN(t) })
		e.Quantities = quantities(t, "quantities")
		if rapid.Bool().Draw(t, "parent") {
			e.Parent = SSCC(t)
		}
	case epcis.TransformationEvent:
		e.InputEPCs = list(t, "input", 1, func() string { return SGTIN(t) })
		e.OutputEPCs = list(t, "output", 1, func() string { return SGTIN(t) })
		e.InputQuantities = quantities(t, "inputQuantities")
		e.OutputQuantities = quantities(t, "outputQuantities")
		if rapid.Bool().Draw(t, "transformation") {
			e.TransformationID = "urn:epc:id:gdti:0860001.23410." + serial(t)
		}
		e.ILMD = g.fields(t, "ilmd", 2)
	default:
	}
}

func instant(t *rapid.T) time.Time {
	zone := time.FixedZone("", rapid.SampledFrom([]int{0, -300, 330, 840, -720}).Draw(t, "offset")*60)
	at := time.Unix(rapid.Int64Range(0, 4_000_000_000).Draw(t, "at"), 0).In(zone)
	return at.Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "ms")) * time.Millisecond)
}

// SGTIN generates the EPC of a package. Its serial may need escapes.
func SGTIN(t *rapid.T) string {
	return fmt.Sprintf("urn:epc:id:sgtin:0369999.%06d.%s", rapid.IntRange(0, 999999).Draw(t, "item"), serial(t))
}

// SSCC generates the EPC of a logistic unit.
func SSCC(t *rapid.T) string {
	return fmt.Sprintf("urn:epc:id:sscc:0369999.%010d", rapid.Int64Range(0, 9_999_999_999).Draw(t, "sscc"))
}

func serial(t *rapid.T) string {
	return rapid.StringMatching(`[A-Za-z0-9.:_-]{1,12}(%2F|%26|%22)?[0-9]{1,5}`).Draw(t, "serial")
}

// list generates at least so many and at most three more; none is nil.
func list[T any](t *rapid.T, name string, least int, each func() T) []T {
	var items []T
	for range rapid.IntRange(least, least+3).Draw(t, name) {
		items = append(items, each())
	}
	return items
}

func quantities(t *rapid.T, name string) []epcis.Quantity {
	return list(t, name, 0, func() epcis.Quantity {
		q := epcis.Quantity{Class: "urn:epc:class:lgtin:0369999.012345." + serial(t)}
		q.Amount = rapid.SampledFrom([]string{"", "1", "200", "12.5", "0.250", "1000000"}).Draw(t, "amount")
		if q.Amount != "" {
			q.UOM = rapid.SampledFrom([]string{"", "KGM", "LTR"}).Draw(t, "uom")
		}
		return q
	})
}

func location(t *rapid.T) string {
	return fmt.Sprintf("urn:epc:id:sgln:0369999.%05d.%s", rapid.IntRange(0, 99999).Draw(t, "location"),
		rapid.SampledFrom([]string{"0", "1234", "A-1"}).Draw(t, "extension"))
}

func (g generator) place(t *rapid.T, name string) epcis.Place {
	if !rapid.Bool().Draw(t, name) {
		return epcis.Place{}
	}
	return epcis.Place{ID: location(t), Extensions: g.fields(t, name, 1)}
}

func (g generator) parties(t *rapid.T, name string) []epcis.Reference {
	return list(t, name, 0, func() epcis.Reference {
		return epcis.Reference{
			Type: rapid.SampledFrom([]string{"owning_party", "possessing_party", "location", "urn:example:sdt:agent"}).Draw(t, "sdt"),
			ID:   location(t),
		}
	})
}

func (g generator) sensor(t *rapid.T) epcis.Sensor {
	attributes := func(local bool, standard ...string) []epcis.Field {
		var fields []epcis.Field
		for i := 0; i < len(standard); i += 2 {
			if rapid.Bool().Draw(t, standard[i]) {
				fields = append(fields, epcis.Field{Name: epcis.Name{Local: standard[i]}, Value: standard[i+1]})
			}
		}
		if local && rapid.Bool().Draw(t, "own") {
			fields = append(fields, epcis.Field{Name: epcis.Name{Space: spaces[0], Local: "probe"}, Value: text(t)})
		}
		return fields
	}
	s := epcis.Sensor{Metadata: attributes(true, "time", "2026-03-02T09:00:00Z", "deviceID", "urn:epc:id:giai:0369999.7", "bizRules", "https://example.com/rules")}
	s.Reports = list(t, "reports", 1, func() []epcis.Field {
		report := []epcis.Field{{
			Name:  epcis.Name{Local: "type"},
			Value: rapid.SampledFrom([]string{"Temperature", "AbsoluteHumidity", "https://example.com/measure/tilt"}).Draw(t, "measure"),
		}}
		return append(report, attributes(true, "exception", "ALARM_CONDITION", "value", "26.5", "component", "longitude",
			"booleanValue", "true", "stringValue", "warm & <wet>", "uom", "CEL", "maxValue", "-3")...)
	})
	s.Extensions = g.fields(t, "sensor", 1)
	return s
}

var spaces = []string{"https://example.com/epcis/", "urn:example:wholesale:", "http://epcis.gs1us.org/hc/ns", "urn:epcglobal:cbv:mda:", "urn:epcglobal:cbv:mda"}

// text generates what a person may have typed, without blanks around it.
func text(t *rapid.T) string {
	return rapid.StringMatching(`[A-Za-z0-9é<>&"'\\/☃𝄞{}]([A-Za-z0-9 <>&"'\t\n\r\]\\é☃𝄞]{0,8}[a-z])?`).Draw(t, "text")
}

// fields generates extensions, so deep.
func (g generator) fields(t *rapid.T, name string, depth int) []epcis.Field {
	var fields []epcis.Field
	for i := range rapid.IntRange(0, 2).Draw(t, name) {
		n := epcis.Name{Space: rapid.SampledFrom(spaces).Draw(t, "space"), Local: fmt.Sprintf("%s%d", name, i)}
		fields = append(fields, g.same(t, n, depth)...)
	}
	return fields
}

// same generates one or more fields of one name.
func (g generator) same(t *rapid.T, n epcis.Name, depth int) []epcis.Field {
	if !g.xml && rapid.IntRange(0, 9).Draw(t, "empty") == 0 {
		return []epcis.Field{{Name: n, Kind: epcis.List}}
	}
	return list(t, n.Local+"Values", 1, func() epcis.Field { return g.value(t, n, depth) })
}

func (g generator) value(t *rapid.T, n epcis.Name, depth int) epcis.Field {
	f := epcis.Field{Name: n}
	switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case g.xml || kind < 5:
		f.Value = text(t)
	case kind == 5:
		f.Kind, f.Value = epcis.Number, rapid.SampledFrom([]string{"0", "-1.50", "6.02e23", "12"}).Draw(t, "number")
	case kind == 6:
		f.Kind, f.Value = epcis.Boolean, "true"
	case kind == 7:
		f.Kind = epcis.Null
	case kind == 8:
		f.Kind = epcis.EmptyObject
		return f
	default:
		f.Kind = epcis.List
		f.Children = list(t, "inner", 1, func() epcis.Field { return g.value(t, epcis.Name{}, depth-1) })
		return f
	}
	if depth <= 0 || rapid.Bool().Draw(t, "leaf") {
		return f
	}
	if rapid.Bool().Draw(t, "attribute") {
		f.Attrs = append(f.Attrs, epcis.Field{Name: epcis.Name{Local: "qualifier"}, Value: text(t)})
	}
	if rapid.Bool().Draw(t, "qualified") {
		f.Attrs = append(f.Attrs, epcis.Field{Name: epcis.Name{Space: spaces[1], Local: "unit"}, Value: text(t)})
	}
	if rapid.Bool().Draw(t, "children") {
		f.Value, f.Kind = "", epcis.Text
		f.Children = append(g.same(t, epcis.Name{Local: "plain"}, depth-1), g.same(t, epcis.Name{Space: n.Space, Local: "part"}, depth-1)...)
	}
	return f
}
