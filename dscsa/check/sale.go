package check

import (
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

const manyParties = 10_000

// sale notes a shipment that changes the owner. Whether the DSCSA applies is
// known at the end.
func (c *Checker) sale(e *epcis.Event, seller, buyer string) {
	c.transfers++
	if c.firstSale == 0 {
		c.firstSale = c.n
	}
	if seller == "" {
		c.find("seller-missing", c.here("sourceList"), "the shipment names no owning_party as source: who sells?")
	}
	if buyer == "" {
		c.find("buyer-missing", c.here("destinationList"), "the shipment names no owning_party as destination: who buys?")
	}
	c.oneOwner(e.Sources, "sourceList", "sells")
	c.oneOwner(e.Destinations, "destinationList", "buys")
	for _, party := range [...]string{seller, buyer} {
		if _, seen := c.parties[party]; party != "" && !seen && len(c.parties) < manyParties {
			c.parties[strings.Clone(party)] = c.n
		}
	}
	if !c.senderSells {
		c.seller(e)
	}
	if reference(e.Sources, "location") == "" || reference(e.Destinations, "location") == "" {
		c.find("location-missing", c.here("sourceList"), "the shipment does not name the locations it leaves and goes to")
	}
	if e.BizLocation.ID != "" {
		c.find("shipping-location", c.here("bizLocation"), "goods under way are at no business location: leave it out of shipping events")
	}
	if reference(e.BizTransactions, "po") == "" && reference(e.BizTransactions, "desadv") == "" && reference(e.BizTransactions, "inv") == "" {
		c.find("order-missing", c.here("bizTransactionList"), "the shipment names no purchase order, despatch advice or invoice")
	}
	if unsaleable(e.Disposition) {
		c.find("ship-held", c.here("disposition"), "goods that are %s are not sold", e.Disposition)
	}
	serials := false
	for i := range c.ids[1:] {
		serials = serials || c.ids[1+i].hash != 0
	}
	if !serials && len(e.Quantities) > 0 {
		c.find("packages-not-serialised", c.here("quantityList"), "the shipment names quantities only: the product identifier of each package is due")
	}
	c.guideline(e)
}

// oneOwner checks that a sale does not name two sellers or two buyers.
func (c *Checker) oneOwner(parties []epcis.Reference, list, does string) {
	first := ""
	for i := range parties {
		p := &parties[i]
		switch {
		case p.Type != "owning_party" || p.ID == "":
		case first == "":
			first = p.ID
		case PartyKey(first) != PartyKey(p.ID):
			c.find("owner-ambiguous", at{c.n, list, i + 1}, "%s and %s are both owning_party: who %s?", brief(first), brief(p.ID), does)
		}
	}
}

// seller notes whether who sends the document has a part in the sale: as
// owner, or as the warehouse the goods leave. Companies have many GLNs under
// one prefix, so seven digits in common are enough.
func (c *Checker) seller(e *epcis.Event) {
	if c.doc == nil || c.doc.Header == nil {
		return
	}
	c.senderSells = len(e.Sources) == 0 // nobody sells: reported already
	for _, p := range c.doc.Header.Sender {
		sender := PartyKey(strings.TrimSpace(p.ID))
		for _, s := range e.Sources {
			k := PartyKey(s.ID)
			c.senderSells = c.senderSells || !gs1.ValidGLN(sender) || !gs1.ValidGLN(k) || k[:7] == sender[:7]
		}
	}
}

// guideline reads what the GS1 US guideline adds to a shipping event: some
// partners put it into the event, some into its extension element.
func (c *Checker) guideline(e *epcis.Event) {
	where := c.here("extension")
	switch f := usField(e.Extensions, "dropShipment"); {
	case f == nil:
		c.find("drop-shipment-missing", where, "R1.3 wants gs1ushc:dropShipment, true or false")
	case !isBoolean(value(f)):
		c.r13 = true
		c.find("drop-shipment-form", where, "gs1ushc:dropShipment is %q: write true or false", brief(value(f)))
	default:
		c.r13 = true
		if isTrue(value(f)) {
			c.find("drop-shipment", where, "a drop shipment: the goods do not pass through who sells them")
		}
	}
	direct := usField(e.Extensions, "directPurchase")
	if direct == nil {
		return
	}
	qualifier := attribute(direct, "qualifier")
	if qualifier == nil {
		if isBoolean(value(direct)) {
			c.r12 = true
		} else {
			c.find("direct-purchase-form", where, "gs1ushc:directPurchase is neither true or false nor has a qualifier")
		}
		return
	}
	c.r13 = true
	switch q := value(qualifier); q {
	case "ENTIRELY_DIRECT":
	case "PARTIALLY_DIRECT":
		if l := usField(direct.Children, "indirectPurchaseEPCs"); l == nil || len(l.Children) == 0 && value(l) == "" {
			c.find("indirect-packages-missing", where, "PARTIALLY_DIRECT without gs1ushc:indirectPurchaseEPCs: which packages were not bought directly?")
		}
	default:
		c.find("direct-purchase-form", where, "the qualifier of directPurchase is %q: ENTIRELY_DIRECT or PARTIALLY_DIRECT", brief(q))
	}
	if value(usField(direct.Children, "directPurchaseStatement")) == "" {
		c.find("direct-purchase-statement-missing", where, "a direct purchase is claimed without gs1ushc:directPurchaseStatement")
	}
}

// usField finds an element by its name, also inside an extension element.
func usField(fields []epcis.Field, local string) *epcis.Field {
	for i := range fields {
		f := &fields[i]
		if f.Name.Local == local && (f.Name.Space == "" || isGS1US(f.Name.Space)) {
			return f
		}
		if f.Name.Space == "" && f.Name.Local == "extension" {
			if inner := usField(f.Children, local); inner != nil {
				return inner
			}
		}
	}
	return nil
}

// attribute finds an attribute; JSON writes it as a member.
func attribute(f *epcis.Field, local string) *epcis.Field {
	if a := field(f.Attrs, local); a != nil {
		return a
	}
	return field(f.Children, local)
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }

func isBoolean(s string) bool { return isTrue(s) || s == "0" || strings.EqualFold(s, "false") }
