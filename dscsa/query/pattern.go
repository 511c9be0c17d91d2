package query

import (
	"strings"

	"github.com/recourse/recourse/dscsa/gs1"
)

// pattern reads the value of a MATCH_ parameter: an identifier in any
// spelling, or a pure identity pattern (Tag Data Standard section 8) whose
// last part is a star.
func pattern(s string) (Pattern, string) {
	if family, ok := strings.CutPrefix(s, "urn:epc:idpat:"); ok {
		return familyOf(family, s)
	}
	id, err := gs1.Parse(s)
	if err != nil {
		return Pattern{}, err.Error()
	}
	return Pattern{Key: id.Key()}, ""
}

// familyOf reads scheme:prefix.reference.*, and what names one thing in full.
func familyOf(family, whole string) (Pattern, string) {
	rest, starred := strings.CutSuffix(family, ".*")
	if strings.Contains(rest, "*") {
		return Pattern{}, "may have a star for the serial only: " + whole
	}
	if !starred {
		return pattern("urn:epc:id:" + rest)
	}
	// The class is the family less its serial; a stand-in makes the pattern an
	// identifier of the scheme.
	id, err := gs1.Parse("urn:epc:id:" + rest + ".0")
	if err != nil || id.Serial == "" && id.Kind != gs1.SGLN {
		return Pattern{}, "is no pattern of serials, such as urn:epc:idpat:sgtin:0614141.107346.*: " + whole
	}
	class := id
	class.Serial = ""
	if id.Kind == gs1.SGTIN {
		class.Kind = gs1.GTIN
	}
	return Pattern{Key: class.Key(), Family: true}, ""
}

// Holds reports whether the pattern is that of the item with the key.
func (p Pattern) Holds(key string) bool {
	if !p.Family {
		return p.Key == key
	}
	return strings.HasPrefix(key, p.Key) && (len(key) == len(p.Key) || key[len(p.Key)] == '/')
}

// Holds reports whether the place is that with the key.
func (p Place) Holds(key string) bool {
	return Pattern{Key: p.Key, Family: p.Within}.Holds(key)
}
