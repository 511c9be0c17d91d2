package epcis

// Rules of JSON documents besides those all formats share.
const (
	// The document as a whole; reading ends.

	RuleContext   = "missing-context" // no @context, or one that binds a prefix to no URI
	RuleCharacter = "character"       // a character no XML document may hold (XML 1.0 section 2.2)

	// One event; reading can go on after it. Outside the events they end it.

	RuleType = "value-type" // text where a list is expected, and the like
	// RuleWord: neither a word of the vocabulary nor a URI. It refuses a
	// bizStep or disposition and is a Fault elsewhere.
	RuleWord = "unknown-word"

	// Faults of an event.

	RuleTwoEventIDs = "two-event-ids" // eventID twice; the last one counts

	// Faults outside the events.

	RuleForeignContext = "foreign-context" // a prefix that only a context not fetched may bind
	RuleSingleEvent    = "single-event"    // "event" in place of "eventList"
)
