package epcis

import "time"

// Format is how a document is written.
type Format string

// The formats that are read and written.
const (
	XML12  Format = "xml-1.2"
	XML20  Format = "xml-2.0"
	JSON20 Format = "json-2.0"
)

// Document is everything of a document but its events, which are read one by
// one.
type Document struct {
	Format        Format
	Root          string // "EPCISDocument", "EPCISQueryDocument", or the event type of a bare event
	SchemaVersion string
	CreationDate  time.Time // zero: not given
	ID            string    // JSON "id", "" when not given
	Namespaces    []Namespace
	Header        *BusinessHeader // SBDH; nil: none
	MasterData    []Vocabulary
	HeaderFields  []Field // of EPCISHeader: the DSCSA statement, guideline version, …
	Extensions    []Field // of the document itself
	Query         *Query  // of an EPCISQueryDocument

	// Faults are what the reader noticed outside the events and could carry
	// on from.
	Faults []Fault
}

// Namespace binds a prefix to the URI its names belong to.
type Namespace struct {
	Prefix string
	URI    string
}

// BusinessHeader is the Standard Business Document Header (UN/CEFACT), as far
// as it says who sends what to whom; what else is in it is kept in Fields.
type BusinessHeader struct {
	Sender, Receiver   []Party
	InstanceIdentifier string
	CreatedAt          time.Time
	Fields             []Field
}

// Party names a sender or receiver.
type Party struct {
	Authority string // "SGLN", "GLN", "GS1", …
	ID        string
}

// Vocabulary is master data of one type.
type Vocabulary struct {
	Type     string // URI, as written: urn:epcglobal:epcis:vtype:EPCClass, …:Location
	Elements []Element
}

// Element is the master data of one thing.
type Element struct {
	ID         string
	Attributes []Attribute
	Children   []string
}

// Attribute is one fact about an Element. A structured one has Fields.
type Attribute struct {
	ID     string
	Value  string
	Fields []Field
}

// Query is what the events are the answer to.
type Query struct {
	Name           string
	SubscriptionID string
}

// Fault is something wrong that did not stop the reading. Rule is a key of
// the catalogue of package check, which says how bad it is and by which source.
type Fault struct {
	Rule    string
	Where   string // "event 3 epcList[2]", "header"
	Message string
}
