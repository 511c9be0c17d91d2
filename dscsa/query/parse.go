package query

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// Error is a parameter that cannot be answered (QueryParameterException).
type Error struct {
	Parameter string
	Message   string // what to change
}

// Error implements error.
func (e *Error) Error() string { return e.Parameter + ": " + e.Message }

// maxValues bounds what one parameter lists.
const maxValues = 500

// Parse reads a query from the parameters of a URL. Lists are separated by
// bars; a parameter may be given once. All that is wrong is an *Error.
func Parse(values url.Values) (Query, error) {
	p := parser{q: Query{OrderBy: ByRecordTime}}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		given := values[name]
		if len(given) != 1 {
			return Query{}, &Error{name, "is given more than once; separate several values with |"}
		}
		if given[0] == "" {
			return Query{}, &Error{name, "is empty; leave it out to ask for everything"}
		}
		if err := p.parameter(name, given[0]); err != nil {
			return Query{}, err
		}
	}
	if p.q.CountLimit > 0 && p.q.MaxCount > 0 {
		return Query{}, &Error{"maxEventCount", "excludes eventCountLimit; give one of them"}
	}
	if p.directed && !p.ordered {
		return Query{}, &Error{"orderDirection", "needs orderBy"}
	}
	return p.q, nil
}

type parser struct {
	q        Query
	ordered  bool
	directed bool
}

// parameter takes one parameter with a fixed name, or hands on.
func (p *parser) parameter(name, value string) error {
	q := &p.q
	switch name {
	case "eventType":
		return list(name, value, &q.EventTypes, eventType)
	case "EQ_action":
		return list(name, value, &q.Actions, action)
	case "EQ_bizStep":
		return list(name, value, &q.BizSteps, vocabulary)
	case "EQ_disposition":
		return list(name, value, &q.Dispositions, vocabulary)
	case "EQ_persistentDisposition_set":
		return list(name, value, &q.Set, vocabulary)
	case "EQ_persistentDisposition_unset":
		return list(name, value, &q.Unset, vocabulary)
	case "EQ_readPoint", "WD_readPoint":
		return list(name, value, &q.ReadPoints, place(name[:2] == "WD"))
	case "EQ_bizLocation", "WD_bizLocation":
		return list(name, value, &q.BizLocations, place(name[:2] == "WD"))
	case "EQ_transformationID":
		return list(name, value, &q.Transformations, asGiven)
	case "EQ_eventID":
		return list(name, value, &q.EventIDs, asGiven)
	case "EXISTS_errorDeclaration":
		return boolean(name, value, &q.Declared)
	case "EQ_errorReason":
		return list(name, value, &q.ErrorReasons, vocabulary)
	case "EQ_correctiveEventID":
		return list(name, value, &q.CorrectiveIDs, asGiven)
	case "orderBy":
		p.ordered = true
		return p.order(value)
	case "orderDirection":
		p.directed = true
		if value != "ASC" && value != "DESC" {
			return &Error{name, "must be ASC or DESC"}
		}
		q.Ascending = value == "ASC"
		return nil
	case "eventCountLimit":
		return count(name, value, &q.CountLimit)
	case "maxEventCount":
		return count(name, value, &q.MaxCount)
	}
	if roles, ok := matches[name]; ok {
		m := ItemMatch{Roles: roles}
		err := list(name, value, &m.Items, pattern)
		q.Items = append(q.Items, m)
		return err
	}
	return p.composed(name, value)
}

// The MATCH_ parameters and the places each looks at.
var matches = map[string][]Role{
	"MATCH_epc":            {InEPCs},
	"MATCH_parentID":       {AsParent},
	"MATCH_inputEPC":       {AsInput},
	"MATCH_outputEPC":      {AsOutput},
	"MATCH_anyEPC":         {InEPCs, AsParent, AsInput, AsOutput},
	"MATCH_epcClass":       {InQuantities},
	"MATCH_inputEPCClass":  {InputClasses},
	"MATCH_outputEPCClass": {OutputClasses},
	"MATCH_anyEPCClass":    {InQuantities, InputClasses, OutputClasses},
}

// The attributes of sensor reports that may be asked for.
var sensorAttributes = map[string]bool{
	"type": true, "deviceID": true, "dataProcessingMethod": true, "microorganism": true, "chemicalSubstance": true,
	"bizRules": true, "stringValue": true, "hexBinaryValue": true, "uriValue": true, "booleanValue": true,
}

// composed takes a parameter whose name is an operator and what it is of.
func (p *parser) composed(name, value string) error {
	q := &p.q
	op, of, ok := strings.Cut(name, "_")
	if !ok {
		return unknown(name)
	}
	switch op {
	case "EQ", "GT", "GE", "LT", "LE", "EXISTS":
	default:
		return unknown(name)
	}
	if span, ok := map[string]*Span{
		"eventTime": &q.EventTime, "recordTime": &q.RecordTime, "errorDeclarationTime": &q.DeclaredAt,
		"startTime": &q.SensorStart, "endTime": &q.SensorEnd,
	}[of]; ok {
		return bound(name, op, value, span)
	}
	if of == "quantity" && op != "EXISTS" {
		if _, ok := decimal(value); !ok {
			return &Error{name, "must be a decimal number of at most 40 characters"}
		}
		q.Quantities = append(q.Quantities, Comparison{Op: op, Value: value})
		return nil
	}
	if op == "EQ" && sensorAttributes[of] {
		m := SensorMatch{Name: of}
		err := list(name, value, &m.Values, asGiven)
		q.Sensors = append(q.Sensors, m)
		return err
	}
	if list, kind, ok := strings.Cut(of, "_"); ok && op == "EQ" {
		switch List(list) {
		case BizTransactions, Sources, Destinations:
			return p.reference(name, List(list), kind, value)
		}
	}
	return p.field(name, op, of, value)
}

func (p *parser) reference(name string, of List, kind, value string) error {
	m := ReferenceMatch{Of: of, Type: epcis.Word(kind)}
	if err := list(name, value, &m.Values, asGiven); err != nil {
		return err
	}
	p.q.References = append(p.q.References, m)
	return nil
}

// field takes EQ_ILMD_{uri}#{name} and its relatives.
func (p *parser) field(name, op, of, value string) error {
	m := FieldMatch{Op: op}
	if rest, ok := strings.CutPrefix(of, "INNER_"); ok {
		m.Inner, of = true, rest
	}
	for _, in := range []FieldPlace{InILMD, InErrorDeclaration, InSensorElement} {
		if rest, ok := strings.CutPrefix(of, string(in)+"_"); ok {
			m.In, of = in, rest
			break
		}
	}
	if rest, ok := strings.CutPrefix(of, "INNER_"); ok {
		m.Inner, of = true, rest
	}
	cut := strings.LastIndexByte(of, '#')
	if cut <= 0 || cut == len(of)-1 {
		return unknown(name)
	}
	m.Name = epcis.Name{Space: of[:cut], Local: of[cut+1:]}
	switch op {
	case "EXISTS":
		var given bool
		if err := boolean(name, value, &given); err != nil || !given {
			return err // false says nothing
		}
	case "EQ":
		if err := list(name, value, &m.Values, asGiven); err != nil {
			return err
		}
	default:
		m.Values = []string{value}
	}
	p.q.Fields = append(p.q.Fields, m)
	return nil
}

func unknown(name string) error {
	return &Error{name, "is not a query parameter this repository knows"}
}

func (p *parser) order(value string) error {
	switch Order(value) {
	case ByEventTime, ByRecordTime:
		p.q.OrderBy = Order(value)
		return nil
	}
	return &Error{"orderBy", "must be eventTime or recordTime"}
}

func list[T any](name, value string, out *[]T, read func(string) (T, string)) error {
	parts := strings.Split(value, "|")
	if len(parts) > maxValues {
		return &Error{name, fmt.Sprintf("lists %d values; at most %d are taken", len(parts), maxValues)}
	}
	for _, part := range parts {
		if part == "" {
			return &Error{name, "has an empty value"}
		}
		v, wrong := read(part)
		if wrong != "" {
			return &Error{name, wrong}
		}
		*out = append(*out, v)
	}
	return nil
}

func asGiven(s string) (string, string) { return s, "" }

func vocabulary(s string) (string, string) { return epcis.Word(s), "" }

func eventType(s string) (epcis.EventType, string) {
	switch t := epcis.EventType(s); t {
	case epcis.ObjectEvent, epcis.AggregationEvent, epcis.TransactionEvent, epcis.TransformationEvent, epcis.AssociationEvent:
		return t, ""
	case epcis.QuantityEvent: // deprecated, and not among what may be asked for
	}
	return "", "must be ObjectEvent, AggregationEvent, TransactionEvent, TransformationEvent or AssociationEvent"
}

func action(s string) (epcis.Action, string) {
	switch a := epcis.Action(s); a {
	case epcis.Add, epcis.Observe, epcis.Delete:
		return a, ""
	}
	return "", "must be ADD, OBSERVE or DELETE"
}

func place(within bool) func(string) (Place, string) {
	return func(s string) (Place, string) {
		id, err := gs1.Parse(s)
		if err != nil {
			return Place{}, err.Error()
		}
		return Place{Key: id.Key(), Within: within}, ""
	}
}

func boolean(name, value string, out *bool) error {
	switch value {
	case "true":
		*out = true
	case "false":
	default:
		return &Error{name, "must be true or false"}
	}
	return nil
}

func count(name, value string, out *int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 {
		return &Error{name, "must be a whole number above 0"}
	}
	*out = n
	return nil
}

// bound sets one end of a span: GE_ and LT_ are all the standard has.
func bound(name, op, value string, span *Span) error {
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(value, " ", "+", 1)) // a + that nobody escaped
	if err != nil {
		return &Error{name, "must be a time with an offset, such as 2026-11-23T14:03:22Z"}
	}
	switch op {
	case "GE":
		span.From = t
	case "LT":
		span.To = t
	default:
		return unknown(name)
	}
	if !span.From.IsZero() && !span.To.IsZero() && !span.From.Before(span.To) {
		return &Error{name, "leaves no time between GE_ and LT_"}
	}
	return nil
}
