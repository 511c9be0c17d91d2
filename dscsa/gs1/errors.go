package gs1

import (
	"errors"
	"strconv"
)

// Error says why a spelling is not an identifier and what to change. Rule is
// stable and is what a finding names; Detail is for people and quotes no more
// of the input than a few characters, so a finding can be shown.
type Error struct {
	Rule   Rule
	Detail string
}

func (e *Error) Error() string { return string(e.Rule) + ": " + e.Detail }

// Rule names what an identifier broke.
type Rule string

// The rules. A *-check-digit fault comes with the identifier as it was
// spelled, because check digits are wrong in published documents of large
// senders; any other fault comes with the zero ID.
const (
	RuleForm        Rule = "id-form"        // no form that identifiers are written in
	RuleScheme      Rule = "urn-scheme"     // urn:epc: with a scheme that is not known
	RuleFields      Rule = "urn-fields"     // too few or too many parts between the dots
	RulePattern     Rule = "urn-pattern"    // a pattern of several classes is not one thing
	RuleEscape      Rule = "percent-escape" // % without two hexadecimal digits
	RulePrefix      Rule = "company-prefix" // not 6 to 12 digits
	RuleNumber      Rule = "not-digits"     // letters where digits belong
	RuleSGTINLength Rule = "sgtin-length"   // prefix and item are not 13 digits
	RuleGTINLength  Rule = "gtin-length"    // not 14 (or 8, 12, 13) digits
	RuleSSCCLength  Rule = "sscc-length"    // not 17 digits in a URN, 18 elsewhere
	RuleGLNLength   Rule = "gln-length"     // not 12 digits in a URN, 13 elsewhere
	RuleKeyLength   Rule = "key-length"     // the same of the other keys
	RuleSerial      Rule = "serial-charset" // outside the 82 characters
	RuleSerialLen   Rule = "serial-length"  // empty or longer than its 20 characters
	RuleGTINCheck   Rule = "gtin-check-digit"
	RuleSSCCCheck   Rule = "sscc-check-digit"
	RuleGLNCheck    Rule = "gln-check-digit"
	RuleKeyCheck    Rule = "key-check-digit" // of the other keys
	RuleLink        Rule = "digital-link"    // not a GS1 Digital Link URI
	RuleElement     Rule = "element-string"  // cannot be cut into application identifiers
	RuleValue       Rule = "ai-value"        // a value its application identifier does not allow
	RuleDate        Rule = "date"            // no such day
	RuleAssociation Rule = "ai-association"  // application identifiers that need or exclude each other
	RuleSymbology   Rule = "symbology"       // a carrier that holds no GS1 data
	RuleNDC         Rule = "ndc"             // not a National Drug Code
	RuleNDCLayout   Rule = "ndc-layout"      // the digits fit more than one layout
)

// IsCheckDigit reports whether err is only a wrong check digit: the identifier
// has the right shape and is usable as spelled.
func IsCheckDigit(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.isCheckDigit()
}

func fault(rule Rule, detail string) *Error { return &Error{rule, detail} }

// quote shows the start of s, whatever is in it.
func quote(s string) string {
	if len(s) > 40 {
		return strconv.QuoteToASCII(s[:40]) + "…"
	}
	return strconv.QuoteToASCII(s)
}

func (e *Error) isCheckDigit() bool {
	return e.Rule == RuleGTINCheck || e.Rule == RuleSSCCCheck || e.Rule == RuleGLNCheck || e.Rule == RuleKeyCheck
}

func wrongDigit(rule Rule, what, number string) *Error {
	right := CheckDigit(number[:len(number)-1])
	return fault(rule, "the check digit of "+what+" "+quote(number)+" should be "+string(rune(right)))
}
