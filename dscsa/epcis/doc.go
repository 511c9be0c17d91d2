// Package epcis reads and writes EPCIS documents: 1.2 XML (bare, in a Standard
// Business Document Header or a SOAP envelope, query documents), 2.0 XML and
// 2.0 JSON-LD. Whatever the format, the same event is the same [Event] and has
// the same hash.
package epcis
