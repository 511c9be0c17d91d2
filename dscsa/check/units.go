package check

import (
	"time"

	"github.com/recourse/recourse/dscsa/gs1"
)

// unit is what is remembered of one thing: 40 bytes, beside 5 to 11 in the table
// that finds it, whatever the length of its identifier.
type unit struct {
	hash         uint64
	commissioned uint32 // seconds, see clock; 0: not in this document
	first        uint32 // the earliest time anything else happened to it
	last         uint32 // the latest time something happened that needs it to exist
	shipment     uint32 // the last shipping event that names it, an index into Checker.shipments
	parent       uint32 // the container it is in, as an index into the table
	moved        uint32 // when it was last put in or taken out
	batch        uint32 // its lot and expiry, an index into Checker.batches
	class        uint16 // its GTIN, an index into Checker.classes
	kind         gs1.Kind
	flags        uint8
}

const (
	holdsThings uint8 = 1 << iota // it was seen as a container
	isGone                        // it was decommissioned, see Checker.gone
	isBad                         // its last disposition is one of goods that are not sold
	wasUnpacked                   // it was taken out of a container here
	isSuspect                     // see Checker.suspects
	wasPacked                     // it was put into a container here
)

// table holds the units, found by their hash, which is as good as random: the
// slots are open-addressed indexes, because a map would keep each hash twice.
// Pages keep growing from copying what is there.
type table struct {
	slots []uint32 // a power of two of them; 0 is free
	pages [][]unit
	n     uint32 // the next index; 0 is no unit
	prev  uint32 // what of gave last
}

const pageSize = 4096

func newTable() table { return table{slots: make([]uint32, 1024), n: 1} }

func (t *table) at(i uint32) *unit { return &t.pages[i/pageSize][i%pageSize] }

// find returns the index of the unit with a hash, 0 for none, and where its
// index is or would be.
func (t *table) find(hash uint64) (index, slot uint32) {
	mask := uint32(len(t.slots) - 1)
	for slot = uint32(hash>>32) & mask; ; slot = (slot + 1) & mask {
		i := t.slots[slot]
		if i == 0 || t.at(i).hash == hash {
			return i, slot
		}
	}
}

// of finds or makes the unit of a hash and returns its index, which is never 0.
// Things are packed and shipped in the order in which they were made, so the
// one after the last is looked at first: the slots are all over the memory.
func (t *table) of(hash uint64) uint32 {
	if next := t.prev + 1; next < t.n && t.at(next).hash == hash {
		t.prev = next
		return next
	}
	i, slot := t.find(hash)
	if i != 0 {
		t.prev = i
		return i
	}
	if int(t.n) >= len(t.slots)/4*3 {
		t.grow()
		_, slot = t.find(hash)
	}
	i = t.n
	if int(i/pageSize) == len(t.pages) {
		t.pages = append(t.pages, make([]unit, pageSize))
	}
	t.at(i).hash = hash
	t.slots[slot] = i
	t.n++
	t.prev = i
	return i
}

func (t *table) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	for i := uint32(1); i < t.n; i++ {
		_, slot := t.find(t.at(i).hash)
		t.slots[slot] = i
	}
}

// clock counts the seconds since 1970 from 1, so that 0 is no time. Events
// before that or after 2106 are reported and count as the nearest.
func clock(t time.Time) uint32 {
	switch s := t.Unix(); {
	case s < 1:
		return 1
	case s > 1<<32-2:
		return 1<<32 - 1
	default:
		return uint32(s)
	}
}

func timeOf(clock uint32) string {
	return time.Unix(int64(clock), 0).UTC().Format(time.RFC3339)
}
