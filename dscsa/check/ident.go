package check

import (
	"errors"
	"hash/maphash"
	"strings"

	"github.com/recourse/recourse/dscsa/gs1"
)

// ident is a parsed identifier: what the checks need, without the text.
type ident struct {
	hash  uint64 // of the thing, whatever its spelling; 0: unreadable
	gtin  uint64 // GTIN-14 as a number, 0: no trade item
	kind  gs1.Kind
	class bool // a class of things, not one thing
}

// isDrug tells the GTIN range of US drugs: any indicator, then 03 and the ten
// digits of the NDC (GS1 General Specifications section 1.4, prefixes 030-039).
func isDrug(gtin uint64) bool { return gtin/1e11%100 == 3 }

// item is a GTIN without indicator and check digit: what the unit and the case
// of a drug have in common, its NDC.
func item(gtin uint64) uint64 { return gtin / 10 % 1e12 }

// parse reads an identifier. Serialised trade items and logistic units as URNs
// are nearly all there is and are read without allocating; anything else,
// and anything wrong, goes to package gs1, which says what is wrong.
func (c *Checker) parse(s string) (ident, error) {
	var buf [64]byte
	if id, ok := c.fast(s, buf[:0]); ok {
		return id, nil
	}
	c.rare = true
	id, err := gs1.Parse(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return ident{}, err
	}
	out := ident{kind: id.Kind, class: id.IsClass(), gtin: number(id.GTIN())}
	key := append(append(append(buf[:0], byte(id.Kind)), id.Number...), id.Serial...)
	out.hash = c.hash(key)
	return out, err
}

func (c *Checker) hash(key []byte) uint64 { return maphash.Bytes(c.seed, key) | 1 }

func number(digits string) (n uint64) {
	for i := range len(digits) {
		n = n*10 + uint64(digits[i]-'0')
	}
	return n
}

const (
	sgtinURN = "urn:epc:id:sgtin:"
	ssccURN  = "urn:epc:id:sscc:"
)

// fast reads the URN of an SGTIN or SSCC whose serial needs no decoding. It
// makes the same key as parse. Things of one product come in runs: what is the
// same as in the one before is not read again.
func (c *Checker) fast(s string, key []byte) (ident, bool) {
	if len(s) > productLen && len(s) <= productLen+20 {
		for i := range c.lastItems {
			if p := &c.lastItems[i]; s[:productLen] == string(p.urn[:]) {
				return c.serial(s[productLen:], append(key, p.key[:]...), p.gtin)
			}
		}
	}
	var kind gs1.Kind
	var rest string
	var length int
	switch {
	case len(s) > len(sgtinURN) && s[:len(sgtinURN)] == sgtinURN:
		kind, rest, length = gs1.SGTIN, s[len(sgtinURN):], 13
	case len(s) > len(ssccURN) && s[:len(ssccURN)] == ssccURN:
		kind, rest, length = gs1.SSCC, s[len(ssccURN):], 17
	default:
		return ident{}, false
	}
	if len(rest) < length+1 {
		return ident{}, false
	}
	dot := 6
	for dot < 13 && rest[dot] != '.' {
		if dot++; dot > length {
			return ident{}, false
		}
	}
	if dot > 12 || dot >= length {
		return ident{}, false
	}
	// The first digit of the reference goes in front: it is the indicator, or
	// the extension of an SSCC.
	key = append(key, byte(kind), rest[dot+1])
	key = append(append(key, rest[:dot]...), rest[dot+2:length+1]...)
	sum, weight, gtin := 0, 3, uint64(0)
	for _, d := range key[1:] {
		if d -= '0'; d > 9 {
			return ident{}, false
		}
		gtin = gtin*10 + uint64(d)
		sum, weight = sum+int(d)*weight, 4-weight
	}
	check := byte((10 - sum%10) % 10)
	key = append(key, '0'+check)
	if kind == gs1.SSCC {
		if len(rest) != length+1 {
			return ident{}, false
		}
		return ident{hash: c.hash(key), kind: kind}, true
	}
	if len(rest) < length+3 || rest[length+1] != '.' || len(rest) > length+2+20 {
		return ident{}, false
	}
	gtin = gtin*10 + uint64(check)
	p := article{key: [15]byte(key), gtin: gtin}
	copy(p.urn[:], s)
	c.lastItems[c.n%len(c.lastItems)] = p
	return c.serial(s[productLen:], key, gtin)
}

// article is what the identifiers of one product have in common: the beginning
// of their URNs, up to the serial, and of their keys.
type article struct {
	urn  [productLen]byte
	key  [15]byte
	gtin uint64
}

const productLen = len(sgtinURN) + 13 + 2 // two dots

// serial makes the identifier of a product and a serial.
func (c *Checker) serial(serial string, key []byte, gtin uint64) (ident, bool) {
	for i := range len(serial) {
		if !plainSerial[serial[i]] {
			return ident{}, false
		}
	}
	return ident{hash: c.hash(append(key, serial...)), kind: gs1.SGTIN, gtin: gtin}, true
}

// plainSerial are the characters of a serial that stand for themselves in a
// URN: letters, digits and the hyphen. The rarer ones take the long way.
var plainSerial = func() (set [256]bool) {
	for _, r := range "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz" {
		set[r] = true
	}
	return set
}()

// ruleOf is the rule that an identifier broke.
func ruleOf(err error) string {
	var e *gs1.Error
	if errors.As(err, &e) {
		if _, ok := byName[string(e.Rule)]; ok {
			return string(e.Rule)
		}
	}
	return "id-form"
}

// detailOf is what package gs1 says about it, without the rule's name.
func detailOf(err error) string {
	var e *gs1.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}

// thing reads an identifier of what an event is about and reports what is wrong
// with it. An ident with hash 0 cannot be followed any further.
func (c *Checker) thing(s string, where at, wantClass bool) ident {
	id, err := c.parse(s)
	if err != nil {
		c.find(ruleOf(err), where, "%s", detailOf(err))
	}
	if id.hash == 0 {
		return id
	}
	if c.rare && strings.HasPrefix(s, "urn:epc:") && strings.ContainsAny(s, `"&/<>?`) {
		c.find("serial-unescaped", where, `%s holds one of "&/<>? as it is: write it as %% and two hexadecimal digits`, brief(s))
	}
	switch {
	case id.kind == gs1.SGLN || id.kind == gs1.PGLN:
		c.find("place-as-thing", where, "%s names a place or a party, not a thing that can be followed", brief(s))
	case wantClass && !id.class && id.kind != gs1.Other:
		c.find("instance-as-class", where, "%s is one thing; name its class here (urn:epc:idpat:sgtin:…* or urn:epc:class:lgtin:…)", brief(s))
	case !wantClass && id.class:
		c.find("class-as-instance", where, "%s is a class of things; name each thing with its serial, or use the quantity list", brief(s))
		return ident{}
	case id.kind == gs1.Other:
		c.find("epc-private", where, "%s is not a GS1 identifier, so nobody but its owner can resolve it", brief(s))
	}
	if isDrug(id.gtin) {
		c.drug = true
		if id.gtin/1e13 == 9 {
			c.find("indicator-nine", where, "%s has the indicator 9, of goods of variable measure", brief(s))
		}
	}
	if percent(s) {
		c.text(unpercent(s), where)
	}
	return id
}

// place reads an identifier of a place or party.
func (c *Checker) place(s string, where at) {
	if s == "" || c.isKnownPlace(s) {
		return
	}
	id, err := gs1.Parse(s)
	if err != nil {
		rule := ruleOf(err)
		if r, ok := RuleNamed(rule); ok && r.Verdict == Reject {
			// The event is about its things; where it was and who took part is
			// lost, and a person can ask.
			rule = "place-form"
		}
		c.find(rule, where, "%s", detailOf(err))
	} else if id.Kind != gs1.SGLN && id.Kind != gs1.PGLN && id.Kind != gs1.Other {
		c.find("thing-as-place", where, "%s names a thing, not a place or a party", brief(s))
	}
	if id.Kind == gs1.Other {
		c.text(s, where)
		if dea, ok := id.IsDEA(); ok && !validDEA(dea) {
			c.find("dea-number", where, "%s is not a DEA number: two letters and seven digits, the last a check digit", brief(dea))
		}
	}
	if err == nil { // a bad one is reported each time
		c.rememberPlace(s)
	}
}

// The places of a document are few and come again and again, in runs.
func (c *Checker) isKnownPlace(s string) bool {
	for _, last := range c.lastPlaces {
		if last == s {
			return true
		}
	}
	_, ok := c.places[s]
	return ok
}

const manyPlaces = 4096 // so that a document cannot grow memory with its places

func (c *Checker) rememberPlace(s string) {
	if len(c.places) >= manyPlaces {
		clear(c.places)
	}
	s = strings.Clone(s)
	c.places[s] = struct{}{}
	c.lastPlaces[c.n%len(c.lastPlaces)] = s
}

// validDEA checks a registration number (21 CFR 1300, DEA form: two letters, six
// digits, and the last digit of d1+d3+d5 + 2(d2+d4+d6)).
func validDEA(s string) bool {
	if len(s) != 9 {
		return false
	}
	sum := 0
	for i := 2; i < 9; i++ {
		d := s[i] - '0'
		if d > 9 {
			return false
		}
		switch {
		case i == 8:
			return sum%10 == int(d)
		case i%2 == 0:
			sum += int(d)
		default:
			sum += 2 * int(d)
		}
	}
	return false
}

// brief shortens what is quoted in a message.
func brief(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
