package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// containment is one thing put into, or taken out of, a container.
type containment struct {
	at     uint32
	parent uint32
	event  int
	add    bool
}

// suspect is a thing that may be in two containers at once. Whether it is shows
// at the end: the event that took it out of the first may come later in the
// document.
type suspect struct {
	epc string
	did []containment
}

// loose is a thing that was taken out of what it was not seen in.
type loose struct {
	containment
	epc string
}

// packing is a container that was not commissioned when it was filled.
type packing struct {
	parent, child uint32
	event         int
	epc           string
}

// manySuspects and manyPackings bound what a hostile document can make us
// remember; beyond them faults are reported, or passed over, at once.
const (
	manySuspects = 100_000
	manyPackings = 1_000
)

func (c *Checker) aggregate(e *epcis.Event, t uint32) {
	parent := c.nums[0]
	exists := e.Action == epcis.Add
	if parent != 0 {
		p := c.units.at(parent)
		c.used(parent, e.Parent, c.here("parentID"), t, exists)
		if e.Action == epcis.Delete && len(e.EPCs) == 0 && len(e.Quantities) == 0 {
			note(c.emptied, parent, t)
		}
		if len(e.EPCs)+len(e.Quantities) > 0 {
			p.flags |= holdsThings
		}
	}
	c.use(e, e.EPCs, c.nums[1:], t, exists)
	if parent == 0 || e.Action == epcis.Observe {
		return
	}
	for i, epc := range e.EPCs {
		child := c.nums[1+i]
		if child == 0 {
			continue
		}
		where := at{c.n, "childEPCs", i + 1}
		if child == parent {
			c.find("containment-cycle", where, "%s is put into itself", brief(epc))
			continue
		}
		if exists && c.contains(child, parent, t) {
			c.find("containment-cycle", where, "%s is put into something that is inside it", brief(epc))
			continue
		}
		c.move(child, epc, containment{t, parent, c.n, exists})
		if exists {
			c.sameCase(child, parent, epc, where)
		}
	}
	if exists && len(e.EPCs) > 0 && c.nums[1] != 0 && c.units.at(parent).commissioned == 0 && len(c.packed) < manyPackings {
		c.packed = append(c.packed, packing{parent, c.nums[1], c.n, strings.Clone(e.Parent)})
	}
}

// contains walks up from inner to see whether outer is above it.
func (c *Checker) contains(outer, inner, t uint32) bool {
	for range 100 {
		inner = c.parentOf(inner, t)
		if inner == 0 {
			return false
		}
		if inner == outer {
			return true
		}
	}
	return true // nothing real is that deep
}

// parentOf is the container of a unit at a time of the clock.
func (c *Checker) parentOf(n, t uint32) uint32 {
	u := c.units.at(n)
	if u.parent != 0 && len(c.emptied) > 0 && c.wasEmptied(u.parent, u.moved, t) {
		return 0
	}
	return u.parent
}

func (c *Checker) wasEmptied(parent, from, to uint32) bool {
	for _, t := range c.emptied[parent] {
		if t >= from && t <= to {
			return true
		}
	}
	return false
}

// move follows one thing into or out of a container.
func (c *Checker) move(child uint32, epc string, m containment) {
	u := c.units.at(child)
	if m.add {
		u.flags |= wasPacked
	} else {
		u.flags |= wasUnpacked
		if u.parent == 0 && len(c.unpacked) < manySuspects {
			if _, ok := c.unpacked[child]; !ok {
				c.unpacked[child] = loose{m, strings.Clone(epc)}
			}
		}
	}
	if u.flags&isSuspect != 0 {
		s := c.suspects[child]
		s.did = append(s.did, m)
		c.settle(u, m)
		return
	}
	if u.parent != 0 && u.parent != m.parent {
		before := containment{u.moved, u.parent, 0, true}
		if len(c.suspects) < manySuspects {
			u.flags |= isSuspect
			s := &suspect{strings.Clone(epc), []containment{before, m}}
			if first, ok := c.unpacked[child]; ok {
				s.did = append(s.did, first.containment)
			}
			c.suspects[child] = s
		} else if m.add {
			c.doubled(epc, m.event)
		}
	}
	c.settle(u, m)
}

// settle keeps the latest of what is known.
func (c *Checker) settle(u *unit, m containment) {
	switch {
	case m.at < u.moved:
	case m.add:
		u.parent, u.moved = m.parent, m.at
	case u.parent == m.parent || u.parent == 0:
		u.parent, u.moved = 0, m.at
	}
}

func (c *Checker) doubled(epc string, event int) {
	c.find("double-parent", at{event: event, list: "childEPCs"}, "%s is put into a second container without having been taken out of the first", brief(epc))
}

// strays finds what was made here, never put anywhere, and taken out all the
// same.
func (c *Checker) strays() {
	for _, n := range slices.Sorted(maps.Keys(c.unpacked)) {
		if u := c.units.at(n); u.commissioned != 0 && u.flags&wasPacked == 0 {
			l := c.unpacked[n]
			c.find("unpacked-not-inside", at{event: l.event, list: "childEPCs"}, "%s is taken out of a container, but was never put into one", brief(l.epc))
		}
	}
}

// doubles replays the suspects in the order of event time.
func (c *Checker) doubles() {
	for _, n := range slices.Sorted(maps.Keys(c.suspects)) {
		s := c.suspects[n]
		slices.SortStableFunc(s.did, func(a, b containment) int { return cmp.Compare(a.at, b.at) })
		var in containment
		for _, m := range s.did {
			if in.parent != 0 && in.parent != m.parent && c.wasEmptied(in.parent, in.at, m.at) {
				in = containment{}
			}
			switch {
			case m.add && in.parent != 0 && in.parent != m.parent:
				c.doubled(s.epc, max(m.event, in.event))
				in = m
			case m.add:
				in = m
			case in.parent == m.parent:
				in = containment{}
			case in.parent != 0:
				c.find("unpacked-not-inside", at{event: m.event, list: "childEPCs"}, "%s is taken out of a container it is not in", brief(s.epc))
			}
		}
	}
}

// sameCase checks that a case of a trade item holds one product of one lot.
func (c *Checker) sameCase(child, parent uint32, epc string, where at) {
	u, p := c.units.at(child), c.units.at(parent)
	if p.kind != gs1.SGTIN || u.kind != gs1.SGTIN {
		return
	}
	if p.batch != u.batch && p.batch != 0 && u.batch != 0 && c.batches[p.batch].lot != c.batches[u.batch].lot {
		c.find("case-mixed", where, "%s is of lot %s, its case of lot %s", brief(epc), brief(c.batches[u.batch].lot), brief(c.batches[p.batch].lot))
		return
	}
	if c.lastCase[0] != parent {
		c.lastCase = [2]uint32{parent, c.firstInCase[parent]}
	}
	n := c.lastCase[1]
	if n == 0 || n == child {
		c.setCase(parent, child)
		return
	}
	first := c.units.at(n)
	switch {
	case first.class != u.class:
		c.find("case-mixed", where, "%s is of another product than what is in its case", brief(epc))
	case first.batch == 0:
		c.setCase(parent, child)
	case u.batch != 0 && u.batch != first.batch && c.batches[u.batch].lot != c.batches[first.batch].lot:
		c.find("case-mixed", where, "%s is of lot %s, what is in its case of lot %s", brief(epc), brief(c.batches[u.batch].lot), brief(c.batches[first.batch].lot))
	}
}

func (c *Checker) setCase(parent, first uint32) {
	c.firstInCase[parent] = first
	c.lastCase = [2]uint32{parent, first}
}
