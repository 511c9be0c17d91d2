package dscsa

import (
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// KeyOf is the one key of a thing, a place or a party, however it is spelled
// (gs1.ID.Key). What is no GS1 identifier is its own key. A wrong check digit
// is a finding of the checks and no other thing.
func KeyOf(s string) (string, gs1.ID) {
	s = strings.TrimSpace(s)
	id, err := gs1.Parse(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return s, gs1.ID{Number: s}
	}
	return id.Key(), id
}

// PartyOf is the GLN of a party or place, else its key.
func PartyOf(s string) string {
	if s == "" {
		return ""
	}
	key, id := KeyOf(s)
	if gln := id.GLN(); gln != "" {
		return gln
	}
	return key
}

// LotAndExpiry are what a commissioning event says of what it makes, see
// [epcis.Event.Batch]. A date that is none is no date.
func LotAndExpiry(e *epcis.Event) (lot string, expiry time.Time) {
	lot, day, _ := e.Batch()
	if len(day) >= len(time.DateOnly) {
		if t, err := time.Parse(time.DateOnly, day[:len(time.DateOnly)]); err == nil {
			expiry = t
		}
	}
	return lot, expiry
}

// party picks the reference that says who owns, or who has, what an event is
// about: owning_party, else possessing_party.
func party(refs []epcis.Reference, types ...string) string {
	for _, t := range types {
		for _, r := range refs {
			if r.Type == t {
				return PartyOf(r.ID)
			}
		}
	}
	return ""
}

// FactOf is what an event means for custody; items are the caller's to number.
func FactOf(e *epcis.Event) Fact {
	f := Fact{
		At: e.EventTime.UnixMicro(), EventID: e.EventID, Declared: e.Error != nil,
		Type: e.Type, Action: e.Action, BizStep: e.BizStep, Disposition: e.Disposition,
		SourceOwner:  party(e.Sources, "owning_party", "possessing_party"),
		DestOwner:    party(e.Destinations, "owning_party", "possessing_party"),
		DestHolder:   party(e.Destinations, "possessing_party"),
		DestLocation: party(e.Destinations, "location"),
		Location:     PartyOf(e.BizLocation.ID),
	}
	if f.Location == "" {
		f.Location = PartyOf(e.ReadPoint.ID)
	}
	if e.Persistent != nil {
		f.Set, f.Unset = e.Persistent.Set, e.Persistent.Unset
	}
	f.Lot, f.Expiry = LotAndExpiry(e)
	return f
}
