package check

import (
	"time"

	"github.com/recourse/recourse/dscsa/gs1"
)

// unit is what is remembered of one thing: 32 bytes, beside some 20 in the map
// that finds it, whatever the length of its identifier.
type unit struct {
	commissioned uint32 // seconds, see clock; 0: not in this document
	first        uint32 // the earliest time anything else happened to it
	last         uint32 // the latest time something happened that needs it to exist
	gone         uint32 // when it was decommissioned
	parent       uint32 // the container it is in, as an index into the table
	moved        uint32 // when it was last put in or taken out
	batch        uint32 // its lot and expiry, an index into Checker.batches
	class        uint16 // its GTIN, an index into Checker.classes
	kind         gs1.Kind
	flags        uint8
}

const (
	holdsThings uint8 = 1 << iota // it was seen as a container
	isShipped                     // a shipping event names it
	isBad                         // its last disposition is one of goods that are not sold
	wasUnpacked                   // it was taken out of a container here
	isSuspect                     // see Checker.suspects
)

// table holds the units. Pages keep growing from copying what is there.
type table struct {
	index map[uint64]uint32
	pages [][]unit
	n     uint32
}

const pageSize = 4096

func newTable() table { return table{index: map[uint64]uint32{}, n: 1} } // 0 is none

func (t *table) at(i uint32) *unit { return &t.pages[i/pageSize][i%pageSize] }

// of finds or makes the unit of id and returns its index, which is never 0.
func (t *table) of(hash uint64) uint32 {
	if i, ok := t.index[hash]; ok {
		return i
	}
	i := t.n
	if int(i/pageSize) == len(t.pages) {
		t.pages = append(t.pages, make([]unit, pageSize))
	}
	t.index[hash] = i
	t.n++
	return i
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
