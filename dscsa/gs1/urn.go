package gs1

import (
	"strconv"
	"strings"
)

// parseURN reads urn:epc:id:…, urn:epc:class:lgtin:… and urn:epc:idpat:…, of
// which only the pattern of one class is one thing (CBV 2.0 section 8.3).
func parseURN(s string) (ID, *Error) {
	rest := s[len("urn:epc:"):]
	class, rest, _ := cutByte(rest, ':')
	scheme, rest, found := cutByte(rest, ':')
	if !found {
		return ID{}, fault(RuleScheme, "write urn:epc:id:<scheme>:<prefix>.<reference>: "+quote(s))
	}
	var kind Kind
	pattern := false
	switch class {
	case "id":
		kind = byScheme(scheme)
	case "class":
		if scheme == "lgtin" {
			kind = LGTIN
		}
	case "idpat":
		kind, pattern = byScheme(scheme), true
		if kind != SGTIN && kind != UPUI && (kind == Other || specs[kind].serial == 0 || kind == SGLN) {
			return ID{}, fault(RulePattern, "a pattern of "+quote(scheme)+" is no class of things: "+quote(s))
		}
	case "tag", "raw", "pat":
		return ID{}, fault(RuleScheme, "this is how a tag is encoded; write the identity, urn:epc:id:…: "+quote(s))
	}
	if kind == Other {
		if class == "id" && withoutKey(scheme) {
			return parsePrivate(s)
		}
		return ID{}, fault(RuleScheme, "there is no urn:epc:"+quote(class+":"+scheme)+": "+quote(s))
	}
	return readURN(kind, pattern, rest, s)
}

// withoutKey lists the EPC schemes that no GS1 key stands behind.
func withoutKey(scheme string) bool {
	switch scheme {
	case "gid", "usdod", "adi", "bic", "imovn":
		return true
	}
	return false
}

func readURN(kind Kind, pattern bool, rest, whole string) (ID, *Error) {
	spec := &specs[kind]
	prefix, rest, found := cutByte(rest, '.')
	if !found {
		return ID{}, fault(RuleFields, "a "+spec.scheme+" is prefix.reference: "+quote(whole))
	}
	if len(prefix) < 6 || len(prefix) > 12 || !allDigits(prefix) {
		return ID{}, fault(RulePrefix, "a company prefix is 6 to 12 digits: "+quote(whole))
	}
	if spec.shape == open {
		return readOpenURN(kind, pattern, prefix, rest, whole)
	}
	reference, serial, hasSerial := cutByte(rest, '.')
	if hasSerial != (spec.serial > 0) {
		return ID{}, fault(RuleFields, "a "+spec.scheme+" has "+fieldsOf(spec)+" after the company prefix: "+quote(whole))
	}
	if len(prefix)+len(reference) != spec.digits {
		return ID{}, fault(spec.length, "prefix and reference of a "+spec.scheme+" are "+strconv.Itoa(spec.digits)+" digits together, not "+
			strconv.Itoa(len(prefix)+len(reference))+": "+quote(whole))
	}
	if reference != "" && !allDigits(reference) {
		return ID{}, fault(RuleNumber, "the reference of a "+spec.scheme+" is digits: "+quote(whole))
	}
	var buf [24]byte
	number := append(buf[:0], spec.lead...)
	if spec.shape == lifted {
		number = append(append(append(number, reference[0]), prefix...), reference[1:]...)
	} else {
		number = append(append(number, prefix...), reference...)
	}
	number = append(number, checkDigit(number))
	if kind == ITIP {
		pieces := serial
		if len(pieces) < 7 || pieces[2] != '.' || pieces[5] != '.' || !allDigits(pieces[:2]) || !allDigits(pieces[3:5]) {
			return ID{}, fault(RuleFields, "an itip is prefix.item.piece.total.serial: "+quote(whole))
		}
		number = append(append(number, pieces[:2]...), pieces[3:5]...)
		serial = pieces[6:]
		if !pieceOfTotal(string(number[14:])) {
			return ID{}, fault(RuleValue, "a piece is one of its total: "+quote(whole))
		}
	}
	id := ID{Kind: kind, Number: string(number), Prefix: uint8(len(prefix))}
	if hasSerial {
		if e := id.addURNSerial(pattern, serial, whole); e != nil {
			return ID{}, e
		}
	}
	return id, nil
}

// addURNSerial finishes an ID with the last field of a URN.
func (id *ID) addURNSerial(pattern bool, serial, whole string) *Error {
	if pattern {
		if serial != "*" {
			return fault(RulePattern, "a pattern of one class ends in .*: "+quote(whole))
		}
		if id.Kind == SGTIN || id.Kind == UPUI {
			id.Kind = GTIN
		}
		return nil
	}
	decoded, e := unescape(serial)
	if e != nil {
		return e
	}
	return id.addSerial(decoded, whole)
}

// addSerial checks the serial, lot or extension and puts it into id.
func (id *ID) addSerial(serial, whole string) *Error {
	spec := &specs[id.Kind]
	if serial == "" || len(serial) > spec.serial {
		return fault(RuleSerialLen, "what follows the number of a "+spec.name+" is 1 to "+strconv.Itoa(spec.serial)+
			" characters, not "+strconv.Itoa(len(serial))+": "+quote(whole))
	}
	if !spec.serialChars().all(serial) {
		return fault(RuleSerial, "the serial, lot or extension of a "+spec.name+" holds a character that GS1 does not allow: "+quote(whole))
	}
	if id.Kind == CPI && serial[0] == '0' && serial != "0" {
		return fault(RuleSerial, "the serial of a component has no leading zero: "+quote(whole))
	}
	if id.Kind != SGLN || serial != "0" {
		id.Serial = serial
	}
	return nil
}

// readOpenURN reads the schemes whose reference is letters and digits.
func readOpenURN(kind Kind, pattern bool, prefix, rest, whole string) (ID, *Error) {
	spec := &specs[kind]
	reference, serial := rest, ""
	if spec.serial > 0 {
		dot := strings.LastIndexByte(rest, '.')
		if dot < 0 {
			return ID{}, fault(RuleFields, "a "+spec.scheme+" is prefix.reference.serial: "+quote(whole))
		}
		reference, serial = rest[:dot], rest[dot+1:]
	}
	decoded, e := unescape(reference)
	if e != nil {
		return ID{}, e
	}
	if decoded == "" || len(prefix)+len(decoded) > spec.digits {
		return ID{}, fault(spec.length, "a "+spec.scheme+" has at most "+strconv.Itoa(spec.digits)+" characters and a reference: "+quote(whole))
	}
	if !spec.chars.all(decoded) {
		return ID{}, fault(RuleSerial, "the reference of a "+spec.scheme+" holds a character that GS1 does not allow: "+quote(whole))
	}
	id := ID{Kind: kind, Number: prefix + decoded, Prefix: uint8(len(prefix))}
	if spec.serial > 0 {
		if e := id.addURNSerial(pattern, serial, whole); e != nil {
			return ID{}, e
		}
	}
	return id, nil
}

// cutByte is strings.Cut at one character.
func cutByte(s string, c byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, c); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

func fieldsOf(s *spec) string {
	if s.serial > 0 {
		return "a reference and a serial"
	}
	return "a reference only"
}

// URN returns the canonical EPC URI: urn:epc:id:…, urn:epc:class:lgtin:… of a
// lot, urn:epc:idpat:….* of any other class. It needs to know where the
// company prefix ends. URNs tell; of a US drug ("03") it follows from the
// labeler (see [NDC]); of anything else it is unknown and ok is false. So it is
// of a key with a wrong check digit, which a URN cannot show. Other is the URI
// it came as.
func (id ID) URN() (urn string, ok bool) {
	spec := &specs[id.Kind]
	n := int(id.Prefix)
	if n == 0 {
		n = id.drugPrefix()
	}
	switch {
	case id.Kind == Other:
		return id.DigitalLink(), true
	case n == 0 || id.Kind == ITIPLot || id.Kind == GMN || !id.checked():
		return "", false
	}
	b := append(make([]byte, 0, 80), "urn:epc:"...)
	scheme, pattern := spec.scheme, id.IsClass() && id.Kind != LGTIN
	switch {
	case id.Kind == GTIN:
		scheme = "sgtin"
		fallthrough
	case pattern:
		b = append(b, "idpat:"...)
	case id.Kind == LGTIN:
		b = append(b, "class:"...)
	default:
		b = append(b, "id:"...)
	}
	b = append(append(b, scheme...), ':')
	key := id.Number[len(spec.lead):]
	switch spec.shape {
	case lifted:
		b = append(append(append(b, key[1:1+n]...), '.', key[0]), key[1+n:spec.digits]...)
	case open:
		b = appendEscaped(append(append(b, key[:n]...), '.'), key[n:], &urnPlain)
	case plain:
		b = append(append(append(b, key[:n]...), '.'), key[n:spec.digits]...)
	}
	if id.Kind == ITIP {
		b = append(append(append(append(b, '.'), key[14:16]...), '.'), key[16:18]...)
	}
	switch {
	case pattern:
		b = append(b, ".*"...)
	case id.Kind == SGLN && id.Serial == "":
		b = append(b, ".0"...)
	case id.Serial != "":
		b = appendEscaped(append(b, '.'), id.Serial, &urnPlain)
	}
	return string(b), true
}

// checked reports whether the check digit is right, if there is one.
func (id ID) checked() bool {
	spec := &specs[id.Kind]
	return spec.shape == open || checked(id.Number[:len(spec.lead)+spec.digits+1])
}
