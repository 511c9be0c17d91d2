package gs1

import "strings"

// link is a GS1 Digital Link URI taken apart.
type link struct {
	key      *identifier
	value    string
	quals    [4]Element // in the order of the path
	n        int
	query    string
	badDigit *Error // a wrong check digit, and nothing else wrong
}

// parseLinkID reads the identity in an http(s) URI. The domain and what stands
// in front of the key do not matter. A URI with no GS1 key in it is private.
func parseLinkID(s string) (ID, *Error) {
	l, isLink, e := splitLink(s)
	if !isLink {
		return parsePrivate(s)
	}
	if e == nil && l.query != "" {
		_, e = l.attributes(nil)
	}
	if e != nil {
		return ID{}, e
	}
	id, e := identify(l.key.code, l.value, l.quals[:l.n], s)
	if e == nil {
		e = l.badDigit
	}
	return id, e
}

// splitLink takes a URI apart (GS1 Digital Link standard: URI syntax, section
// 4). isLink is false when nothing in it means to be a GS1 key.
func splitLink(s string) (l link, isLink bool, e *Error) {
	rest, ok := cutScheme(s)
	if !ok {
		return l, true, fault(RuleLink, "write the scheme of a Digital Link as https://: "+quote(s))
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, l.query, _ = strings.Cut(rest, "?")
	host, path, _ := strings.Cut(rest, "/")
	canonical := strings.EqualFold(host, canonicalHost)
	if host == "" || !hostChars.all(host) {
		return l, true, fault(RuleLink, "this is no domain name: "+quote(s))
	}
	l.walk(path)
	if l.key == nil {
		if canonical || meantAsKey(path) {
			return l, true, fault(RuleLink, "no GS1 key and value, each behind a slash, end this path: "+quote(s))
		}
		return l, false, nil
	}
	// A path of somebody's own may hold "/01/" too: it is refused for not being
	// a key only when it looks like one in more than that.
	meant := canonical || startsWithDigits(l.value) || l.n > 0 && l.value != "" && digits[l.value[0]]
	if !uriChars.all(s) {
		return l, meant, fault(RuleLink, "percent-escape what a URI cannot hold: "+quote(s))
	}
	if !l.key.allows(l.quals[:l.n]) {
		return l, meant, fault(RuleLink, "what follows ("+l.key.code+") is not known there, or not in this order: "+quote(s))
	}
	if l.value, e = unescape(l.value); e != nil {
		return l, meant, e
	}
	if l.key.code == "01" {
		l.value = padGTIN(l.value)
	}
	if e = l.key.verify(l.value); e != nil {
		if !e.isCheckDigit() {
			return l, meant, e
		}
		l.badDigit = e
	}
	for i := range l.quals[:l.n] {
		q := &l.quals[i]
		if q.Value, e = unescape(q.Value); e == nil {
			e = lookup(q.AI).verify(q.Value)
		}
		if e != nil {
			return l, meant, e
		}
	}
	return l, true, nil
}

var (
	hostChars = charsOf("-.0123456789:@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~")
	uriChars  = charsOf("!#$%&'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_abcdefghijklmnopqrstuvwxyz~")
)

func cutScheme(s string) (string, bool) {
	for _, scheme := range [...]string{"https://", "http://", "HTTPS://", "HTTP://"} {
		if rest, ok := strings.CutPrefix(s, scheme); ok {
			return rest, true
		}
	}
	return s, false
}

// walk goes through the path from its end, pair by pair, until it meets a key.
// It leaves the values escaped and unchecked.
func (l *link) walk(path string) {
	for {
		at := strings.LastIndexByte(path, '/')
		if at < 0 {
			return
		}
		value := path[at+1:]
		path = path[:at]
		at = strings.LastIndexByte(path, '/')
		a := lookup(aliasOf(path[at+1:]))
		switch {
		case a == nil:
			return
		case a.is&primary != 0:
			l.key, l.value = a, value
			return
		case at < 0 || l.n == len(l.quals):
			return
		}
		copy(l.quals[1:], l.quals[:l.n])
		l.quals[0], l.n = Element{a.code, value}, l.n+1
		path = path[:at]
	}
}

// meantAsKey reports whether a path without a key at its end has one inside.
func meantAsKey(path string) bool {
	for path != "" {
		code, rest, _ := strings.Cut(path, "/")
		if a := lookup(aliasOf(code)); a != nil && a.is&primary != 0 {
			value, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
			if startsWithDigits(value) {
				return true
			}
		}
		path = rest
	}
	return false
}

func startsWithDigits(s string) bool { return len(s) >= 6 && allDigits(s[:6]) }

// padGTIN writes a GTIN of 8, 12 or 13 digits as one of 14. Earlier versions
// of the Digital Link standard let the zeros be left out.
func padGTIN(s string) string {
	switch len(s) {
	case 8, 12, 13:
		return "000000"[:14-len(s)] + s
	}
	return s
}

// allows reports whether the qualifiers are known behind the key, in order.
func (a *identifier) allows(quals []Element) bool {
	if len(quals) == 0 {
		return true
	}
	for _, path := range a.paths {
		next := 0
		for _, code := range path {
			if next < len(quals) && quals[next].AI == code {
				next++
			}
		}
		if next == len(quals) {
			return true
		}
	}
	return false
}

// aliasOf turns the names of the older form of Digital Links, which
// verification requests still use, into application identifiers.
func aliasOf(code string) string {
	if code == "" || code[0]-'0' <= 9 {
		return code
	}
	switch code {
	case "gtin":
		return "01"
	case "lot":
		return "10"
	case "ser":
		return "21"
	case "cpv":
		return "22"
	case "sscc":
		return "00"
	case "gln":
		return "414"
	case "glnx":
		return "254"
	case "party", "partygln":
		return "417"
	case "payto", "payTo":
		return "415"
	case "gdti":
		return "253"
	case "gcn":
		return "255"
	case "ginc":
		return "401"
	case "gsin":
		return "402"
	case "grai":
		return "8003"
	case "giai":
		return "8004"
	case "itip":
		return "8006"
	case "cpid":
		return "8010"
	case "cpsn":
		return "8011"
	case "gmn":
		return "8013"
	case "gsrnp":
		return "8017"
	case "gsrn":
		return "8018"
	case "srin":
		return "8019"
	}
	return code
}

// attributes appends what the query says in application identifiers; words
// that are none are for whoever answers the link.
func (l *link) attributes(els []Element) ([]Element, *Error) {
	for query := l.query; query != ""; {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		code, value, ok := strings.Cut(pair, "=")
		switch code {
		case "exp":
			code = "17"
		case "expdt":
			code = "7003"
		case "lot", "ser", "cpv":
			code = aliasOf(code)
		}
		if !ok || !allDigits(code) {
			continue
		}
		a := lookup(code)
		switch {
		case a == nil || a.is&attribute == 0:
			return nil, fault(RuleLink, "("+quote(code)+") is no attribute of a Digital Link")
		case l.inPath(a):
			return nil, fault(RuleLink, "("+code+") belongs into the path of the Digital Link, once")
		}
		decoded, e := unescape(value)
		if e != nil {
			return nil, e
		}
		if code == "01" {
			decoded = padGTIN(decoded)
		}
		if e := a.verify(decoded); e != nil {
			if !e.isCheckDigit() {
				return nil, e
			}
			l.badDigit = e
		}
		for _, el := range els {
			if el.AI == code {
				return nil, fault(RuleLink, "("+code+") is given twice")
			}
		}
		els = append(els, Element{code, decoded})
	}
	return els, nil
}

// inPath reports whether a is the key, or could stand in the path beside the
// qualifiers that do.
func (l *link) inPath(a *identifier) bool {
	if a == l.key {
		return true
	}
	for _, path := range l.key.paths {
		if !contains(path, a.code) {
			continue
		}
		all := true
		for _, q := range l.quals[:l.n] {
			all = all && contains(path, q.AI)
		}
		if all {
			return true
		}
	}
	return false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// parseLink reads all that a Digital Link URI says.
func parseLink(s string) ([]Element, *Error) {
	l, isLink, e := splitLink(s)
	if e == nil && !isLink {
		e = fault(RuleLink, "there is no GS1 key in this URI: "+quote(s))
	}
	if e != nil {
		return nil, e
	}
	els := append([]Element{{l.key.code, l.value}}, l.quals[:l.n]...)
	if els, e = l.attributes(els); e != nil {
		return nil, e
	}
	return els, l.badDigit
}
