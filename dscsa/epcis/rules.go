package epcis

// The rules a reader enforces. The first two groups stop a document or an
// event: the reader returns them as an [Error]. The others it carries on from
// and leaves as a [Fault]. How bad those are is the business of package check.
const (
	// The document as a whole; reading ends.

	RuleFormat       = "format"             // neither XML nor JSON, or empty
	RuleEncoding     = "encoding"           // not UTF-8 (or UTF-16 with its mark), or declared otherwise
	RuleSyntax       = "syntax"             // not well-formed (XML 1.0, RFC 8259)
	RuleTruncated    = "truncated"          // ends before it is complete
	RuleDoctype      = "doctype"            // a DOCTYPE that declares something
	RuleEntity       = "entity"             // a reference to an entity that is not one of XML's own five
	RuleNamespace    = "namespace"          // unbound prefix or a binding Namespaces in XML forbids
	RuleLimit        = "limit"              // larger than a Limits allows; the message names which
	RuleRoot         = "root-element"       // no EPCIS document, or none of a version that is known
	RuleBody         = "missing-body"       // no EPCISBody (EPCIS 1.2 section 9.5, 2.0 section 9.5)
	RuleQueryName    = "missing-query-name" // a query is asked and not named (EPCIS 1.2 section 8.2.5); a Fault
	RuleRepeatedBody = "repeated-body"      // two bodies or two event lists

	// One event; reading can go on after it.

	RuleUnknownEvent   = "unknown-event"      // an event type of no standard, without a namespace
	RuleUnknownElement = "unknown-element"    // an element the standard does not have there, without a namespace
	RuleRepeated       = "repeated-element"   // twice what may be there once
	RuleText           = "unexpected-text"    // text where only elements may be
	RuleMissingTime    = "missing-event-time" // EPCIS 7.4.1
	RuleEventTime      = "bad-event-time"     // no date and time of ISO 8601
	RuleMissingAction  = "missing-action"     // EPCIS 7.4.2 to 7.4.5
	RuleAction         = "bad-action"         // not ADD, OBSERVE or DELETE (EPCIS 7.3.2)
	RuleNumber         = "bad-number"         // a quantity that is no decimal
	RuleMissingClass   = "missing-epc-class"  // a quantity of nothing (EPCIS 7.3.3.3)

	// Faults of an event.

	RuleOrder            = "element-order"        // not the order of the schema
	RuleNesting          = "element-nesting"      // in an extension where it does not belong, or not in one where it does
	RuleQualified        = "qualified-element"    // an EPCIS prefix where the schema has none
	RuleElementName      = "element-name"         // a name of a draft of the standard
	RuleUnknownExtension = "unknown-extension"    // unknown element without namespace where 1.2 reserves room for it
	RuleAttribute        = "unknown-attribute"    // dropped
	RuleVocabularyForm   = "vocabulary-form"      // a bare CBV word where XML wants its URI, or its URN where JSON wants it bare
	RuleMissingZone      = "missing-zone"         // no eventTimeZoneOffset
	RuleZone             = "bad-zone"             // eventTimeZoneOffset not (+|-)hh:mm up to 14:00 (EPCIS 7.4.1)
	RuleTimeWithoutZone  = "time-without-zone"    // eventTime names no offset; that of the event is taken
	RuleRecordTime       = "bad-record-time"      // dropped; it is ignored on input anyway
	RuleDeclarationTime  = "bad-declaration-time" // missing, or no date and time
	RulePlaceID          = "missing-place-id"     // a readPoint or bizLocation that names none
	RuleEmptyID          = "empty-identifier"     // an element for an identifier with none in it; dropped
	RuleDeprecated       = "deprecated-event"     // QuantityEvent, gone since EPCIS 2.0

	// Faults outside the events.

	RuleSchemaVersion = "schema-version"         // missing, or not that of the namespace
	RuleCreationDate  = "creation-date"          // missing, or no date and time
	RuleNoNamespace   = "document-namespace"     // the document element has no namespace
	RuleInstruction   = "processing-instruction" // skipped
	RuleEmptyDoctype  = "empty-doctype"          // a DOCTYPE that declares nothing; skipped
	RuleForeignEvent  = "foreign-event"          // something of another namespace in the event list
	RuleHeaderElement = "unknown-header-element" // kept
	RuleHeaderTime    = "bad-header-time"        // CreationDateAndTime of the SBDH
	RuleHeaderParty   = "header-party"           // no Sender or Receiver, or one without Identifier
)
