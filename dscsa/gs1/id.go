package gs1

import "strings"

// ID is one identified thing, or a class of things, whatever its spelling.
// Two IDs name the same thing when their keys are equal; the length of the
// company prefix, which only URNs tell, is no part of that.
type ID struct {
	Kind Kind
	// Number is the key with its check digit: a GTIN-14, an SSCC of 18 digits,
	// a GLN of 13, a GRAI of 14 (with its leading 0), GTIN-14 + piece + total of
	// an ITIP, the whole of a GIAI. Of Other it is the stored key itself.
	Number string
	// Serial is the decoded serial, lot or extension. "" is none; the
	// extension "0" of a location is none as well.
	Serial string
	// Prefix is the length of the company prefix, 0 when the spelling did not
	// tell.
	Prefix uint8
}

// Parse reads any spelling: an EPC URN (id, class, or idpat of a class), a GS1
// Digital Link URI of any domain, also in its older form with names
// (/gtin/…/lot/…/ser/…), a bracketed element string, a DEA location. Any other
// URI is private and is kept as it is. The result may share memory with s.
//
// Errors are of type [*Error]. On a wrong check digit (see [IsCheckDigit]) the
// ID is returned as it was spelled, beside the error.
func Parse(s string) (ID, error) {
	id, fault := parse(s)
	if fault != nil {
		return id, fault
	}
	return id, nil
}

func parse(s string) (ID, *Error) {
	switch {
	case strings.HasPrefix(s, "urn:epc:"):
		return parseURN(s)
	case strings.HasPrefix(s, "("):
		return parseBracketed(s)
	case len(s) > 5 && (s[:4] == "http" || strings.EqualFold(s[:4], "http")):
		if after, ok := strings.CutPrefix(s, deaLocation); ok {
			return parseDEA(after, s)
		}
		return parseLinkID(s)
	case len(s) > 8 && strings.EqualFold(s[:8], "urn:epc:"):
		// RFC 8141 section 3.1: the scheme and the namespace ignore case.
		return parseURN("urn:epc:" + s[8:])
	case len(s) > 4 && strings.EqualFold(s[:4], "dea:"):
		return parseDEA(s[4:], s)
	}
	return parsePrivate(s)
}

// IsClass reports whether the ID names a class of things, as the quantity
// lists of events do, and not one thing.
func (id ID) IsClass() bool {
	switch id.Kind {
	case GTIN, LGTIN, ITIPLot, GMN:
		return true
	case GRAI, GDTI, GCN, CPI, ITIP:
		return id.Serial == ""
	default:
		return false
	}
}

// GTIN returns the GTIN-14 of a trade item, of its class, lot or piece, and ""
// of anything else.
func (id ID) GTIN() string {
	switch id.Kind {
	case SGTIN, GTIN, LGTIN, UPUI:
		return id.Number
	case ITIP, ITIPLot:
		return id.Number[:14]
	default:
		return ""
	}
}

// GLN returns the GLN of a location or a party, and "" of anything else.
func (id ID) GLN() string {
	if id.Kind == SGLN || id.Kind == PGLN {
		return id.Number
	}
	return ""
}

// Key returns the key under which the thing is stored: the path of its
// canonical Digital Link URI. See AppendKey.
func (id ID) Key() string { return string(id.AppendKey(make([]byte, 0, 64))) }

// AppendKey appends the key under which the thing is stored, the same for
// every spelling: the path of its canonical Digital Link URI ("01/…/21/…",
// "00/…", "414/…/254/…"), "dea/…" for a DEA location, the URI itself for
// anything private. [ParseKey] reads it back.
func (id ID) AppendKey(dst []byte) []byte {
	s := &specs[id.Kind]
	if id.Kind == Other {
		return append(dst, id.Number...)
	}
	dst = append(append(dst, s.ai...), '/')
	if s.shape == open {
		dst = appendEscaped(dst, id.Number, &linkPlain)
	} else {
		dst = append(dst, id.Number...)
	}
	if id.Serial == "" {
		return dst
	}
	if s.qual != "" {
		dst = append(append(append(dst, '/'), s.qual...), '/')
	}
	return appendEscaped(dst, id.Serial, &linkPlain)
}

// DigitalLink returns the canonical Digital Link URI, the form in which
// identifiers enter the event hash (CBV 2.0 section 8.9): the domain
// id.gs1.org, the finest level of identification, no attributes. Of Other it
// is the URI itself.
func (id ID) DigitalLink() string {
	if id.Kind == Other {
		if number, ok := strings.CutPrefix(id.Number, deaKey); ok {
			return deaLocation + number
		}
		return id.Number
	}
	return string(id.AppendKey(append(make([]byte, 0, 80), canonicalStem...)))
}

// ParseKey reads back what Key returned, also of an ID whose check digit was
// wrong. It takes nothing else.
func ParseKey(key string) (ID, error) {
	var id ID
	var e *Error
	switch number, dea := strings.CutPrefix(key, deaKey); {
	case dea:
		id, e = parseDEA(number, key)
	case strings.Contains(key, ":"):
		id, e = parse(key)
	default:
		id, e = parseLinkID(canonicalStem + key)
	}
	if e != nil && !e.isCheckDigit() {
		return ID{}, e
	}
	if id.Key() != key {
		return ID{}, fault(RuleForm, "this is not the key of an identifier: "+quote(key))
	}
	return id, nil
}

const (
	canonicalHost = "id.gs1.org"
	canonicalStem = "https://" + canonicalHost + "/"
)
