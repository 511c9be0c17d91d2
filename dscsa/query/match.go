package query

import (
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// Match reports whether e is an answer. recorded is when the repository took
// it.
func (q *Query) Match(e *epcis.Event, recorded time.Time) bool {
	return oneOf(q.EventTypes, e.Type) && q.EventTime.Holds(e.EventTime) && q.RecordTime.Holds(recorded) &&
		oneOf(q.Actions, e.Action) && oneOf(q.BizSteps, e.BizStep) && oneOf(q.Dispositions, e.Disposition) &&
		q.persistent(e) && at(q.ReadPoints, e.ReadPoint) && at(q.BizLocations, e.BizLocation) &&
		oneOf(q.Transformations, e.TransformationID) && oneOf(q.EventIDs, e.EventID) &&
		q.items(e) && q.quantities(e) && q.references(e) && q.declaration(e) && q.fields(e) && q.sensors(e)
}

// oneOf holds when nothing is asked or the value is among what is.
func oneOf[T comparable](asked []T, value T) bool {
	return len(asked) == 0 || slices.Contains(asked, value)
}

func (q *Query) persistent(e *epcis.Event) bool {
	for _, l := range []struct {
		asked []string
		of    func(*epcis.PersistentDisposition) []string
	}{
		{q.Set, func(p *epcis.PersistentDisposition) []string { return p.Set }},
		{q.Unset, func(p *epcis.PersistentDisposition) []string { return p.Unset }},
	} {
		if len(l.asked) > 0 && (e.Persistent == nil || !overlap(l.asked, l.of(e.Persistent))) {
			return false
		}
	}
	return true
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func at(asked []Place, p epcis.Place) bool {
	if len(asked) == 0 {
		return true
	}
	key, ok := keyOf(p.ID)
	return ok && slices.ContainsFunc(asked, func(a Place) bool { return a.Holds(key) })
}

// keyOf is an identifier's canonical key; what cannot be read has none. A
// wrong check digit does not keep a thing from being found.
func keyOf(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	id, err := gs1.Parse(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return "", false
	}
	return id.Key(), true
}

func (q *Query) items(e *epcis.Event) bool {
	for _, m := range q.Items {
		if !slices.ContainsFunc(m.Roles, func(r Role) bool { return m.in(itemsIn(e, r)) }) {
			return false
		}
	}
	return true
}

func (m *ItemMatch) in(items []string) bool {
	return slices.ContainsFunc(items, func(s string) bool {
		key, ok := keyOf(s)
		return ok && slices.ContainsFunc(m.Items, func(p Pattern) bool { return p.Holds(key) })
	})
}

// itemsIn lists what stands in a role, as it is written.
func itemsIn(e *epcis.Event, r Role) []string {
	switch r {
	case InEPCs:
		return e.EPCs
	case AsParent:
		if e.Parent == "" {
			return nil
		}
		return []string{e.Parent}
	case AsInput:
		return e.InputEPCs
	case AsOutput:
		return e.OutputEPCs
	case InQuantities:
		return classes(e.Quantities)
	case InputClasses:
		return classes(e.InputQuantities)
	case OutputClasses:
		return classes(e.OutputQuantities)
	default:
		return nil
	}
}

func classes(list []epcis.Quantity) []string {
	out := make([]string, len(list))
	for i, q := range list {
		out[i] = q.Class
	}
	return out
}

func (q *Query) quantities(e *epcis.Event) bool {
	for _, c := range q.Quantities {
		if !slices.ContainsFunc([][]epcis.Quantity{e.Quantities, e.InputQuantities, e.OutputQuantities}, func(l []epcis.Quantity) bool {
			return slices.ContainsFunc(l, func(n epcis.Quantity) bool { return compare(c.Op, n.Amount, c.Value) })
		}) {
			return false
		}
	}
	return true
}

// compare holds two values against each other: as numbers, as times, as text.
func compare(op, have, want string) bool {
	order, ok := 0, false
	if a, isNumber := decimal(have); isNumber {
		if b, isNumber := decimal(want); isNumber {
			order, ok = a.Cmp(b), true
		}
	}
	if !ok {
		if a, err := time.Parse(time.RFC3339Nano, have); err == nil {
			if b, err := time.Parse(time.RFC3339Nano, want); err == nil {
				order, ok = a.Compare(b), true
			}
		}
	}
	if !ok {
		return op == "EQ" && have == want
	}
	switch op {
	case "EQ":
		return order == 0
	case "GT":
		return order > 0
	case "GE":
		return order >= 0
	case "LT":
		return order < 0
	case "LE":
		return order <= 0
	default:
		return false
	}
}

// decimal reads a number as documents write quantities. Exponents are left
// out: a short text would make a number of any size.
func decimal(s string) (*big.Rat, bool) {
	if len(s) == 0 || len(s) > 40 || strings.Trim(s, "0123456789.+-") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}

func (q *Query) references(e *epcis.Event) bool {
	for _, m := range q.References {
		list := e.BizTransactions
		switch m.Of {
		case Sources:
			list = e.Sources
		case Destinations:
			list = e.Destinations
		case BizTransactions:
		}
		if !slices.ContainsFunc(list, func(r epcis.Reference) bool { return r.Type == m.Type && m.names(r.ID) }) {
			return false
		}
	}
	return true
}

// names compares identifiers as what they mean, and others as they are.
func (m *ReferenceMatch) names(id string) bool {
	key, readable := keyOf(id)
	return slices.ContainsFunc(m.Values, func(want string) bool {
		if want == id {
			return true
		}
		wanted, ok := keyOf(want)
		return ok && readable && wanted == key
	})
}

func (q *Query) declaration(e *epcis.Event) bool {
	asked := q.Declared || !q.DeclaredAt.Empty() || len(q.ErrorReasons) > 0 || len(q.CorrectiveIDs) > 0
	if !asked {
		return true
	}
	if e.Error == nil {
		return false
	}
	return q.DeclaredAt.Holds(e.Error.At) && oneOf(q.ErrorReasons, e.Error.Reason) &&
		(len(q.CorrectiveIDs) == 0 || overlap(q.CorrectiveIDs, e.Error.CorrectiveIDs))
}

func (q *Query) fields(e *epcis.Event) bool {
	for _, m := range q.Fields {
		var in []epcis.Field
		switch m.In {
		case InEvent:
			in = e.Extensions
		case InILMD:
			in = e.ILMD
		case InErrorDeclaration:
			if e.Error != nil {
				in = e.Error.Extensions
			}
		case InSensorElement:
			for _, s := range e.Sensors {
				in = append(in, s.Extensions...)
			}
		}
		if !m.among(in, !m.Inner) {
			return false
		}
	}
	return true
}

// among looks for the field; here says whether this level counts.
func (m *FieldMatch) among(fields []epcis.Field, here bool) bool {
	return slices.ContainsFunc(fields, func(f epcis.Field) bool {
		if here && f.Name == m.Name && m.holds(f) {
			return true
		}
		return m.Inner && m.among(f.Children, true)
	})
}

func (m *FieldMatch) holds(f epcis.Field) bool {
	if m.Op == "EXISTS" {
		return true
	}
	return slices.ContainsFunc(m.Values, func(v string) bool { return compare(m.Op, f.Value, v) })
}

func (q *Query) sensors(e *epcis.Event) bool {
	for _, m := range q.Sensors {
		if !slices.ContainsFunc(e.Sensors, m.in) {
			return false
		}
	}
	for name, span := range map[string]Span{"startTime": q.SensorStart, "endTime": q.SensorEnd} {
		if !span.Empty() && !slices.ContainsFunc(e.Sensors, func(s epcis.Sensor) bool {
			return slices.ContainsFunc(s.Metadata, func(f epcis.Field) bool {
				t, err := time.Parse(time.RFC3339Nano, f.Value)
				return f.Name.Local == name && err == nil && span.Holds(t)
			})
		}) {
			return false
		}
	}
	return true
}

func (m *SensorMatch) in(s epcis.Sensor) bool {
	has := func(f epcis.Field) bool { return f.Name.Local == m.Name && slices.Contains(m.Values, f.Value) }
	return slices.ContainsFunc(s.Metadata, has) ||
		slices.ContainsFunc(s.Reports, func(r []epcis.Field) bool { return slices.ContainsFunc(r, has) })
}
