package check

import (
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// values checks what an event says beside what, where and when.
func (c *Checker) values(e *epcis.Event) {
	if e.EventID != "" {
		c.text(e.EventID, c.here("eventID"))
	}
	for i := range e.BizTransactions {
		c.transaction(e.BizTransactions[i].ID, at{c.n, "bizTransactionList", i + 1})
	}
	if len(e.Sources)+len(e.Destinations) > 0 {
		c.partiesOf(e.Sources, "sourceList")
		c.partiesOf(e.Destinations, "destinationList")
	}
	if len(e.ILMD) > 0 {
		c.fields(e.ILMD, c.here("ilmd"))
	}
	if len(e.Extensions) > 0 {
		c.fields(e.Extensions, c.here("extension"))
	}
	if len(e.ReadPoint.Extensions) > 0 {
		c.fields(e.ReadPoint.Extensions, c.here("readPoint"))
	}
	if len(e.BizLocation.Extensions) > 0 {
		c.fields(e.BizLocation.Extensions, c.here("bizLocation"))
	}
	for i := range e.Sensors {
		s := &e.Sensors[i]
		where := at{c.n, "sensorElementList", i + 1}
		c.fields(s.Metadata, where)
		c.fields(s.Extensions, where)
		c.sensor(s.Metadata, where)
		if len(s.Reports) == 0 {
			c.find("sensor-value", where, "the sensor reports nothing: add a sensorReport")
		}
		for _, r := range s.Reports {
			c.fields(r, where)
			c.sensor(r, where)
		}
	}
	for i, s := range e.Certifications {
		c.text(s, at{c.n, "certificationInfo", i + 1})
	}
}

// partiesOf checks sources or destinations.
func (c *Checker) partiesOf(list []epcis.Reference, name string) {
	for i := range list {
		where := at{c.n, name, i + 1}
		c.place(list[i].ID, where)
		if list[i].Type == "" {
			c.find("party-type-missing", where, "%s has no type: owner, holder or location?", brief(list[i].ID))
		}
	}
}

// transaction checks a business document's number. CBV 1.2 section 8.5.2: a
// GLN says whose number it is.
func (c *Checker) transaction(id string, where at) {
	rest, ok := strings.CutPrefix(id, "urn:epcglobal:cbv:bt:")
	if !ok {
		c.text(id, where)
		if bare(id) {
			c.find("transaction-not-uri", where, "%q is not a URI: write urn:epcglobal:cbv:bt:<GLN of who numbered it>:<number>", brief(id))
		}
		return
	}
	if percent(rest) {
		rest = unpercent(rest)
	}
	gln, number, _ := strings.Cut(rest, ":")
	c.gln(gln, where)
	if number == "" {
		c.find("transaction-not-uri", where, "%q holds no number after the GLN", brief(id))
	}
	c.text(number, where)
}

// gln checks a GLN written as digits.
func (c *Checker) gln(gln string, where at) {
	switch {
	case gs1.ValidGLN(gln):
	case len(gln) != 13 || strings.Trim(gln, "0123456789") != "":
		c.find("gln-length", where, "a GLN is 13 digits, not %q", brief(gln))
	default:
		c.find("gln-check-digit", where, "the check digit of GLN %s is wrong: it would be %c", gln, gs1.CheckDigit(gln[:12]))
	}
}

// quantities checks amounts (EPCIS 1.2 section 7.3.3.3).
func (c *Checker) quantities(list []epcis.Quantity, name string) {
	for i := range list {
		q := &list[i]
		where := at{c.n, name, i + 1}
		c.thing(q.Class, where, true)
		if q.Amount == "" {
			if q.UOM != "" {
				c.find("uom-without-quantity", where, "a unit of measure without a quantity")
			}
			continue
		}
		n, err := strconv.ParseFloat(q.Amount, 64)
		switch {
		case err != nil:
			c.find("bad-number", where, "the quantity is %q, which is no number", brief(q.Amount))
		case q.UOM == "" && (n <= 0 || n != float64(int64(n))):
			c.find("quantity-not-count", where, "the quantity is %s: without a unit of measure it is a count, 1 or more", brief(q.Amount))
		case n < 0:
			c.find("quantity-not-count", where, "the quantity is %s, less than nothing", brief(q.Amount))
		}
		if q.UOM != "" && !validUOM(q.UOM) {
			c.find("uom-form", where, "%q is no code of UN/CEFACT Recommendation 20: two or three capital letters or digits, as KGM", brief(q.UOM))
		}
	}
}

func validUOM(s string) bool {
	if len(s) < 2 || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if s[i]-'A' > 25 && s[i]-'0' > 9 {
			return false
		}
	}
	return true
}

// batch is a lot and the last day it is good for, in days since 1970; 0: none.
type batch struct {
	lot    string
	expiry int32
}

type lotOf struct {
	item uint64
	lot  string
}

const (
	noExpiry  int32 = 0
	badExpiry int32 = -1 << 31
)

// madeOf reads lot and expiry of a commissioning event.
func madeOf(e *epcis.Event) batch {
	lot, expiry, _ := e.Batch()
	return batch{lot: lot, expiry: day(expiry)}
}

// day reads a date, or the date of a date and time.
func day(s string) int32 {
	if s == "" {
		return noExpiry
	}
	if len(s) > 10 && s[10] == 'T' {
		s = s[:10]
	}
	if len(s) == 11 && s[10] == 'Z' || len(s) == 16 && validZone(s[10:]) { // XML Schema lets a date have a zone
		s = s[:10]
	}
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return badExpiry
	}
	for i := range len(s) {
		if i != 4 && i != 7 && s[i]-'0' > 9 {
			return badExpiry
		}
	}
	month, dom := time.Month(number(s[5:7])), int(number(s[8:]))
	t := time.Date(int(number(s[:4])), month, dom, 0, 0, 0, 0, time.UTC)
	if t.Month() != month || t.Day() != dom {
		return badExpiry // February 30 and the like
	}
	d := t.Unix() / 86400
	if d <= 0 || d > 1<<30 {
		return badExpiry
	}
	return int32(d)
}

// expired says whether the whole day of expiry, anywhere on earth, is over at
// a time of the clock.
func (b *batch) expired(clock uint32) bool {
	return b.expiry > noExpiry && int64(clock) >= (int64(b.expiry)+1)*86400+12*3600
}

func dayOf(expiry int32) string {
	return time.Unix(int64(expiry)*86400, 0).UTC().Format(time.DateOnly)
}

// lotText are the characters of a lot (GS1 General Specifications, AI 10:
// X..20 of the 82 characters).
func validLot(s string) bool {
	if len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if b := s[i]; b <= ' ' || b > 'z' || strings.IndexByte("#$@[\\]^`", b) >= 0 {
			return false
		}
	}
	return true
}
