package gs1

// charset is a set of ASCII characters.
type charset [256]bool

// The character sets of the General Specifications, section 7.11.
var (
	digits = charsOf("0123456789")
	cset39 = charsOf("#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
	cset82 = charsOf(`!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)
	cset64 = charsOf("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz=")

	// What stays as it is in a canonical Digital Link URI (GS1 Digital Link
	// standard, table of characters to be escaped) and in a URN (EPC Tag Data
	// Standard, section 5.2).
	linkPlain = charsOf("'-.0123456789;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
	urnPlain  = charsOf(`!'()*+,-.0123456789:;=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`)
)

func charsOf(s string) (set charset) {
	for i := range len(s) {
		set[s[i]] = true
	}
	return set
}

func (set *charset) all(s string) bool {
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends s with all but the plain characters percent-escaped.
func appendEscaped(dst []byte, s string, plain *charset) []byte {
	if plain.all(s) {
		return append(dst, s...)
	}
	for i := range len(s) {
		if c := s[i]; plain[c] {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// unescape decodes percent-escapes. A character that should have been escaped
// and is not stands for itself: partners write them, and there is one reading.
func unescape(s string) (string, *Error) {
	at := 0
	for at < len(s) && s[at] != '%' {
		at++
	}
	if at == len(s) {
		return s, nil
	}
	out := append(make([]byte, 0, len(s)), s[:at]...)
	for i := at; i < len(s); i++ {
		if s[i] != '%' {
			out = append(out, s[i])
			continue
		}
		if i+2 >= len(s) || unhex(s[i+1]) > 15 || unhex(s[i+2]) > 15 {
			return "", fault(RuleEscape, "write % as %25, and two hexadecimal digits after any other %: "+quote(s))
		}
		out = append(out, unhex(s[i+1])<<4|unhex(s[i+2]))
		i += 2
	}
	return string(out), nil
}

func unhex(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c-'A' <= 5:
		return c - 'A' + 10
	case c-'a' <= 5:
		return c - 'a' + 10
	}
	return 255
}
