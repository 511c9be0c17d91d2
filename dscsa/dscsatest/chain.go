// Package dscsatest makes supply chains for tests: events as partners would
// send them, consistent or not.
package dscsatest

import (
	"fmt"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// The parties of generated chains.
var Parties = []string{"0369999000010", "0860001234107", "0860005678204", "0860001234114"}

// Lot and Expiry are those of every generated package; GTIN is its class.
const (
	GTIN   = "00369999123450"
	Lot    = "AB1234"
	Expiry = "2030-09-30"
)

// Unit is the SGTIN of a package.
func Unit(serial string) string { return "urn:epc:id:sgtin:0369999.012345." + serial }

// Case is the SGTIN of a case.
func Case(serial string) string { return "urn:epc:id:sgtin:0369999.512345." + serial }

// Pallet is an SSCC.
func Pallet(n int) string { return fmt.Sprintf("urn:epc:id:sscc:0369999.%010d", n) }

// SGLN is a party's location.
func SGLN(gln string) string { return "urn:epc:id:sgln:" + gln[:7] + "." + gln[7:12] + ".0" }

// Key is the stored key of an identifier.
func Key(s string) string {
	id, err := gs1.Parse(s)
	if err != nil {
		panic(err) // a test's own identifier
	}
	return id.Key()
}

// An event at a place.
func at(t time.Time, typ epcis.EventType, action epcis.Action, step, disposition, where string) epcis.Event {
	return epcis.Event{
		Type: typ, EventTime: t, Zone: "+00:00", Action: action, BizStep: step, Disposition: disposition,
		ReadPoint: epcis.Place{ID: SGLN(where)}, BizLocation: epcis.Place{ID: SGLN(where)},
	}
}

// Commission makes things.
func Commission(t time.Time, where string, epcs ...string) epcis.Event {
	e := at(t, epcis.ObjectEvent, epcis.Add, "commissioning", "active", where)
	e.EPCs = epcs
	space := "urn:epcglobal:cbv:mda"
	e.ILMD = []epcis.Field{
		{Name: epcis.Name{Space: space, Local: "lotNumber"}, Value: Lot},
		{Name: epcis.Name{Space: space, Local: "itemExpirationDate"}, Value: Expiry},
	}
	return e
}

// Pack puts things into another.
func Pack(t time.Time, where, parent string, children ...string) epcis.Event {
	e := at(t, epcis.AggregationEvent, epcis.Add, "packing", "in_progress", where)
	e.Parent, e.EPCs = parent, children
	return e
}

// Unpack takes things out of another, all of them when none is named.
func Unpack(t time.Time, where, parent string, children ...string) epcis.Event {
	e := at(t, epcis.AggregationEvent, epcis.Delete, "unpacking", "in_progress", where)
	e.Parent, e.EPCs = parent, children
	return e
}

// Ship moves things from one party to another.
func Ship(t time.Time, from, to string, epcs ...string) epcis.Event {
	e := at(t, epcis.ObjectEvent, epcis.Observe, "shipping", "in_transit", from)
	e.BizLocation = epcis.Place{}
	e.EPCs = epcs
	e.Sources = []epcis.Reference{{Type: "owning_party", ID: SGLN(from)}, {Type: "location", ID: SGLN(from)}}
	e.Destinations = []epcis.Reference{{Type: "owning_party", ID: SGLN(to)}, {Type: "location", ID: SGLN(to)}}
	e.BizTransactions = []epcis.Reference{{Type: "po", ID: "urn:epcglobal:cbv:bt:" + to + ":PO-1"}}
	return e
}

// Receive takes things in.
func Receive(t time.Time, by string, epcs ...string) epcis.Event {
	e := at(t, epcis.ObjectEvent, epcis.Observe, "receiving", "in_progress", by)
	e.EPCs = epcs
	return e
}

// Step is any other event on things.
func Step(t time.Time, action epcis.Action, step, disposition, where string, epcs ...string) epcis.Event {
	e := at(t, epcis.ObjectEvent, action, step, disposition, where)
	e.EPCs = epcs
	return e
}

// Declare declares an event an error.
func Declare(e epcis.Event, t time.Time) epcis.Event {
	e.Error = &epcis.ErrorDeclaration{At: t, Reason: "incorrect_data"}
	return e
}

// Chain is n events over a few packages, cases and pallets, most of them such
// as happen, some that contradict others. next gives a number below its
// argument.
func Chain(n int, next func(int) int) []epcis.Event {
	t := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var units, cases, pallets []string
	for i := range 6 {
		units = append(units, Unit(fmt.Sprintf("U%d", i)))
	}
	for i := range 3 {
		cases = append(cases, Case(fmt.Sprintf("C%d", i)))
	}
	for i := range 2 {
		pallets = append(pallets, Pallet(i))
	}
	things := append(append(append([]string(nil), units...), cases...), pallets...)
	any := func(list []string) string { return list[next(len(list))] }
	party := func() string { return any(Parties[:3]) }
	out := []epcis.Event{
		Commission(t, Parties[0], units...), Commission(t, Parties[0], cases...),
		Pack(t.Add(time.Minute), Parties[0], cases[0], units[0], units[1]), Pack(t.Add(time.Minute), Parties[0], cases[1], units[2], units[3]),
		Pack(t.Add(2*time.Minute), Parties[0], pallets[0], cases[0], cases[1]),
		Ship(t.Add(3*time.Minute), Parties[0], Parties[1], pallets[0]),
		Receive(t.Add(4*time.Minute), Parties[1], pallets[0]),
	}
	t = t.Add(time.Hour)
	for len(out) < n {
		t = t.Add(time.Duration(next(3)) * time.Second) // a third of them at the same moment
		where := party()
		switch next(14) {
		case 0, 1:
			out = append(out, Pack(t, where, any(append(cases, pallets...)), any(units), any(cases)))
		case 2:
			out = append(out, Unpack(t, where, any(append(cases, pallets...))))
		case 3:
			out = append(out, Unpack(t, where, any(cases), any(units)))
		case 4, 5, 6:
			out = append(out, Ship(t, where, party(), any(things)))
		case 7, 8:
			out = append(out, Receive(t, where, any(things)))
		case 9:
			e := Step(t, epcis.Observe, "void_shipping", "in_progress", where, any(things))
			out = append(out, e)
		case 10:
			out = append(out, Step(t, epcis.Observe, "holding", any([]string{"recalled", "sellable_accessible"}), where, any(things)))
		case 11:
			out = append(out, Step(t, epcis.Delete, any([]string{"destroying", "decommissioning", "dispensing"}), "", where, any(things)))
		case 12:
			out = append(out, Declare(out[next(len(out))], t))
		case 13:
			out = append(out, Commission(t, where, any(things)))
		}
	}
	return out
}
