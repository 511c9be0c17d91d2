package check

import (
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// makes tells the steps with which ADD brings things into being; with others
// it is a mistake for OBSERVE.
func makes(step string) bool {
	switch step {
	case "shipping", "receiving", "packing", "unpacking", "holding", "inspecting", "dispensing", "storing", "picking", "loading",
		"unloading", "accepting", "arriving", "departing", "transporting", "staging_outbound", "void_shipping", "retail_selling":
		return false
	}
	return true
}

func (c *Checker) commission(e *epcis.Event, epcs []string, skip int, t uint32) {
	made := madeOf(e)
	number := c.batch(e, made)
	checked, rare := uint64(0), c.rare
	for i, n := range c.nums[1+skip : 1+skip+len(epcs)] {
		if n == 0 {
			continue
		}
		u := c.units.at(n)
		if u.commissioned != 0 && e.Type == epcis.TransformationEvent {
			continue // one transformation may be told in several events
		}
		if u.commissioned != 0 {
			c.perhaps(maybe{"serial-duplicate", n, t, u.commissioned, at{c.n, listOf(e), i + 1}, epcs[i]})
			u.commissioned = min(u.commissioned, t)
			continue
		}
		if u.first != 0 && u.first < t {
			c.perhaps(maybe{"use-before-commissioning", n, u.first, t, at{c.n, listOf(e), i + 1}, epcs[i]})
		}
		u.commissioned = t
		if u.class == 0 {
			continue
		}
		if rare && epcs[i][0] == 'h' {
			c.sameAsLink(epcs[i], made, at{c.n, listOf(e), i + 1})
		}
		u.batch = number
		c.classes[u.class].commissioned = true
		if gtin := c.classes[u.class].gtin; gtin != checked {
			checked = gtin
			c.lot(gtin, made)
		}
		if u.parent != 0 {
			c.sameCase(n, u.parent, epcs[i], at{c.n, listOf(e), i + 1})
		}
	}
}

func listOf(e *epcis.Event) string {
	switch e.Type {
	case epcis.AggregationEvent, epcis.AssociationEvent:
		return "childEPCs"
	case epcis.TransformationEvent:
		return "outputEPCList"
	default:
		return "epcList"
	}
}

func (c *Checker) batch(e *epcis.Event, b batch) uint32 {
	if len(e.ILMD) > 2 || len(e.Extensions) > 0 {
		c.oneBatch(e, b)
	}
	if b == c.lastMade && b.expiry > noExpiry && !b.expired(clock(e.EventTime)) {
		return c.lastBatch // lots come in runs
	}
	where := c.here("ilmd")
	if b.lot != "" && !validLot(b.lot) {
		c.find("lot-form", where, "the lot is %q: 1 to 20 letters, digits and signs of the GS1 character set", brief(b.lot))
	}
	switch {
	case b.expiry == badExpiry:
		c.find("expiry-form", where, "itemExpirationDate is %q, which is no day: write it as 2028-09-30", brief(expiryOf(e)))
		b.expiry = noExpiry
	case b.expired(clock(e.EventTime)):
		c.find("expiry-before-commissioning", where, "commissioned at %s, after the expiry date %s", stamp(e.EventTime), dayOf(b.expiry))
	}
	if b == (batch{}) {
		return 0
	}
	n, ok := c.batchOf[b]
	if !ok {
		b.lot = strings.Clone(b.lot) // an event is not kept
		n = uint32(len(c.batches))
		c.batches = append(c.batches, b)
		c.batchOf[b] = n
	}
	if b = c.batches[n]; validLot(b.lot) {
		c.lastMade, c.lastBatch = b, n
	}
	return n
}

func expiryOf(e *epcis.Event) string {
	_, expiry, _ := e.Batch()
	return expiry
}

// oneBatch checks that an event which may say more than once what lot and expiry
// its things have says the same each time, and in the place for it.
func (c *Checker) oneBatch(e *epcis.Event, b batch) {
	where := c.here("ilmd")
	if _, _, beside := e.Batch(); beside {
		c.find("lot-beside-ilmd", where, "lot or expiry stand beside the ILMD: put them into it")
	}
	for i := range e.ILMD {
		f := &e.ILMD[i]
		v := value(f)
		if f.Name.Local == "lotNumber" && v != b.lot || f.Name.Local == "itemExpirationDate" && day(v) != b.expiry {
			c.find("batch-ambiguous", where, "%s is there twice, as %q too: one event makes things of one lot", f.Name.Local, brief(v))
		}
	}
}

// sameAsLink compares lot and expiry with those that a Digital Link URI may
// name beside the serial (GS1 Digital Link URI syntax: qualifier 10, attribute 17).
func (c *Checker) sameAsLink(link string, b batch, where at) {
	path, query, _ := strings.Cut(link, "?")
	if _, lot, ok := strings.Cut(path, "/10/"); ok && b.lot != "" {
		lot, _, _ = strings.Cut(lot, "/")
		if lot = unpercent(lot); lot != b.lot {
			c.find("batch-ambiguous", where, "the link names lot %s, the event lot %s", brief(lot), brief(b.lot))
		}
	}
	for q := range strings.SplitSeq(query, "&") {
		yymmdd, ok := strings.CutPrefix(q, "17=")
		if !ok || b.expiry <= noExpiry {
			continue
		}
		t, err := gs1.Date(yymmdd, time.Unix(int64(b.expiry)*86400, 0).UTC())
		if err == nil && int32(t.Unix()/86400) != b.expiry {
			c.find("batch-ambiguous", where, "the link expires on %s, the event says %s", t.Format(time.DateOnly), dayOf(b.expiry))
		}
	}
}

// lot checks lot and expiry of a product that is being commissioned.
func (c *Checker) lot(gtin uint64, b batch) {
	where := c.here("ilmd")
	if b.lot == "" {
		c.find("lot-missing", where, "GTIN %014d is commissioned without a lot: send cbvmda:lotNumber", gtin)
	}
	if b.expiry == noExpiry {
		c.find("expiry-missing", where, "GTIN %014d is commissioned without an expiry date: send cbvmda:itemExpirationDate", gtin)
	}
	if b.lot == "" || b.expiry <= noExpiry {
		return
	}
	key := lotOf{item(gtin), b.lot}
	if key == c.lastLot && b.expiry == c.lastExpiry {
		return
	}
	if other, ok := c.lotExpiry[key]; ok && other != b.expiry {
		c.find("lot-expiry-conflict", where, "lot %s of GTIN %014d expires on %s here and on %s before", brief(b.lot), gtin, dayOf(b.expiry), dayOf(other))
	} else {
		key.lot = strings.Clone(key.lot)
		c.lotExpiry[key] = b.expiry
		c.lastLot, c.lastExpiry = key, b.expiry
	}
}
