package gs1

import "strings"

// Element is an application identifier and its value, decoded.
type Element struct {
	AI, Value string
}

// separator is FNC1 inside a message as scanners send it.
const separator = 0x1d

// ParseScan reads what a scanner sends: a message of application identifiers
// with or without its symbology identifier, or the Digital Link URI in a QR
// code or Data Matrix; the bracketed form under a bar code as well. Values are
// checked and so is whether the identifiers may stand together. On a wrong
// check digit alone the elements are returned beside the error.
//
// Without the separator that belongs behind a serial or lot, what follows
// reads as part of it: nothing in the data tells.
func ParseScan(raw []byte) ([]Element, error) {
	els, e := parseScan(strings.TrimRight(string(raw), "\r\n"))
	if e != nil && e.isCheckDigit() {
		return els, e
	}
	if e != nil {
		return nil, e
	}
	if e := associate(els); e != nil {
		return nil, e
	}
	return els, nil
}

func parseScan(s string) ([]Element, *Error) {
	if len(s) < 3 || s[0] != ']' {
		return parseUnmarked(s)
	}
	symbology, s := s[:3], s[3:]
	switch symbology {
	case "]d2", "]C1", "]Q3", "]e0", "]J1":
		return parseMessage(s)
	case "]E0", "]E4", "]I0", "]I1": // EAN-13, EAN-8, ITF-14
		return parseLinear(symbology, s)
	case "]d1", "]Q1", "]J0":
		if strings.HasPrefix(strings.ToLower(s), "http") {
			return parseLink(s)
		}
	}
	return nil, fault(RuleSymbology, "a symbol marked "+quote(symbology)+" holds no GS1 data: no FNC1 in first position")
}

// parseUnmarked reads data without a symbology identifier.
func parseUnmarked(s string) ([]Element, *Error) {
	switch {
	case strings.HasPrefix(s, "("):
		return splitBracketed(s)
	case len(s) > 4 && strings.EqualFold(s[:4], "http"):
		return parseLink(s)
	default:
		return parseMessage(strings.TrimPrefix(s, string(rune(separator))))
	}
}

// parseLinear reads a symbol that holds a GTIN only, with what a composite
// symbol adds behind "|]e0".
func parseLinear(symbology, s string) ([]Element, *Error) {
	number, rest, composite := strings.Cut(s, "|]e0")
	want := map[string]int{"]E0": 13, "]E4": 8}[symbology]
	if want == 0 {
		want = 14
	}
	if len(number) != want || !allDigits(number) {
		return nil, fault(RuleGTINLength, "a symbol marked "+quote(symbology)+" holds a GTIN: "+quote(number))
	}
	gtin := padGTIN(number)
	wrong := lookup("01").verify(gtin)
	els := []Element{{"01", gtin}}
	if composite {
		more, e := parseMessage(rest)
		if e != nil {
			return nil, e
		}
		els = append(els, more...)
	}
	return els, wrong
}

// parseMessage cuts a message by the table of application identifiers: values
// of predefined length end by themselves, others at a separator or the end.
func parseMessage(s string) ([]Element, *Error) {
	var els []Element
	var wrong *Error
	if s == "" {
		return nil, fault(RuleElement, "there is nothing in the message")
	}
	for s != "" {
		a := leading(s)
		if a == nil {
			return nil, fault(RuleElement, "no application identifier starts here: "+quote(s))
		}
		s = s[len(a.code):]
		end := strings.IndexByte(s, separator)
		if end < 0 {
			end = len(s)
		}
		if a.is&fixed != 0 {
			end = min(end, a.maxLen())
		}
		if e := a.verify(s[:end]); e != nil {
			if !e.isCheckDigit() {
				return nil, e
			}
			wrong = e
		}
		els = append(els, Element{a.code, s[:end]})
		s = s[end:]
		if s != "" && s[0] == separator {
			s = s[1:]
		}
	}
	return els, wrong
}

// splitBracketed cuts the human-readable form. Brackets around anything but
// two to four digits belong to the value, and so does one behind a backslash.
func splitBracketed(s string) ([]Element, *Error) {
	var els []Element
	var wrong *Error
	for s != "" {
		code := bracketed(s)
		a := lookup(code)
		if a == nil {
			return nil, fault(RuleElement, "write an application identifier in brackets, as in (01), and a bracket inside a value as \\(: "+quote(s))
		}
		s = s[len(code)+2:]
		var value []byte
		for s != "" && bracketed(s) == "" {
			if len(s) > 1 && s[0] == '\\' && s[1] == '(' {
				s = s[1:]
			}
			value = append(value, s[0])
			s = s[1:]
		}
		if e := a.verify(string(value)); e != nil {
			if !e.isCheckDigit() {
				return nil, e
			}
			wrong = e
		}
		els = append(els, Element{code, string(value)})
	}
	return els, wrong
}

// bracketed returns what looks like an application identifier in brackets at
// the start of s.
func bracketed(s string) string {
	if s == "" || s[0] != '(' {
		return ""
	}
	end := strings.IndexByte(s[:min(len(s), 6)], ')')
	if end < 3 || !allDigits(s[1:end]) {
		return ""
	}
	return s[1:end]
}

func parseBracketed(s string) (ID, *Error) {
	els, wrong := splitBracketed(s)
	if els == nil {
		return ID{}, wrong
	}
	if e := associate(els); e != nil {
		return ID{}, e
	}
	id, e := idOf(els, s)
	if e == nil {
		e = wrong
	}
	return id, e
}

// keys are the application identifiers that identify, the finest first: what
// stands on a label with an SSCC is about the logistic unit.
var keys = [...]string{"00", "8006", "8003", "8004", "8010", "253", "255", "8017", "8018", "01", "401", "402", "414", "417", "8013"}

// IDOf returns the thing that elements identify, in whatever order they are.
// Lot and dates that come with a serialised item are no part of its identity;
// look for them in the elements. As in [Parse], a wrong check digit comes
// beside the ID.
func IDOf(els []Element) (ID, error) {
	var wrong *Error
	for _, el := range els {
		a := lookup(el.AI)
		if a == nil {
			return ID{}, fault(RuleElement, "there is no application identifier "+quote(el.AI))
		}
		if e := a.verify(el.Value); e != nil {
			if !e.isCheckDigit() {
				return ID{}, e
			}
			wrong = e
		}
	}
	id, e := idOf(els, "")
	if e == nil {
		e = wrong
	}
	if e != nil {
		return id, e
	}
	return id, nil
}

func idOf(els []Element, whole string) (ID, *Error) {
	for _, code := range keys {
		if value, ok := Value(els, code); ok {
			return identify(code, value, els, whole)
		}
	}
	return ID{}, fault(RuleForm, "no GS1 key, such as (01) or (00), is among these elements: "+quote(whole))
}

// Value returns the value of an application identifier among the elements.
func Value(els []Element, ai string) (string, bool) {
	for _, el := range els {
		if el.AI == ai {
			return el.Value, true
		}
	}
	return "", false
}

// identify makes the ID of a verified key and what qualifies it.
func identify(code, value string, els []Element, whole string) (ID, *Error) {
	kind := byKey(code, els)
	if kind == Other {
		return ID{}, fault(RuleForm, "("+code+") identifies nothing that events are about: "+quote(whole))
	}
	spec := &specs[kind]
	id := ID{Kind: kind, Number: value}
	var serial string
	found := false
	if spec.shape != open {
		n := spec.keyLen()
		id.Number, serial = value[:n], value[n:]
		found = serial != ""
	}
	if spec.qual != "" {
		serial, found = Value(els, spec.qual)
	}
	if found {
		if e := id.addSerial(serial, whole); e != nil {
			return ID{}, e
		}
	}
	return id, nil
}

// byKey finds the kind by the key and by what stands with it.
func byKey(code string, els []Element) Kind {
	_, serial := Value(els, "21")
	_, lot := Value(els, "10")
	switch code {
	case "01":
		_, packet := Value(els, "235")
		switch {
		case serial:
			return SGTIN
		case packet:
			return UPUI
		case lot:
			return LGTIN
		}
		return GTIN
	case "8006":
		if lot && !serial {
			return ITIPLot
		}
		return ITIP
	}
	for k := range kinds {
		if specs[k].ai == code {
			return k
		}
	}
	return Other
}
