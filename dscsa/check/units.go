package check

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/recourse/recourse/dscsa/gs1"
)

// unit is what is remembered of one thing: 40 bytes, beside 7 to 13 in the table
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
// A byte of each slot's hash lies apart from the slots, eight of them looked at
// in one step: the units themselves are all over the memory, and only one that
// is very likely the right one is looked at. Pages keep growing from copying
// what is there.
type table struct {
	tags  []byte   // 0: the slot is free
	slots []uint32 // a power of two of them
	pages [][]unit
	n     uint32 // the next index; 0 is no unit
	prev  uint32 // what of gave last
}

const pageSize = 4096

func newTable() table {
	return table{tags: make([]byte, 1024), slots: make([]uint32, 1024), n: 1}
}

func (t *table) at(i uint32) *unit { return &t.pages[i/pageSize][i%pageSize] }

// tagOf is the byte kept of a hash; its slot is told by other bits.
func tagOf(hash uint64) byte { return byte(hash>>24) | 1 }

// zeros has the highest bit of each byte of v set that is 0, and maybe of one
// above it; the lowest bit set is exact.
func zeros(v uint64) uint64 {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	return (v - ones) & ^v & highs
}

// find returns the index of the unit with a hash, 0 for none, and where its
// index is or would be.
func (t *table) find(hash uint64) (index, slot uint32) {
	mask := uint32(len(t.slots)-1) &^ 7
	tag := uint64(tagOf(hash)) * 0x0101010101010101
	for group := uint32(hash>>32) & mask; ; group = (group + 8) & mask {
		tags := binary.LittleEndian.Uint64(t.tags[group:])
		for same := zeros(tags ^ tag); same != 0; same &= same - 1 {
			slot = group + uint32(bits.TrailingZeros64(same))/8
			if i := t.slots[slot]; i != 0 && t.at(i).hash == hash {
				return i, slot
			}
		}
		if free := zeros(tags); free != 0 {
			return 0, group + uint32(bits.TrailingZeros64(free))/8
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
	t.tags[slot], t.slots[slot] = tagOf(hash), i
	t.n++
	t.prev = i
	return i
}

func (t *table) grow() {
	t.tags, t.slots = make([]byte, 2*len(t.slots)), make([]uint32, 2*len(t.slots))
	mask := uint32(len(t.slots)-1) &^ 7
	for i := uint32(1); i < t.n; i++ {
		hash := t.at(i).hash
		group := uint32(hash>>32) & mask
		free := zeros(binary.LittleEndian.Uint64(t.tags[group:]))
		for free == 0 {
			group = (group + 8) & mask
			free = zeros(binary.LittleEndian.Uint64(t.tags[group:]))
		}
		slot := group + uint32(bits.TrailingZeros64(free))/8
		t.tags[slot], t.slots[slot] = tagOf(hash), i
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
