package check

import (
	"github.com/recourse/recourse/dscsa/epcis"
)

// class is a GTIN that occurs in the document.
type class struct {
	gtin         uint64
	commissioned bool // at least one of it
	seen         int  // the event it was first seen in
}

// happen follows what an event did to things. c.ids holds the parent and then
// the EPCs, as things left them.
func (c *Checker) happen(e *epcis.Event) {
	if e.EventTime.IsZero() {
		return // refused already
	}
	c.nums = c.nums[:0]
	for i := range c.ids {
		c.nums = append(c.nums, c.unitOf(&c.ids[i]))
	}
	if c.isRepeated(e) {
		return
	}
	t := clock(e.EventTime)
	if e.Error != nil {
		c.undo(e, t)
		return
	}
	outputs := len(e.EPCs) + len(e.InputEPCs)
	switch {
	case e.Type == epcis.TransformationEvent:
		c.use(e, e.InputEPCs, c.nums[1:1+len(e.InputEPCs)], t, true)
		c.commission(e, e.OutputEPCs, outputs, t)
	case e.Type == epcis.ObjectEvent && e.Action == epcis.Add && makes(e.BizStep):
		c.commission(e, e.EPCs, 0, t)
	case e.Type == epcis.ObjectEvent && e.Action == epcis.Delete:
		c.decommission(e, t)
	case e.Type == epcis.AggregationEvent:
		c.aggregate(e, t)
	default:
		c.use(e, e.EPCs, c.nums[1:], t, true)
	}
	c.steps(e, t)
}

// unitOf finds the unit of a thing, 0 for none.
func (c *Checker) unitOf(id *ident) uint32 {
	if id.hash == 0 || id.class {
		return 0
	}
	i := c.units.of(id.hash)
	u := c.units.at(i)
	if u.kind == 0 {
		u.kind = id.kind
		if id.gtin != 0 {
			u.class = c.classNumber(id.gtin)
		}
	}
	return i
}

func (c *Checker) classNumber(gtin uint64) uint16 {
	if n, ok := c.classOf[gtin]; ok {
		return n
	}
	if len(c.classes) == 1<<16 {
		return 0 // more products than anybody sells: these are not followed
	}
	n := uint16(len(c.classes))
	c.classes = append(c.classes, class{gtin: gtin, seen: c.n})
	c.classOf[gtin] = n
	return n
}

// use notes that something happened to things that exist. exists is false for
// what may be told of a thing that is gone.
func (c *Checker) use(e *epcis.Event, epcs []string, nums []uint32, t uint32, exists bool) {
	for i, n := range nums[:min(len(nums), len(epcs))] {
		if n != 0 {
			c.used(n, epcs[i], at{c.n, listOf(e), i + 1}, t, exists)
		}
	}
}

func (c *Checker) used(n uint32, epc string, where at, t uint32, exists bool) {
	u := c.units.at(n)
	if t < u.commissioned {
		c.perhaps(maybe{"use-before-commissioning", n, t, u.commissioned, where, epc})
	}
	if u.first == 0 || t < u.first {
		u.first = t
	}
	if !exists {
		return
	}
	if u.flags&isGone != 0 && t > c.gone[n] {
		c.perhaps(maybe{"event-after-decommissioning", n, t, c.gone[n], where, epc})
	}
	u.last = max(u.last, t)
}

func (c *Checker) decommission(e *epcis.Event, t uint32) {
	for i, n := range c.nums[1:] {
		if n == 0 || i >= len(e.EPCs) {
			continue
		}
		u := c.units.at(n)
		where := at{c.n, "epcList", i + 1}
		if u.flags&isGone != 0 {
			c.find("event-after-decommissioning", where, "%s is decommissioned a second time; it was at %s", brief(e.EPCs[i]), timeOf(c.gone[n]))
			continue
		}
		c.used(n, e.EPCs[i], where, t, false)
		u.flags |= isGone
		c.gone[n] = t
		if u.last > t {
			c.perhaps(maybe{"event-after-decommissioning", n, u.last, t, where, e.EPCs[i]})
		}
	}
}
