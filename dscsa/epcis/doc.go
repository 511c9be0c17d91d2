// Package epcis reads and writes EPCIS documents: 1.2 XML (bare, in a Standard
// Business Document Header or a SOAP envelope, query documents), 2.0 XML and
// 2.0 JSON-LD. Whatever the format, the same event is the same [Event] and has
// the same hash.
//
// # Reading
//
// A [Reader] goes through a document once and hands on each event as soon as
// its end has been read; it holds one event and what is not an event, whatever
// the length of the document. [Limits] bound what it holds.
//
// What is found wrong takes one of three ways, and the Rule constants say which
// one each takes. A document that is not well-formed, too large, or no EPCIS
// document ends the reading with an [Error]: events handed on before then stand
// in the document as they were given, so whoever must take a document whole or
// not at all waits for [io.EOF]. An event that means nothing (no time, no
// action, an element the standard does not know) is refused with an Error that
// is Resumable; the next call goes on behind it. Everything else is a [Fault] of
// the event or of the document, and the event is complete without it.
//
// What is not of the standard but has a namespace of its own is kept as it came,
// as trees of [Field].
//
// JSON is read without fetching any context: prefixes are those of the standard's
// own context and those a document binds itself. Where @context stands behind the
// events, up to 32 MiB of them are held until it is found.
//
// # Writing
//
// A [Writer] writes a document event by event, the same bytes for the same events,
// and valid by the standard's schemas. What a format cannot hold is an [Error] that
// names it; the event leaves no trace and the next one can be written. What 1.2 does
// not know (AssociationEvent, sensors, persistent dispositions, certificates) goes
// into the extensions it leaves open for later versions. When what is written to
// fails, the document is broken off and every further call says so.
//
// Reading what was written gives the same events, up to the order of JSON members
// of other names. A document written in another format than it came in keeps of
// its envelope what that format has room for; see [Writer].
//
// # Identity
//
// [Hash] is the same for the same event, whatever its format, spelling and order.
// An error declaration has the hash of the event it declares wrong.
package epcis
