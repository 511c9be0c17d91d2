package epcisapi

import (
	"slices"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// spell returns the event with its identifiers as the client wants them
// (GS1-EPC-Format). What has no such form, and what cannot be read, stays as it
// was written.
func spell(e *epcis.Event, form string) *epcis.Event {
	out := *e
	var to func(gs1.ID) (string, bool)
	switch form {
	case "Always_GS1_Digital_Link":
		to = func(id gs1.ID) (string, bool) { return id.DigitalLink(), true }
	case "Always_EPC_URN":
		to = gs1.ID.URN
	default:
		return &out
	}
	one := func(s string) string {
		if s == "" {
			return s
		}
		id, err := gs1.Parse(s)
		if err != nil || id.Kind == gs1.Other {
			return s
		}
		if spelled, ok := to(id); ok {
			return spelled
		}
		return s
	}
	list := func(in []string) []string {
		out := slices.Clone(in)
		for i := range out {
			out[i] = one(out[i])
		}
		return out
	}
	amounts := func(in []epcis.Quantity) []epcis.Quantity {
		out := slices.Clone(in)
		for i := range out {
			out[i].Class = one(out[i].Class)
		}
		return out
	}
	parties := func(in []epcis.Reference) []epcis.Reference {
		out := slices.Clone(in)
		for i := range out {
			out[i].ID = one(out[i].ID)
		}
		return out
	}
	out.Parent = one(e.Parent)
	out.ReadPoint.ID, out.BizLocation.ID = one(e.ReadPoint.ID), one(e.BizLocation.ID)
	out.EPCs, out.InputEPCs, out.OutputEPCs = list(e.EPCs), list(e.InputEPCs), list(e.OutputEPCs)
	out.Quantities, out.InputQuantities, out.OutputQuantities = amounts(e.Quantities), amounts(e.InputQuantities), amounts(e.OutputQuantities)
	out.Sources, out.Destinations = parties(e.Sources), parties(e.Destinations)
	return &out
}
