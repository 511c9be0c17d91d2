package check

import (
	"hash/maphash"
	"slices"

	"github.com/recourse/recourse/dscsa/epcis"
)

// class is a GTIN that occurs in the document.
type class struct {
	gtin         uint64
	commissioned bool // at least one of it
	seen         int  // the event it was first seen in
}

// seenEvent is what is remembered of an event with an ID.
type seenEvent struct {
	content  uint64
	event    int
	declared bool // it was declared wrong
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
	checked := uint64(0)
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
		u.batch = number
		c.classes[u.class].commissioned = true
		if gtin := c.classes[u.class].gtin; gtin != checked {
			checked = gtin
			c.lot(e, gtin, made)
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
	if b == c.lastMade && b.expiry > noExpiry && !b.expired(clock(e.EventTime)) {
		return c.lastBatch // lots come in runs
	}
	where := c.here("ilmd")
	if b.lot != "" && !validLot(b.lot) {
		c.find("lot-form", where, "the lot is %q: 1 to 20 letters, digits and signs of the GS1 character set", brief(b.lot))
	}
	switch {
	case b.expiry == badExpiry:
		c.find("expiry-form", where, "itemExpirationDate is %q, which is no day: write it as 2028-09-30", brief(value(field(e.ILMD, "itemExpirationDate"))))
		b.expiry = noExpiry
	case b.expired(clock(e.EventTime)):
		c.find("expiry-before-commissioning", where, "commissioned at %s, after the expiry date %s", stamp(e.EventTime), dayOf(b.expiry))
	}
	if b == (batch{}) {
		return 0
	}
	n, ok := c.batchOf[b]
	if !ok {
		n = uint32(len(c.batches))
		c.batches = append(c.batches, b)
		c.batchOf[b] = n
	}
	if validLot(b.lot) {
		c.lastMade, c.lastBatch = b, n
	}
	return n
}

// lot checks lot and expiry of a product that is being commissioned.
func (c *Checker) lot(e *epcis.Event, gtin uint64, b batch) {
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
		c.lotExpiry[key] = b.expiry
		c.lastLot, c.lastExpiry = key, b.expiry
	}
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

// isRepeated compares the event with an earlier one of the same ID, and says
// whether it adds nothing.
func (c *Checker) isRepeated(e *epcis.Event) bool {
	if e.EventID == "" && e.Error == nil && len(c.declared) == 0 {
		return false
	}
	content := c.content(e)
	_, wrong := c.declared[content]
	if e.Error != nil {
		c.declared[content] = struct{}{}
	}
	if e.EventID != "" {
		id := maphash.String(c.seed, e.EventID)
		before, seen := c.events[id]
		if !seen {
			c.events[id] = seenEvent{content, c.n, e.Error != nil}
			return wrong && e.Error == nil
		}
		switch {
		case before.content == content && (e.Error != nil || before.declared):
			before.declared = true
			c.events[id] = before
		case before.content == content:
			c.find("event-repeated", c.here("eventID"), "the same event as event %d", before.event)
			return true
		case e.Error != nil || before.declared:
			c.find("declaration-differs", c.here("eventID"), "an error declaration repeats the event it is about, but event %d with this ID says something else", before.event)
		default:
			c.find("event-id-reused", c.here("eventID"), "event %d has the same ID and says something else", before.event)
		}
	}
	return wrong && e.Error == nil
}

// content is a hash of what an event says, without its error declaration, the
// time of recording and the spelling of identifiers.
func (c *Checker) content(e *epcis.Event) uint64 {
	var h maphash.Hash
	h.SetSeed(c.seed)
	put := func(s string) {
		_, _ = h.WriteString(s)
		_ = h.WriteByte(0)
	}
	number := func(n uint64) {
		for ; n > 0; n >>= 8 {
			_ = h.WriteByte(byte(n))
		}
		_ = h.WriteByte(0)
	}
	put(string(e.Type))
	put(string(e.Action))
	put(e.BizStep)
	put(e.Disposition)
	put(e.ReadPoint.ID)
	put(e.BizLocation.ID)
	put(e.TransformationID)
	number(uint64(e.EventTime.UnixMilli())) //nolint:gosec // only hashed
	set := uint64(0)                        // lists have no order
	for _, id := range c.ids[1:] {
		set += id.hash * id.hash
	}
	number(set)
	number(c.ids[0].hash)
	for _, refs := range [...][]epcis.Reference{e.BizTransactions, e.Sources, e.Destinations} {
		sum := uint64(0)
		for i := range refs {
			sum += maphash.String(c.seed, refs[i].Type) ^ maphash.String(c.seed, refs[i].ID)
		}
		number(sum)
	}
	m := madeOf(e)
	put(m.lot)
	number(uint64(uint32(m.expiry)))
	for _, list := range [...][]epcis.Quantity{e.Quantities, e.InputQuantities, e.OutputQuantities} {
		for i := range list {
			put(list[i].Amount)
			put(list[i].UOM)
		}
	}
	return h.Sum64()
}

// undo takes back what the event that is declared wrong did.
func (c *Checker) undo(e *epcis.Event, t uint32) {
	for i, n := range c.nums {
		if n == 0 {
			continue
		}
		u := c.units.at(n)
		c.declaredAt[n] = append(c.declaredAt[n], t)
		switch {
		case i == 0:
		case e.Type == epcis.AggregationEvent && e.Action == epcis.Add && u.parent == c.nums[0] && u.moved == t:
			u.parent = 0
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Add && u.commissioned == t && !c.isTwice(n):
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

// isTwice says whether a thing seems to be commissioned twice so far.
func (c *Checker) isTwice(n uint32) bool {
	return slices.ContainsFunc(c.maybes, func(m maybe) bool { return m.unit == n && m.rule == "serial-duplicate" })
}
