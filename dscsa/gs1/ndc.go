package gs1

import (
	"strconv"
	"strings"
)

// NDC is a National Drug Code (21 CFR 207.33): who labels the drug, which
// strength and form, which package. The segments have the lengths the code was
// assigned with, which the digits alone do not always tell.
type NDC struct {
	Labeler, Product, Package string
}

// Layout is the lengths of the segments of an NDC.
type Layout struct{ Labeler, Product, Package int }

// Every layout there is stands here: a new one is a line.
var (
	// assigned are the layouts of ten digits.
	assigned = []Layout{{4, 4, 2}, {5, 3, 2}, {5, 4, 1}}
	// NDC11 is the layout of claims (HIPAA, 45 CFR 162.1002): each segment
	// filled up with zeros.
	NDC11 = Layout{5, 4, 2}
	// NDC12 is the uniform layout that FDA has proposed (87 FR 44038).
	NDC12 = Layout{6, 4, 2}
)

func (l Layout) digits() int { return l.Labeler + l.Product + l.Package }

func (l Layout) String() string {
	return strconv.Itoa(l.Labeler) + "-" + strconv.Itoa(l.Product) + "-" + strconv.Itoa(l.Package)
}

// drugLead stands in front of the NDC in the GTIN of a US drug.
const drugLead = "03"

// labelerLen is the length of the labeler code that an NDC of ten digits
// starts with. Labelers of four digits are those that FDA numbered first and
// begin with 0 in its directory; those of five begin at 10000.
func labelerLen(ndc10 string) int {
	if strings.HasPrefix(ndc10, "0") {
		return 4
	}
	return 5
}

// drugPrefix is the length of the company prefix of a US drug, which is "03"
// and the labeler; 0 of anything else.
func (id ID) drugPrefix() int {
	gtin := id.GTIN()
	if len(gtin) != 14 || gtin[1:3] != drugLead {
		return 0
	}
	return len(drugLead) + labelerLen(gtin[3:])
}

// ParseNDC reads an NDC of 10, 11 or 12 digits, with or without hyphens. Ten
// bare digits of a labeler of five, and padded codes with two segments that
// could be the padded one, fit two layouts: that is a fault of [RuleNDCLayout].
func ParseNDC(s string) (NDC, error) {
	found, err := readNDC(s)
	if err != nil {
		return NDC{}, err
	}
	if len(found) > 1 {
		return NDC{}, fault(RuleNDCLayout, "write this NDC as it was assigned, "+found[0].String()+" or "+found[1].String()+": "+quote(s))
	}
	return found[0], nil
}

// readNDC returns every NDC that s can mean, one at least.
func readNDC(s string) ([]NDC, error) {
	bare := strings.ReplaceAll(s, "-", "")
	if !allDigits(bare) {
		return nil, fault(RuleNDC, "an NDC is digits and hyphens: "+quote(s))
	}
	if segments := strings.Split(s, "-"); len(segments) == 3 {
		l := Layout{len(segments[0]), len(segments[1]), len(segments[2])}
		n := NDC{segments[0], segments[1], segments[2]}
		for _, a := range assigned {
			if a == l {
				return []NDC{n}, nil
			}
		}
		if l == NDC11 || l == NDC12 {
			return unpad(n, s)
		}
		return nil, fault(RuleNDC, "no NDC has the layout "+l.String()+": "+quote(s))
	}
	switch {
	case bare != s:
	case len(s) == 10:
		return ofTen(s), nil
	case len(s) == NDC11.digits():
		return unpad(cut(s, NDC11), s)
	case len(s) == NDC12.digits():
		return unpad(cut(s, NDC12), s)
	}
	return nil, fault(RuleNDC, "an NDC is 10, 11 or 12 digits, in three segments or none: "+quote(s))
}

func cut(digits string, l Layout) NDC {
	return NDC{digits[:l.Labeler], digits[l.Labeler : l.Labeler+l.Product], digits[l.Labeler+l.Product:]}
}

// ofTen returns the NDCs that ten digits can be.
func ofTen(digits string) []NDC {
	var found []NDC
	for _, l := range assigned {
		if l.Labeler == labelerLen(digits) {
			found = append(found, cut(digits, l))
		}
	}
	return found
}

// unpad returns the NDCs of ten digits that fill up to n.
func unpad(n NDC, s string) ([]NDC, error) {
	want := n.Padded(NDC12)
	var found []NDC
	for _, l := range assigned {
		c := NDC{last(n.Labeler, l.Labeler), last(n.Product, l.Product), last(n.Package, l.Package)}
		// A labeler of five digits does not begin with 0, so a zero there is
		// padding and the layout is that of four.
		if c.Padded(NDC12) == want && (l.Labeler == 4 || c.Labeler[0] != '0') {
			found = append(found, c)
		}
	}
	if found == nil {
		return nil, fault(RuleNDC, "no segment of this NDC is padded, so it has no form of ten digits: "+quote(s))
	}
	return found, nil
}

// last returns the last n characters of s.
func last(s string, n int) string { return s[max(0, len(s)-n):] }

// String is the NDC with hyphens, as it was assigned.
func (n NDC) String() string { return n.Labeler + "-" + n.Product + "-" + n.Package }

// Digits is the NDC as it was assigned, without hyphens.
func (n NDC) Digits() string { return n.Labeler + n.Product + n.Package }

// Padded fills each segment up to a layout, without hyphens: [NDC11] for
// claims.
func (n NDC) Padded(to Layout) string {
	return fill(n.Labeler, to.Labeler) + fill(n.Product, to.Product) + fill(n.Package, to.Package)
}

func fill(s string, n int) string { return strings.Repeat("0", max(0, n-len(s))) + s }

// GTIN returns the GTIN-14 of the NDC's package at a level: indicator '0' is
// the unit, '1' to '8' are levels above. 9, of variable measure, no drug has.
func (n NDC) GTIN(indicator byte) (string, error) {
	return gtinOf(n.Digits(), indicator)
}

func gtinOf(ndc10 string, indicator byte) (string, error) {
	if indicator < '0' || indicator > '8' {
		return "", fault(RuleNDC, "the indicator of a drug's GTIN is 0 to 8, not "+quote(string(rune(indicator))))
	}
	if len(ndc10) != 10 || !allDigits(ndc10) {
		return "", fault(RuleNDC, "only an NDC of ten digits has a GTIN: "+quote(ndc10))
	}
	b := append(make([]byte, 0, 14), indicator)
	b = append(append(b, drugLead...), ndc10...)
	return string(append(b, checkDigit(b))), nil
}

// GTINOf returns the GTIN-14 of an NDC in any spelling. Ten bare digits have
// one whatever their layout.
func GTINOf(ndc string, indicator byte) (string, error) {
	found, err := readNDC(ndc)
	if err != nil {
		return "", err
	}
	for _, n := range found[1:] {
		if n.Digits() != found[0].Digits() {
			return "", fault(RuleNDCLayout, "write this NDC as it was assigned, "+found[0].String()+" or "+n.String()+": "+quote(ndc))
		}
	}
	return found[0].GTIN(indicator)
}

// NDCsOf returns the NDCs that a US drug's GTIN-14 can hold, and none for any
// other GTIN. A labeler of four digits leaves one layout; one of five leaves
// two, with the same ten digits and different forms of eleven. Which one it
// is, the product's master data say.
func NDCsOf(gtin string) []NDC {
	if len(gtin) != 14 || !allDigits(gtin) || gtin[1:3] != drugLead || gtin[0] == '9' {
		return nil
	}
	return ofTen(gtin[3:13])
}
