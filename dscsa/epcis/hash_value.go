package epcis

import (
	"math"
	"strconv"
	"strings"

	"github.com/recourse/recourse/dscsa/gs1"
)

// canonical writes a value in the one spelling the hash has for it:
// identifiers as canonical Digital Link URIs, numbers without idle zeros.
func (h *hasher) canonical(s string) {
	switch {
	case strings.HasPrefix(s, "urn:epc:"), strings.HasPrefix(s, "https://"), strings.HasPrefix(s, "http://"):
		id, err := gs1.Parse(s)
		if err != nil && !gs1.IsCheckDigit(err) || id.Kind == gs1.Other {
			h.raw(s)
			return
		}
		h.raw("https://id.gs1.org/")
		h.b = id.AppendKey(h.b)
	case s[0] >= '0' && s[0] <= '9', strings.IndexByte("+-.", s[0]) >= 0:
		h.number(s)
	default:
		h.raw(s)
	}
}

// number writes a number as the reference implementation spells it, and any
// other text as it is.
func (h *hasher) number(s string) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil, math.IsInf(f, 0), math.IsNaN(f), strings.ContainsAny(s, "xX_pP"): // numbers to strconv, not to anyone else
		h.raw(s)
	case f == 0:
		h.raw("0")
	case f == math.Trunc(f):
		h.b = strconv.AppendFloat(h.b, f, 'f', 0, 64)
	case math.Abs(f) < 1e-4:
		h.b = strconv.AppendFloat(h.b, f, 'e', -1, 64)
	default:
		h.b = strconv.AppendFloat(h.b, f, 'f', -1, 64)
	}
}

// namespace is the one spelling of a namespace that XML and JSON documents
// spell two ways: CBV master data (the standard's JSON-LD
// context ends it in a colon) and the GS1 US healthcare extensions.
func namespace(uri string) string {
	switch uri {
	case "urn:epcglobal:cbv:mda:", "http://epcis.gs1us.org/hc/ns#":
		return uri[:len(uri)-1]
	}
	return uri
}
