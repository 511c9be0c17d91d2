package check

import (
	"slices"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
)

// maybe is a breach that stands only if no later event of the document takes it
// back: documents may list events in any order.
type maybe struct {
	rule  string
	unit  uint32
	at    uint32 // when it happened, on the clock
	than  uint32 // the time it should have come after, or before
	where at
	epc   string
}

// manyMaybes is far above what is described of one rule; beyond it breaches
// are neither described nor counted.
const manyMaybes = 10_000

func (c *Checker) perhaps(m maybe) {
	if len(c.maybes) < manyMaybes {
		m.epc = strings.Clone(m.epc)
		if m.rule == "serial-duplicate" {
			c.twice[m.unit] = struct{}{}
		}
		c.maybes = append(c.maybes, m)
	}
}

// confirm reports the breaches that stand at the end.
func (c *Checker) confirm() {
	for _, m := range c.maybes {
		u, gone := c.units.at(m.unit), c.gone[m.unit]
		wrong := func(t uint32) bool { return slices.Contains(c.declaredAt[m.unit], t) }
		switch {
		case m.rule == "serial-duplicate" && !wrong(m.at) && !wrong(m.than):
			c.find(m.rule, m.where, "%s is commissioned twice, at %s and at %s", brief(m.epc), timeOf(min(m.at, m.than)), timeOf(max(m.at, m.than)))
		case m.rule == "use-before-commissioning" && m.at < u.commissioned && !wrong(m.at):
			c.find(m.rule, m.where, "%s is used at %s, but commissioned at %s", brief(m.epc), timeOf(m.at), timeOf(u.commissioned))
		case m.rule == "event-after-decommissioning" && gone != 0 && m.at > gone && !wrong(m.at):
			c.find(m.rule, m.where, "%s was decommissioned at %s and comes again at %s", brief(m.epc), timeOf(gone), timeOf(m.at))
		}
	}
	c.maybes = nil
}

// undo takes back what the event that is declared wrong did.
func (c *Checker) undo(e *epcis.Event, t uint32) {
	for i, n := range c.nums {
		if n == 0 {
			continue
		}
		u := c.units.at(n)
		note(c.declaredAt, n, t)
		_, isTwice := c.twice[n]
		switch {
		case i == 0:
		case e.Type == epcis.AggregationEvent && e.Action == epcis.Add && u.parent == c.nums[0] && u.moved == t:
			u.parent = 0
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Add && u.commissioned == t && !isTwice:
			u.commissioned, u.batch = 0, 0
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Delete && c.gone[n] == t:
			delete(c.gone, n)
			u.flags &^= isGone
		}
		if c.shipments[u.shipment].at == t {
			u.shipment = 0
		}
		if u.first == t {
			u.first = 0
		}
		if u.last == t {
			u.last = 0
		}
	}
}

// manyTimes is more often than anything real is emptied, received or declared
// wrong; what comes after is not kept.
const manyTimes = 1000

// note keeps a time of a thing.
func note(times map[uint32][]uint32, n, t uint32) {
	if have := times[n]; len(have) < manyTimes && (len(have) > 0 || len(times) < manySuspects) {
		times[n] = append(have, t)
	}
}
