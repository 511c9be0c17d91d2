package epcis

import "time"

// EventType is one of the event types of EPCIS 1.2 section 7.4 and 2.0
// section 7.4.
type EventType string

// The event types. QuantityEvent is deprecated since 1.1 and read only.
const (
	ObjectEvent         EventType = "ObjectEvent"
	AggregationEvent    EventType = "AggregationEvent"
	TransactionEvent    EventType = "TransactionEvent"
	TransformationEvent EventType = "TransformationEvent"
	AssociationEvent    EventType = "AssociationEvent"
	QuantityEvent       EventType = "QuantityEvent"
)

// Action says what an event does to what it is about (EPCIS 1.2 section
// 7.3.2). It is not extensible.
type Action string

// The three actions.
const (
	Add     Action = "ADD"
	Observe Action = "OBSERVE"
	Delete  Action = "DELETE"
)

// Event is one event, the same whichever format it came in. Identifiers are
// kept as they were written, less surrounding blanks; words of the Core
// Business Vocabulary are bare ("shipping", "in_transit", "po",
// "owning_party"), whether they came bare, as urn:epcglobal:cbv:… or as
// https://ref.gs1.org/cbv/…; other words are the URIs they came as.
type Event struct {
	Type       EventType
	EventTime  time.Time // with the offset it was written with
	Zone       string    // eventTimeZoneOffset, "+05:30"
	RecordTime time.Time // zero: not given. Ignored on input (EPCIS 1.2 section 7.4.1)
	EventID    string    // "": not given
	Error      *ErrorDeclaration

	Action      Action // "" for a TransformationEvent
	BizStep     string
	Disposition string
	Persistent  *PersistentDisposition
	ReadPoint   Place
	BizLocation Place

	Parent     string // of Aggregation, Association and Transaction events
	EPCs       []string
	Quantities []Quantity

	// Of a TransformationEvent, which has no EPCs and Quantities of its own.
	InputEPCs        []string
	OutputEPCs       []string
	InputQuantities  []Quantity
	OutputQuantities []Quantity
	TransformationID string

	BizTransactions []Reference
	Sources         []Reference
	Destinations    []Reference
	ILMD            []Field
	Sensors         []Sensor
	Certifications  []string // certificationInfo
	Extensions      []Field

	// Faults are what the reader noticed and could carry on from.
	Faults []Fault
}

// ErrorDeclaration says that the event with the same content was wrong
// (EPCIS 1.2 section 7.4.1.2).
type ErrorDeclaration struct {
	At            time.Time
	Reason        string // bare CBV word or URI
	CorrectiveIDs []string
	Extensions    []Field
}

// PersistentDisposition sets and unsets dispositions that outlast the next
// event (EPCIS 2.0 section 7.4.1).
type PersistentDisposition struct {
	Set, Unset []string
}

// Place is a read point or a business location. The zero Place is none.
type Place struct {
	ID         string
	Extensions []Field
}

// Quantity is an amount of a class of things (EPCIS 1.2 section 7.3.3.3).
type Quantity struct {
	Class  string
	Amount string // decimal as written, "" when not given
	UOM    string // UN/CEFACT Recommendation 20 code, "" for a count
}

// Reference is a typed identifier: a business transaction, source or
// destination.
type Reference struct {
	Type string // bare CBV word or URI, "" when not given
	ID   string
}

// Sensor is one sensor element (EPCIS 2.0 section 7.3.7). Metadata and each
// report are lists of named values, because nothing here computes with them.
type Sensor struct {
	Metadata   []Field
	Reports    [][]Field
	Extensions []Field
}

// Name is a qualified name. Names of the standard have no Space.
type Name struct {
	Space string // namespace URI
	Local string
}

// Kind says how a value was written in JSON. XML knows text only.
type Kind uint8

// The kinds of a Field's value.
const (
	Text Kind = iota
	Number
	Boolean
	Null
	EmptyObject // {}
	List        // an array inside an array: its elements are the Children, without Names; or []
)

// Field is one named value that is not part of the standard, or an attribute
// of one, with what is inside it. Several fields of one name are a list.
type Field struct {
	Name     Name
	Value    string
	Kind     Kind
	Attrs    []Field
	Children []Field
}
