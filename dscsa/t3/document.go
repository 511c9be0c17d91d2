package t3

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

const (
	healthcare = "http://epcis.gs1us.org/hc/ns" // of GS1 US, for what the law adds
	masterData = "urn:epcglobal:cbv:mda"
	itemClass  = "urn:epcglobal:epcis:vtype:EPCClass"
	location   = "urn:epcglobal:epcis:vtype:Location"

	guideline = "GS1 US DSCSA R1.3"
	notice    = "Seller has complied with each applicable subsection of FDCA Sec. 581(27)(A)-(G)."
)

// Document is the header of the transaction's document: master data and the
// transaction statement (360eee(27)).
func (f *Facts) Document() *epcis.Document {
	return &epcis.Document{
		Root: "EPCISDocument", CreationDate: f.At.UTC(), ID: f.eventID("document"),
		Namespaces: []epcis.Namespace{{Prefix: "gs1ushc", URI: healthcare}, {Prefix: "cbvmda", URI: masterData}},
		Header: &epcis.BusinessHeader{
			Sender:             []epcis.Party{{Authority: "GS1", ID: place(f.Seller.GLN)}},
			Receiver:           []epcis.Party{{Authority: "GS1", ID: place(f.Buyer.GLN)}},
			InstanceIdentifier: f.Transfer, CreatedAt: f.At.UTC(),
		},
		MasterData: []epcis.Vocabulary{{Type: itemClass, Elements: f.products()}, {Type: location, Elements: f.places()}},
		HeaderFields: []epcis.Field{
			text("guidelineVersion", guideline),
			{Name: hc("dscsaTransactionStatement"), Children: []epcis.Field{
				{Name: hc("affirmTransactionStatement"), Value: "true", Kind: epcis.Boolean}, text("legalNotice", notice),
			}},
		},
	}
}

// Events are the events of the document in the order in which they happened.
func (f *Facts) Events() []*epcis.Event {
	var out []*epcis.Event
	out = append(out, f.commissioned()...)
	out = append(out, f.packed()...)
	if f.WithHistory {
		for i, h := range f.History {
			out = append(out, f.sale("history "+strconv.Itoa(i), h.At, h.Seller, h.Buyer, h.Seller.GLN, h.Buyer.GLN, h.EPCs))
		}
	}
	return append(out, f.Shipping())
}

// Shipping is the event of this change of ownership.
func (f *Facts) Shipping() *epcis.Event {
	e := f.sale("shipping", f.At, f.Seller, f.Buyer, f.ShipFrom, f.ShipTo, f.Shipped)
	e.BizTransactions = []epcis.Reference{
		{Type: "po", ID: "urn:epcglobal:cbv:bt:" + f.Buyer.GLN + ":" + escape(f.OrderRef)},
		{Type: "desadv", ID: "urn:epcglobal:cbv:bt:" + f.Seller.GLN + ":" + escape(f.Transfer)},
	}
	if f.Return {
		e.BizTransactions[0] = epcis.Reference{Type: "rma", ID: "urn:epcglobal:cbv:bt:" + f.Buyer.GLN + ":" + escape(f.OrderRef)}
	}
	switch how, indirect := f.Direct(); {
	case how != NotDirect:
		direct := epcis.Field{Name: hc("directPurchase"), Attrs: []epcis.Field{{Name: epcis.Name{Local: "qualifier"}, Value: string(how)}}}
		direct.Children = append(direct.Children, text("directPurchaseStatement", f.Seller.Name+
			" purchased the product directly from the manufacturer, exclusive distributor of the manufacturer, or a repackager that purchased directly from the manufacturer."))
		if len(indirect) > 0 {
			list := epcis.Field{Name: hc("indirectPurchaseEPCs")}
			for _, epc := range indirect {
				list.Children = append(list.Children, text("epc", epc))
			}
			direct.Children = append(direct.Children, list)
		}
		e.Extensions = append(e.Extensions, direct)
	case f.ToldDirect():
		e.Extensions = append(e.Extensions, epcis.Field{Name: hc("receivedDirectPurchaseFromPrevWhlsDist"), Value: "true", Kind: epcis.Boolean})
	}
	e.Extensions = append(e.Extensions, epcis.Field{Name: hc("dropShipment"), Value: "false", Kind: epcis.Boolean})
	return e
}

// Receiving is the event of the buyer's receipt of things, named by canonical
// keys; nil when nothing came.
func (f *Facts) Receiving(keys []string, at time.Time) *epcis.Event {
	if len(keys) == 0 {
		return nil
	}
	e := f.sale("receiving", at, f.Seller, f.Buyer, f.ShipTo, f.ShipTo, nil)
	for _, key := range keys {
		e.EPCs = append(e.EPCs, EPC(key))
	}
	e.BizStep, e.Disposition, e.BizLocation = "receiving", "in_progress", somewhere(f.ShipTo)
	e.Sources[1].ID = place(f.ShipFrom)
	return e
}

// sale is a shipping event that changes the owner.
func (f *Facts) sale(name string, at time.Time, seller, buyer Party, from, to string, epcs []string) *epcis.Event {
	return &epcis.Event{
		Type: epcis.ObjectEvent, EventTime: at.UTC(), Zone: "+00:00", EventID: f.eventID(name),
		Action: epcis.Observe, BizStep: "shipping", Disposition: "in_transit", EPCs: slices.Clone(epcs),
		ReadPoint:    epcis.Place{ID: place(from)},
		Sources:      []epcis.Reference{{Type: "owning_party", ID: place(seller.GLN)}, {Type: "location", ID: place(from)}},
		Destinations: []epcis.Reference{{Type: "owning_party", ID: place(buyer.GLN)}, {Type: "location", ID: place(to)}},
	}
}

// commissioned are the events that say lot and expiry: one for what came to be
// at one moment, in one place, with one lot and expiry.
func (f *Facts) commissioned() []*epcis.Event {
	type batch struct{ gtin, lot, expiry, at, when string }
	batches := map[batch][]Unit{}
	for _, u := range f.Units {
		b := batch{u.GTIN, u.Lot, u.Expiry, u.At, u.Commissioned.UTC().Format(time.RFC3339Nano)}
		batches[b] = append(batches[b], u)
	}
	keys := slices.SortedFunc(maps.Keys(batches), func(a, b batch) int {
		return cmp.Or(cmp.Compare(a.when, b.when), cmp.Compare(a.gtin, b.gtin), cmp.Compare(a.lot, b.lot), cmp.Compare(a.expiry, b.expiry), cmp.Compare(a.at, b.at))
	})
	var out []*epcis.Event
	for i, key := range keys {
		units := batches[key]
		e := &epcis.Event{
			Type: epcis.ObjectEvent, EventTime: units[0].Commissioned.UTC(), Zone: "+00:00", EventID: f.eventID("commissioning " + strconv.Itoa(i)),
			Action: epcis.Add, BizStep: "commissioning", Disposition: "active", ReadPoint: somewhere(key.at), BizLocation: somewhere(key.at),
			ILMD: []epcis.Field{
				{Name: epcis.Name{Space: masterData, Local: "lotNumber"}, Value: key.lot},
				{Name: epcis.Name{Space: masterData, Local: "itemExpirationDate"}, Value: key.expiry},
			},
		}
		for _, u := range units {
			e.EPCs = append(e.EPCs, u.EPC)
		}
		slices.Sort(e.EPCs)
		out = append(out, e)
	}
	return append(out, f.commissionedContainers()...)
}

// commissionedContainers: a container is first in a commissioning event too
// (GS1 US choreography).
func (f *Facts) commissionedContainers() []*epcis.Event {
	var out []*epcis.Event
	for i, c := range f.inOrder() {
		out = append(out, &epcis.Event{
			Type: epcis.ObjectEvent, EventTime: c.Packed.UTC(), Zone: "+00:00", EventID: f.eventID("container " + strconv.Itoa(i)),
			Action: epcis.Add, BizStep: "commissioning", Disposition: "active", EPCs: []string{c.EPC},
			ReadPoint: somewhere(c.At), BizLocation: somewhere(c.At),
		})
	}
	return out
}

// packed is one event a container, the inner ones first.
func (f *Facts) packed() []*epcis.Event {
	children := map[string][]string{}
	for _, u := range f.Units {
		children[u.Parent] = append(children[u.Parent], u.EPC)
	}
	for _, c := range f.Containers {
		children[c.Parent] = append(children[c.Parent], c.EPC)
	}
	var out []*epcis.Event
	for i, c := range f.inOrder() {
		inside := slices.Sorted(slices.Values(children[c.EPC]))
		out = append(out, &epcis.Event{
			Type: epcis.AggregationEvent, EventTime: c.Packed.UTC(), Zone: "+00:00", EventID: f.eventID("packing " + strconv.Itoa(i)),
			Action: epcis.Add, BizStep: "packing", Disposition: "in_progress", Parent: c.EPC, EPCs: inside,
			ReadPoint: somewhere(c.At), BizLocation: somewhere(c.At),
		})
	}
	return out
}

// inOrder lists the containers by time, inner ones before what holds them.
func (f *Facts) inOrder() []Container {
	parent := map[string]string{}
	for _, c := range f.Containers {
		parent[c.EPC] = c.Parent
	}
	depth := func(epc string) (n int) {
		for n < len(f.Containers) && parent[epc] != "" { // a cycle ends too
			epc = parent[epc]
			n++
		}
		return n
	}
	out := slices.Clone(f.Containers)
	slices.SortFunc(out, func(a, b Container) int {
		return cmp.Or(depth(b.EPC)-depth(a.EPC), a.Packed.Compare(b.Packed), cmp.Compare(a.EPC, b.EPC))
	})
	return out
}

func (f *Facts) products() []epcis.Element {
	var out []epcis.Element
	for _, p := range slices.SortedFunc(slices.Values(f.Products), func(a, b dscsa.Product) int { return cmp.Compare(a.GTIN, b.GTIN) }) {
		out = append(out, epcis.Element{ID: pattern(p.GTIN), Attributes: []epcis.Attribute{
			fact("additionalTradeItemIdentification", p.NDC), fact("additionalTradeItemIdentificationTypeCode", "US_FDA_NDC"),
			fact("regulatedProductName", p.Name), fact("manufacturerOfTradeItemPartyName", p.Manufacturer),
			fact("dosageFormType", p.DosageForm), fact("strengthDescription", p.Strength), fact("netContentDescription", p.ContainerSize),
		}})
	}
	return out
}

// pattern names all packages of a product.
func pattern(gtin string) string {
	urn, ok := gs1.ID{Kind: gs1.GTIN, Number: gtin}.URN()
	if !ok {
		return gs1.ID{Kind: gs1.GTIN, Number: gtin}.DigitalLink()
	}
	return urn
}

// places are the parties, and the locations where they are others. A location
// of a party has its address until it has one of its own.
func (f *Facts) places() []epcis.Element {
	all := map[string]Party{f.ShipFrom: f.Seller, f.ShipTo: f.Buyer}
	if f.WithHistory {
		for _, h := range f.History {
			all[h.Seller.GLN], all[h.Buyer.GLN] = h.Seller, h.Buyer
		}
	}
	all[f.Seller.GLN], all[f.Buyer.GLN] = f.Seller, f.Buyer
	var out []epcis.Element
	for _, gln := range slices.Sorted(maps.Keys(all)) {
		p := all[gln]
		out = append(out, epcis.Element{ID: place(gln), Attributes: []epcis.Attribute{
			fact("name", p.Name), fact("streetAddressOne", p.Address.Street), fact("city", p.Address.City), fact("state", p.Address.State),
			fact("postalCode", p.Address.PostalCode), fact("countryCode", p.Address.Country),
		}})
	}
	return out
}

// names of the events of a document come from the transfer's.
var eventSpace = uuid.MustParse("5b0ad1a3-5c0e-4b0e-8a3e-3f6f5b9d6c21")

func (f *Facts) eventID(name string) string {
	return "urn:uuid:" + uuid.NewSHA1(eventSpace, []byte(f.Transfer+" "+name)).String()
}

func hc(local string) epcis.Name { return epcis.Name{Space: healthcare, Local: local} }

func text(local, value string) epcis.Field { return epcis.Field{Name: hc(local), Value: value} }

func fact(name, value string) epcis.Attribute {
	return epcis.Attribute{ID: masterData + "#" + name, Value: value}
}

// place is a GLN as an EPC URI.
func place(gln string) string {
	if len(gln) != 13 {
		return ""
	}
	return EPC("414/" + gln)
}

// EPC is the EPC URI of a thing's or a place's canonical key. How much of an
// SSCC or a GLN is the company's prefix is not known, and every length names the
// same: an SSCC is written as a US drug company's, and a GLN as twelve digits
// with an empty location reference (GS1 TDS).
func EPC(key string) string {
	id, err := gs1.ParseKey(key)
	if err != nil {
		return key
	}
	switch {
	case id.Kind == gs1.SSCC && id.Prefix == 0:
		id.Prefix = 7
	case id.Kind == gs1.SGLN:
		id.Prefix = 12
	}
	if urn, ok := id.URN(); ok {
		return urn
	}
	return id.DigitalLink()
}

func somewhere(gln string) epcis.Place { return epcis.Place{ID: place(gln)} }

// escape keeps a reference in one piece of a business transaction's URI.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("-._", c) >= 0:
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
