package query

import (
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Query is what is asked. The zero Query asks for every event.
type Query struct {
	EventTypes   []epcis.EventType
	EventTime    Span
	RecordTime   Span
	Actions      []epcis.Action
	BizSteps     []string // bare words or URIs, as epcis.Event has them
	Dispositions []string
	Set, Unset   []string // persistent dispositions

	ReadPoints   []Place
	BizLocations []Place

	Transformations []string
	Items           []ItemMatch
	Quantities      []Comparison
	EventIDs        []string

	References []ReferenceMatch

	Declared      bool // only events with an error declaration
	DeclaredAt    Span
	ErrorReasons  []string
	CorrectiveIDs []string
	Fields        []FieldMatch
	Sensors       []SensorMatch
	SensorStart   Span
	SensorEnd     Span
	OrderBy       Order
	Ascending     bool
	CountLimit    int // the first so many; 0: all
	MaxCount      int // more than so many is an error (QueryTooLargeException); 0: no bound
}

// Order is what answers are ordered by.
type Order string

// What there is an order of.
const (
	ByEventTime  Order = "eventTime"
	ByRecordTime Order = "recordTime"
)

// Span is a half-open interval of time; a zero end is open.
type Span struct {
	From, To time.Time // From ≤ t < To
}

// Empty reports whether the span says nothing.
func (s Span) Empty() bool { return s.From.IsZero() && s.To.IsZero() }

// Holds reports whether t is in the span. A zero t is in an empty one only.
func (s Span) Holds(t time.Time) bool {
	if s.Empty() {
		return true
	}
	return !t.IsZero() && !t.Before(s.From) && (s.To.IsZero() || t.Before(s.To))
}

// Place is a read point or business location by its canonical key (gs1.ID.Key).
type Place struct {
	Key string
	// Within asks for what is below it too: every extension of a location
	// (WD_readPoint, WD_bizLocation). Hierarchies from master data are the
	// store's to add.
	Within bool
}

// Role is where in an event an item stands.
type Role string

// The roles of items and of classes with a quantity.
const (
	InEPCs        Role = "epc" // epcList and childEPCs
	AsParent      Role = "parent"
	AsInput       Role = "input"
	AsOutput      Role = "output"
	InQuantities  Role = "quantity"
	InputClasses  Role = "input_quantity"
	OutputClasses Role = "output_quantity"
)

// ItemMatch asks for events that name one of Items in one of Roles.
type ItemMatch struct {
	Roles []Role
	Items []Pattern
}

// Pattern is one identifier or a family of them.
type Pattern struct {
	// Key is what an item's canonical key (gs1.ID.Key) equals, or, of a
	// family, begins with.
	Key    string
	Family bool
}

// Comparison is a bound on a quantity.
type Comparison struct {
	Op    string // "EQ", "GT", "GE", "LT", "LE"
	Value string // decimal
}

// ReferenceMatch asks for a business transaction, source or destination of a
// type with one of the identifiers.
type ReferenceMatch struct {
	Of     List
	Type   string // bare word or URI
	Values []string
}

// List is one of an event's lists of typed references.
type List string

// The lists.
const (
	BizTransactions List = "bizTransaction"
	Sources         List = "source"
	Destinations    List = "destination"
)

// FieldMatch asks for a field that is not part of the standard.
type FieldMatch struct {
	In     FieldPlace
	Name   epcis.Name
	Inner  bool     // at any depth below the first
	Op     string   // "EQ", "GT", "GE", "LT", "LE", "EXISTS"
	Values []string // of EQ any; of the others one
}

// FieldPlace says which fields of an event are meant.
type FieldPlace string

// Where fields are.
const (
	InEvent            FieldPlace = ""
	InILMD             FieldPlace = "ILMD"
	InErrorDeclaration FieldPlace = "ERROR_DECLARATION"
	InSensorElement    FieldPlace = "SENSORELEMENT"
)

// SensorMatch asks for an attribute of a sensor report or its metadata.
type SensorMatch struct {
	Name   string // "type", "deviceID", …
	Values []string
}
