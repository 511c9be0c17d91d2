package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// Known is what a store knows. Look is asked once for each batch of events and
// answers from one moment; what it leaves out of an Answer is not known.
type Known interface {
	Look(context.Context, Query) (Answer, error)
}

// Query is what one batch is about, each key once, in no order.
type Query struct {
	Things   []string // gs1.ID.Key of serialised things and logistic units
	Products []string // GTIN-14
	Parties  []string // PartyKey of sellers and buyers
	EventIDs []string
	Hashes   []string // event hashes (CBV 2.0 section 8.9)
}

// Answer is what is known of it, under the keys of the Query.
type Answer struct {
	Things   map[string]Thing
	Products map[string]bool
	Parties  map[string]Party
	EventIDs map[string]string // event ID: the hash of the event that has it
	Hashes   map[string]bool   // events that are stored, whatever document they came in
}

// Thing is the present state of a thing, from what happened before the document.
type Thing struct {
	Commissioned   time.Time // zero: never
	Lot            string
	Expiry         time.Time // the day, of a container the earliest of what is in it; zero: none
	Decommissioned time.Time // zero: not
	Parent         string    // key of the container it is in, "": none
	Filled         bool      // something is inside it
	Holder         string    // PartyKey of its owner, "": not known
	Held           string    // why it, or something in it, is not for sale: "quarantine", "recall", "suspect"; "": it is
}

// Party is a trading partner at the time of the check.
type Party struct {
	Authorized bool
	Reason     string // why not
}

// PartyKey is the key under which parties are compared: the GLN, whether it
// comes as SGLN, PGLN, Digital Link or digits; any other identifier as it is.
func PartyKey(s string) string {
	if gs1.ValidGLN(s) {
		return s
	}
	return placeKey(s)
}

// Against checks a batch of events against what is known. They have gone
// through Event already; first is the number of the first of them, from 1, and
// hashes are what epcis.Hash makes of them. An event that is stored already is passed
// over: it was checked when it came first. An error is the store's: nothing of
// the batch was checked, and it can be tried again.
func (c *Checker) Against(ctx context.Context, known Known, first int, events []*epcis.Event, hashes []string) error {
	b := asking{c: c, keys: map[string]string{}}
	q := b.query(events)
	q.Hashes = hashes
	answer, err := known.Look(ctx, q)
	if err != nil {
		return fmt.Errorf("ask what is known: %w", err)
	}
	for i, e := range events {
		n := first + i
		if answer.Hashes[hashes[i]] && e.Error == nil {
			c.find("event-repeated", at{event: n}, "the event is stored already")
			b.filled(e, &answer)
			continue
		}
		if before := answer.EventIDs[e.EventID]; e.EventID != "" && before != "" && before != hashes[i] {
			rule := "event-id-reused"
			if e.Error != nil {
				rule = "declaration-differs"
			}
			c.find(rule, at{event: n, list: "eventID"}, "an event that is stored has the same ID and says something else")
		}
		b.filled(e, &answer)
		b.event(n, e, &answer)
	}
	return nil
}

// asking is one call of Against. keys spares parsing an identifier twice.
type asking struct {
	c    *Checker
	keys map[string]string
}

// key is the key of a thing, "" of a class or of what cannot be read.
func (b *asking) key(s string) string {
	if k, ok := b.keys[s]; ok {
		return k
	}
	id, err := gs1.Parse(s)
	k := ""
	if (err == nil || gs1.IsCheckDigit(err)) && !id.IsClass() && id.Kind != gs1.Other {
		k = id.Key()
	}
	b.keys[s] = k
	return k
}

func (b *asking) query(events []*epcis.Event) (q Query) {
	seen := map[string]bool{}
	add := func(list *[]string, s string) {
		if s != "" && !seen[s] {
			seen[s] = true
			*list = append(*list, s)
		}
	}
	for _, e := range events {
		for _, s := range append([]string{e.Parent}, e.EPCs...) {
			add(&q.Things, b.key(s))
			if id, err := b.c.parse(s); err == nil && id.gtin != 0 {
				add(&q.Products, fmt.Sprintf("%014d", id.gtin))
			}
		}
		for _, s := range e.InputEPCs {
			add(&q.Things, b.key(s))
		}
		for _, list := range [...][]epcis.Reference{e.Sources, e.Destinations} {
			if p := reference(list, "owning_party"); p != "" {
				add(&q.Parties, PartyKey(p))
			}
		}
		add(&q.EventIDs, e.EventID)
	}
	return q
}

// filled notes what is known to hold things, so that a shipment of it is whole.
func (b *asking) filled(e *epcis.Event, a *Answer) {
	for _, s := range e.EPCs {
		if a.Things[b.key(s)].Filled {
			if id, err := b.c.parse(s); err == nil {
				b.c.units.at(b.c.units.of(id.hash)).flags |= holdsThings
			}
		}
	}
}

func (b *asking) event(n int, e *epcis.Event, a *Answer) {
	if e.Error != nil {
		return
	}
	c := b.c
	seller := reference(e.Sources, "owning_party")
	sale := e.BizStep == "shipping" && e.Action == epcis.Observe && !isReturn(e)
	things, list := e.EPCs, listOf(e)
	if e.Type == epcis.TransformationEvent {
		things, list = e.InputEPCs, "inputEPCList"
	}
	for i, s := range things {
		k := b.key(s)
		if k == "" {
			continue
		}
		where := at{n, list, i + 1}
		id, err := c.parse(s)
		if err != nil {
			continue
		}
		u := c.units.at(c.units.of(id.hash))
		thing, isKnown := a.Things[k]
		switch {
		case e.Type == epcis.ObjectEvent && e.Action == epcis.Add && makes(e.BizStep):
			c.again(e, s, where, thing)
		case thing.Commissioned.IsZero() && u.commissioned == 0 && e.Action != epcis.Delete:
			c.find("serial-unknown", where, "%s was never commissioned", brief(s))
		}
		if isKnown {
			b.moves(e, s, where, thing, u, sale, seller)
		}
		if id.gtin != 0 {
			if _, asked := c.asked[id.gtin]; !asked {
				c.asked[id.gtin] = struct{}{}
				if gtin := fmt.Sprintf("%014d", id.gtin); !a.Products[gtin] {
					c.find("product-unknown", where, "GTIN %s is of no product that is registered", gtin)
				}
			}
		}
	}
	if sale {
		b.parties(n, e, a)
		for _, holder := range slices.Sorted(maps.Keys(c.holders)) {
			place := c.holders[holder]
			if seller != "" && holder != PartyKey(seller) {
				c.find("sender-not-owner", place, "packed and sold by %s, but held by %s", brief(seller), brief(holder))
				delete(c.holders, holder)
			}
		}
	}
}

// again compares a commissioning with one that is known.
func (c *Checker) again(e *epcis.Event, s string, where at, t Thing) {
	if t.Commissioned.IsZero() {
		return
	}
	made := madeOf(e)
	switch {
	case !t.Decommissioned.IsZero():
		c.find("serial-recommissioned", where, "%s was decommissioned at %s and is commissioned again", brief(s), stamp(t.Decommissioned))
	case made.lot != "" && t.Lot != "" && made.lot != t.Lot:
		c.find("serial-recommissioned", where, "%s was commissioned with lot %s and comes with lot %s", brief(s), brief(t.Lot), brief(made.lot))
	case made.expiry > noExpiry && !t.Expiry.IsZero() && dayOf(made.expiry) != t.Expiry.Format(time.DateOnly):
		c.find("serial-recommissioned", where, "%s was commissioned with expiry %s and comes with %s", brief(s), t.Expiry.Format(time.DateOnly), dayOf(made.expiry))
	default:
		c.find("commissioning-resent", where, "%s was commissioned at %s already", brief(s), stamp(t.Commissioned))
	}
}

// moves checks what happens to a known thing.
func (b *asking) moves(e *epcis.Event, s string, where at, t Thing, u *unit, sale bool, seller string) {
	c := b.c
	exists := e.Type != epcis.AggregationEvent || e.Action == epcis.Add
	if e.Action != epcis.Add || !makes(e.BizStep) || e.Type != epcis.ObjectEvent {
		if !t.Commissioned.IsZero() && e.EventTime.Before(t.Commissioned) {
			c.find("use-before-commissioning", where, "%s is used at %s, but commissioned at %s", brief(s), stamp(e.EventTime), stamp(t.Commissioned))
		}
		if exists && !t.Decommissioned.IsZero() && e.EventTime.After(t.Decommissioned) && e.Action != epcis.Delete {
			c.find("event-after-decommissioning", where, "%s was decommissioned at %s and comes again at %s", brief(s), stamp(t.Decommissioned), stamp(e.EventTime))
		}
	}
	packs := e.Type == epcis.AggregationEvent && e.Action == epcis.Add
	if packs && t.Parent != "" && t.Parent != b.key(e.Parent) && u.flags&wasUnpacked == 0 && !b.emptiedHere(t.Parent) {
		c.find("double-parent", where, "%s is put into a second container; it is in %s", brief(s), brief(t.Parent))
	}
	if packs && t.Holder != "" {
		if c.holders == nil {
			c.holders = map[string]at{}
		}
		if _, ok := c.holders[t.Holder]; !ok && len(c.holders) < manyPackings {
			c.holders[t.Holder] = where
		}
	}
	if !sale && !packs {
		return
	}
	if t.Held != "" {
		c.find("unit-held", where, "%s is held: %s", brief(s), brief(t.Held))
	}
	if !sale {
		return
	}
	if t.Holder != "" && seller != "" && t.Holder != PartyKey(seller) {
		c.find("sender-not-owner", where, "%s is sold by %s, but held by %s", brief(s), brief(seller), brief(t.Holder))
	}
	if !t.Expiry.IsZero() {
		if made := (batch{expiry: day(t.Expiry.Format(time.DateOnly))}); made.expired(clock(e.EventTime)) {
			c.find("ship-expired", where, "%s was shipped after its expiry date, %s", brief(s), t.Expiry.Format(time.DateOnly))
		}
	}
}

// emptiedHere says whether the document takes everything out of a container.
func (b *asking) emptiedHere(key string) bool {
	id, err := gs1.ParseKey(key)
	if err != nil {
		return false
	}
	h := b.c.hash(append(append([]byte{byte(id.Kind)}, id.Number...), id.Serial...))
	n, _ := b.c.units.find(h)
	return n != 0 && len(b.c.emptied[n]) > 0
}

func (b *asking) parties(n int, e *epcis.Event, a *Answer) {
	c := b.c
	for _, side := range [...]struct {
		list string
		refs []epcis.Reference
	}{{"sourceList", e.Sources}, {"destinationList", e.Destinations}} {
		id := reference(side.refs, "owning_party")
		if id == "" {
			continue
		}
		k := PartyKey(id)
		if _, asked := c.askedParty[k]; asked {
			continue
		}
		c.askedParty[k] = struct{}{}
		where := at{event: n, list: side.list}
		switch p, ok := a.Parties[k]; {
		case !ok:
			c.find("partner-unknown", where, "%s is no trading partner", brief(id))
		case !p.Authorized:
			c.find("partner-not-authorized", where, "%s may not trade: %s", brief(id), brief(p.Reason))
		}
	}
}
