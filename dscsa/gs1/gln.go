package gs1

import "strings"

// GLNOf returns the GLN in an sgln or pgln URN, in a Digital Link URI, in an
// element string, or in 13 bare digits, as senders of business documents write
// parties. (URNs hold no check digit, it is computed.) Anything malformed is an
// error and gln is "". On a wrong check digit gln is what was written, and the
// error says so (see [IsCheckDigit]): published documents of large senders have
// them.
func GLNOf(s string) (gln string, err error) {
	s = strings.TrimSpace(s)
	if allDigits(s) {
		switch {
		case len(s) != 13:
			return "", fault(RuleGLNLength, "a GLN is 13 digits: "+quote(s))
		case !checked(s):
			return s, wrongDigit(RuleGLNCheck, "GLN", s)
		}
		return s, nil
	}
	id, e := parse(s)
	if e != nil && !e.isCheckDigit() {
		return "", e
	}
	if id.GLN() == "" {
		return "", fault(RuleForm, "this is neither a location nor a party with a GLN: "+quote(s))
	}
	if e != nil {
		return id.GLN(), e
	}
	return id.GLN(), nil
}
