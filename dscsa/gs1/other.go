package gs1

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Locations of the Drug Enforcement Administration, in the form of the GS1 US
// guideline and in the short form that some senders use.
const (
	deaLocation = "http://epcis.gs1us.org/hc/dea/loc/"
	deaKey      = "dea/"
)

func parseDEA(number, whole string) (ID, *Error) {
	number = strings.TrimSpace(number)
	if len(number) == 0 || len(number) > 20 {
		return ID{}, fault(RuleForm, "write a DEA location as DEA:AB1234567: "+quote(whole))
	}
	for i := range len(number) {
		if c := number[i]; c-'0' > 9 && c|0x20-'a' > 25 {
			return ID{}, fault(RuleForm, "a DEA number is letters and digits: "+quote(whole))
		}
	}
	return ID{Kind: Other, Number: deaKey + strings.ToUpper(number)}, nil
}

// IsDEA reports whether the ID is a location known by its DEA number, and
// returns that.
func (id ID) IsDEA() (string, bool) {
	if id.Kind != Other {
		return "", false
	}
	return strings.CutPrefix(id.Number, deaKey)
}

// maxPrivate keeps keys short enough for an index of the database.
const maxPrivate = 1024

// parsePrivate takes any other URI as it is: its owner says what it means.
func parsePrivate(s string) (ID, *Error) {
	colon := strings.IndexByte(s, ':')
	if colon < 2 || colon == len(s)-1 || s[0]|0x20-'a' > 25 {
		return ID{}, fault(RuleForm, "write an EPC URN, a Digital Link URI, an element string such as (01)…(21)…, or a URI of your own: "+quote(s))
	}
	if len(s) > maxPrivate || !utf8.ValidString(s) {
		return ID{}, fault(RuleForm, "a URI is at most "+strconv.Itoa(maxPrivate)+" bytes of UTF-8: "+quote(s))
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20-'a' <= 25 || c-'0' <= 9
		if i < colon && !letter && c != '+' && c != '-' && c != '.' {
			return ID{}, fault(RuleForm, "this is not the scheme of a URI: "+quote(s))
		}
		if c <= ' ' || c == 0x7f || strings.IndexByte(`"<>\^{|}`+"`", c) >= 0 {
			return ID{}, fault(RuleForm, "a URI holds no blanks, quotes, brackets or control characters: "+quote(s))
		}
	}
	return ID{Kind: Other, Number: s}, nil
}
