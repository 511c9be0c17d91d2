package gs1

import "strings"

// LinkOf writes elements as a Digital Link URI under a stem such as
// "https://example.com/shop" ("": id.gs1.org): the first key among them starts
// the path, its qualifiers follow in their order, the rest becomes attributes,
// those of predefined length first. An element that may be neither is an
// error, as is there being no key.
func LinkOf(stem string, els []Element) (string, error) {
	if stem == "" {
		stem = canonicalStem
	}
	var key *identifier
	rest := make([]Element, 0, len(els))
	for _, el := range els {
		a := lookup(el.AI)
		if a == nil {
			return "", fault(RuleElement, "there is no application identifier ("+el.AI+")")
		}
		if _, twice := Value(rest, el.AI); twice {
			continue
		}
		if key == nil && a.is&primary != 0 {
			key = a
		}
		rest = append(rest, el)
	}
	if key == nil {
		return "", fault(RuleLink, "no GS1 key, such as (01) or (00), is among these elements")
	}
	b := append([]byte(strings.TrimSuffix(stem, "/")), '/')
	value, _ := Value(rest, key.code)
	b = appendEscaped(append(append(b, key.code...), '/'), value, &linkPlain)
	path := append([]string{key.code}, key.bestPath(rest)...)
	for _, code := range path[1:] {
		if value, ok := Value(rest, code); ok {
			b = append(append(append(b, '/'), code...), '/')
			b = appendEscaped(b, value, &linkPlain)
		}
	}
	mark := byte('?')
	for _, predefined := range []bool{true, false} {
		for _, el := range rest {
			a := lookup(el.AI)
			if contains(path, el.AI) || a.is&fixed != 0 != predefined {
				continue
			}
			if a.is&attribute == 0 {
				return "", fault(RuleLink, "("+el.AI+") cannot stand in a Digital Link of ("+key.code+")")
			}
			b = append(append(append(b, mark), el.AI...), '=')
			b = appendEscaped(b, el.Value, &linkPlain)
			mark = '&'
		}
	}
	return string(b), nil
}

// bestPath is the sequence of qualifiers that takes most of the elements.
func (a *identifier) bestPath(els []Element) []string {
	var best []string
	most := 0
	for _, path := range a.paths {
		n := 0
		for _, code := range path {
			if _, ok := Value(els, code); ok {
				n++
			}
		}
		if n > most {
			best, most = path, n
		}
	}
	return best
}
