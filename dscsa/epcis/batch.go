package epcis

import "strings"

// Batch is what an event says of the lot and the expiry date of what it makes,
// less surrounding blanks, "" where it says nothing: lotNumber and
// itemExpirationDate of its ILMD, in whichever namespace they come. What the
// ILMD lacks may stand beside it in the namespace of GS1 US: the releases of the
// US guideline for EPCIS 1.0, which has no ILMD, put it there, and senders still
// do. beside says that something was found there only. Of several values the
// first counts.
func (e *Event) Batch() (lot, expiry string, beside bool) {
	for i := range e.ILMD {
		takeBatch(&e.ILMD[i], &lot, &expiry)
	}
	if len(e.Extensions) == 0 || lot != "" && expiry != "" {
		return lot, expiry, false
	}
	before := len(lot) + len(expiry)
	for i := range e.Extensions {
		if f := &e.Extensions[i]; strings.TrimRight(f.Name.Space, "#") == "http://epcis.gs1us.org/hc/ns" {
			takeBatch(f, &lot, &expiry)
		}
	}
	return lot, expiry, len(lot)+len(expiry) > before
}

func takeBatch(f *Field, lot, expiry *string) {
	switch {
	case f.Name.Local == "lotNumber" && *lot == "":
		*lot = strings.TrimSpace(f.Value)
	case f.Name.Local == "itemExpirationDate" && *expiry == "":
		*expiry = strings.TrimSpace(f.Value)
	}
}
