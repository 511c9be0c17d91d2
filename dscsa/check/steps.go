package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// shipment is a shipping event.
type shipment struct {
	at            uint32
	event         int
	sale          bool
	told          bool // by a TransactionEvent, which may tell what an ObjectEvent has told
	seller, buyer string
}

// steps checks what the business step asks for, and follows shipments.
func (c *Checker) steps(e *epcis.Event, t uint32) {
	if len(e.ILMD) > 0 && e.Action != epcis.Add && e.Type != epcis.TransformationEvent {
		c.find("ilmd-without-add", c.here("ilmd"), "lot and expiry belong to the event that commissions, with action ADD")
	}
	c.contradiction(e)
	bad := unsaleable(e.Disposition)
	switch {
	case e.BizStep == "shipping" && e.Action != epcis.Delete && e.Type != epcis.AggregationEvent:
		c.ship(e, t)
	case e.BizStep == "receiving" || e.BizStep == "void_shipping" || e.BizStep == "accepting":
		for _, n := range c.nums[1:] {
			if n != 0 {
				note(c.received, n, t)
			}
		}
	}
	if !bad && (!c.anyBad || e.Disposition == "" || e.Type != epcis.ObjectEvent) {
		return
	}
	c.anyBad = true
	for _, n := range c.nums[1:] {
		if n == 0 {
			continue
		}
		if u := c.units.at(n); bad {
			u.flags |= isBad
		} else {
			u.flags &^= isBad
		}
	}
}

// contradiction tells an action that cannot be meant with the step (GS1 US
// guideline, choreography of events).
func (c *Checker) contradiction(e *epcis.Event) {
	wrong, never := false, false
	switch e.BizStep {
	case "commissioning":
		wrong = e.Action != epcis.Add && e.Type == epcis.ObjectEvent
		never = e.Disposition != "active" && unmade(e.Disposition)
	case "shipping":
		wrong = e.Action != epcis.Observe && e.Type == epcis.ObjectEvent
		never = e.Disposition != "in_transit" && consumed(e.Disposition)
	case "receiving", "void_shipping", "dispensing", "holding":
		wrong = e.Action != epcis.Observe && e.Type == epcis.ObjectEvent && (e.BizStep != "dispensing" || e.Action == epcis.Add)
	case "packing":
		wrong = e.Action != epcis.Add && e.Type == epcis.AggregationEvent
	case "unpacking":
		wrong = e.Action != epcis.Delete && e.Type == epcis.AggregationEvent
	case "destroying", "decommissioning":
		wrong = e.Action == epcis.Add && e.Type == epcis.ObjectEvent
		never = usable(e.Disposition)
	}
	if wrong {
		c.find("action-contradicts-step", c.here("action"), "%s with action %s says two different things", e.BizStep, brief(string(e.Action)))
	}
	if never {
		c.find("disposition-contradicts-step", c.here("disposition"), "%s leaves nothing %s", e.BizStep, e.Disposition)
	}
}

// consumed, unmade and usable tell dispositions that some business steps can
// leave nothing with, by the definitions of both (CBV 2.0 sections 7.1 and 7.2).
func consumed(disposition string) bool {
	switch disposition {
	case "destroyed", "disposed", "dispensed", "retail_sold":
		return true
	}
	return false
}

func unmade(disposition string) bool {
	switch disposition {
	case "partially_dispensed", "stolen", "inactive", "in_transit", "returned":
		return true
	}
	return consumed(disposition)
}

func usable(disposition string) bool {
	switch disposition {
	case "active", "encoded", "in_transit", "sellable_accessible", "sellable_not_accessible":
		return true
	}
	return false
}

// unsaleable tells the dispositions of goods that are not sold (CBV 2.0
// section 7.2).
func unsaleable(disposition string) bool {
	switch disposition {
	case "damaged", "destroyed", "dispensed", "disposed", "expired", "inactive", "non_sellable_other", "recalled", "stolen", "unknown",
		"mismatch_class", "mismatch_instance", "mismatch_quantity", "no_pedigree_match", "non_conformant",
		"non_sellable_expired", "non_sellable_damaged", "non_sellable_disposed", "non_sellable_no_pedigree_match", "non_sellable_recalled":
		return true
	}
	return false
}

// reference finds the first of a list with the type.
func reference(list []epcis.Reference, kind string) string {
	for i := range list {
		if list[i].Type == kind {
			return list[i].ID
		}
	}
	return ""
}

// isReturn tells goods that go back: no transaction information is due with
// them (21 USC 360eee-1(c)(1)(B), (d)(1)(C)).
func isReturn(e *epcis.Event) bool {
	return e.Disposition == "returned" || unsaleable(e.Disposition) && e.Disposition != "unknown" || reference(e.BizTransactions, "rma") != ""
}

func (c *Checker) ship(e *epcis.Event, t uint32) {
	seller, buyer := reference(e.Sources, "owning_party"), reference(e.Destinations, "owning_party")
	back := isReturn(e)
	sale := !back && (seller == "" || seller != buyer)
	if sale {
		c.sale(e, seller, buyer)
	}
	if seller != "" && seller == buyer {
		c.find("same-owner", c.here("sourceList"), "seller and buyer are one: nothing changes hands")
	}
	c.shipments = append(c.shipments, shipment{t, c.n, sale, e.Type == epcis.TransactionEvent, c.intern(seller), c.intern(buyer)})
	this := uint32(len(c.shipments) - 1)
	for i, n := range c.nums[1:] {
		if n == 0 || i >= len(e.EPCs) {
			continue
		}
		u := c.units.at(n)
		if u.flags&isBad != 0 && !back {
			c.find("ship-held", at{c.n, "epcList", i + 1}, "%s is shipped although its last disposition was one of goods that are not sold", brief(e.EPCs[i]))
		}
		if u.shipment != 0 && u.shipment != this {
			note(c.reshipped, n, u.shipment)
		}
		u.shipment = this
		if sale && u.kind == gs1.SSCC && u.flags&holdsThings == 0 && len(c.opaque) < manyPackings {
			c.opaque = append(c.opaque, packing{parent: n, event: c.n, epc: strings.Clone(e.EPCs[i])})
		}
	}
	for i, n := range c.nums[1:] {
		if n == 0 || i >= len(e.EPCs) {
			continue
		}
		u := c.units.at(n)
		p := c.parentOf(n, t)
		if p == 0 || u.moved > t {
			continue
		}
		where := at{c.n, "epcList", i + 1}
		if c.units.at(p).shipment == this {
			c.find("ship-lists-contents", where, "%s is inside another of the list: name only what is outermost", brief(e.EPCs[i]))
		} else {
			c.find("shipped-inside", where, "%s is shipped, but the container it was put into is not", brief(e.EPCs[i]))
		}
	}
}

// reships finds what was shipped twice and not received in between.
func (c *Checker) reships() {
	for _, n := range slices.Sorted(maps.Keys(c.reshipped)) {
		all := append(slices.Clone(c.reshipped[n]), c.units.at(n).shipment)
		slices.SortFunc(all, func(a, b uint32) int { return cmp.Compare(c.shipments[a].at, c.shipments[b].at) })
		for i := 1; i < len(all); i++ {
			from, to := c.shipments[all[i-1]], c.shipments[all[i]]
			arrived := slices.ContainsFunc(c.received[n], func(t uint32) bool { return t >= from.at && t <= to.at })
			again := from.seller == to.seller && (!arrived || to.told && from.buyer == to.buyer) // the same shipment, told twice
			if !again && from.sale && to.sale && from.buyer != "" && to.seller != "" && PartyKey(from.buyer) != PartyKey(to.seller) {
				c.find("sender-not-owner", at{event: to.event, list: "sourceList"}, "sold by %s, but it was sold to %s before", brief(to.seller), brief(from.buyer))
			}
			if !arrived && !slices.Contains(c.declaredAt[n], from.at) {
				c.find("shipped-twice", at{event: to.event, list: "epcList"}, "shipped at %s, not received since, and shipped again at %s", timeOf(from.at), timeOf(to.at))
			}
		}
	}
}
