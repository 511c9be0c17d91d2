package dscsa

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Fact is an event, or a hold, as far as it decides where items stand. Items
// go by their number in the tenant's custody.
type Fact struct {
	Seq      int64
	At       int64 // event time, microseconds since 1970 UTC
	Hash     [32]byte
	EventID  string
	Declared bool // an error declaration

	Type        epcis.EventType // "" of a hold
	Action      epcis.Action
	BizStep     string
	Disposition string
	Set, Unset  []string // persistent dispositions

	Parent           int64   // 0: none
	Members, Outputs []int64 // epcList, childEPCs or inputs; outputs of a transformation

	SourceOwner  string // GLN of the owning party, else whoever has it
	DestOwner    string
	DestHolder   string // GLN of the possessing party
	DestLocation string
	Location     string // GLN of the business location, else of the read point
	Lot          string
	Expiry       time.Time

	Holds []int64 // that concern whatever this concerns
}

// step is what a fact means for custody. The order is that in which facts of
// one moment follow one another: a thing is made, comes, is taken out, is
// packed, goes.
type step uint8

const (
	commission step = iota
	receive
	unpack
	pack
	ship
	voidShip
	observe
	hold
	dispense
	end
	nothing // for custody
)

// Business steps and dispositions of the Core Business Vocabulary that move
// custody.
const (
	bizShipping     = "shipping"
	bizReceiving    = "receiving"
	bizAccepting    = "accepting"
	bizVoidShipping = "void_shipping"
	bizDispensing   = "dispensing"
	bizDestroying   = "destroying"
	bizHolding      = "holding"

	dispInTransit          = "in_transit"
	dispReturned           = "returned"
	dispDispensed          = "dispensed"
	dispPartiallyDispensed = "partially_dispensed"
	dispRetailSold         = "retail_sold"
	dispDestroyed          = "destroyed"
	dispDisposed           = "disposed"
)

// blocking dispositions keep a thing from sale, until one of clearing comes.
var blocking = map[string]bool{
	"recalled": true, "non_sellable_other": true, "damaged": true, "expired": true, "stolen": true, "no_pedigree_match": true,
	"mismatch_class": true, "mismatch_instance": true, "mismatch_quantity": true, "non_conformant": true, "needs_replacement": true,
	"unavailable": true, dispReturned: true,
}

var clearing = map[string]bool{
	"active": true, "sellable_accessible": true, "sellable_not_accessible": true, "available": true, "conformant": true,
}

func (f *Fact) step() step {
	switch f.Type {
	case "":
		return hold
	case epcis.TransformationEvent:
		return commission
	case epcis.AggregationEvent:
		switch f.Action {
		case epcis.Add:
			return pack
		case epcis.Delete:
			return unpack
		case epcis.Observe:
		}
		return observe
	case epcis.ObjectEvent:
	default:
		return nothing
	}
	switch {
	case f.BizStep == bizVoidShipping:
		return voidShip
	case f.BizStep == bizDispensing, f.Disposition == dispDispensed, f.Disposition == dispPartiallyDispensed, f.Disposition == dispRetailSold:
		return dispense
	case f.Action == epcis.Delete, f.BizStep == bizDestroying, f.Disposition == dispDestroyed, f.Disposition == dispDisposed:
		return end
	case f.Action == epcis.Add:
		return commission
	case f.BizStep == bizShipping:
		return ship
	case f.BizStep == bizReceiving, f.BizStep == bizAccepting:
		return receive
	}
	return observe
}

// compare puts facts in the order in which they happened. Nothing in it
// depends on when or how they became known.
func compare(a, b *Fact) int {
	if c := cmp.Compare(a.At, b.At); c != 0 {
		return c
	}
	if c := cmp.Compare(a.step(), b.step()); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Hash[:], b.Hash[:]); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.EventID, b.EventID), cmp.Compare(a.Seq, b.Seq))
}

// Effective is the facts that count, in order: without error declarations and
// what they declare wrong, which they name by id or by content (EPCIS 1.2
// section 7.4.1.2).
func Effective(facts []Fact) []*Fact {
	ids, hashes := map[string]bool{}, map[[32]byte]bool{}
	for i := range facts {
		if facts[i].Declared {
			ids[facts[i].EventID], hashes[facts[i].Hash] = true, true
		}
	}
	out := make([]*Fact, 0, len(facts))
	for i := range facts {
		f := &facts[i]
		if f.Declared || f.Type != "" && (hashes[f.Hash] || ids[f.EventID]) {
			continue
		}
		out = append(out, f)
	}
	slices.SortFunc(out, compare)
	return out
}
