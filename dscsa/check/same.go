package check

import (
	"hash/maphash"

	"github.com/recourse/recourse/dscsa/epcis"
)

// seenEvent is what is remembered of an event with an ID.
type seenEvent struct {
	content  uint64
	event    int
	declared bool // it was declared wrong
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
	number(uint64(e.EventTime.UnixMilli()))
	set := uint64(0) // lists have no order
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
