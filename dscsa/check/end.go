package check

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// end checks what needs the whole document.
func (c *Checker) end() {
	if c.doc == nil {
		c.doc = &epcis.Document{}
	}
	for _, f := range c.doc.Faults {
		c.fault(f, 0)
	}
	c.header()
	c.doubles()
	c.strays()
	c.confirm()
	if c.broken {
		return // what is missing may be in what could not be read
	}
	c.uncommissioned()
	c.reships()
	c.contents()
	c.transactions()
}

// versions are those of the standard that a format was published for.
var versions = map[epcis.Format][]string{
	epcis.XML12:  {"1", "1.0", "1.1", "1.2"},
	epcis.XML20:  {"2", "2.0", "2.0.0", "2.0.1"},
	epcis.JSON20: {"2", "2.0", "2.0.0", "2.0.1"},
}

// header checks the document around the events.
func (c *Checker) header() {
	d := c.doc
	where := at{list: "header"}
	if c.future(d.CreationDate) {
		c.find("event-time-future", where, "the document was made at %s, which has not come yet", stamp(d.CreationDate))
	}
	if v, ok := versions[d.Format]; ok && d.SchemaVersion != "" && !slices.Contains(v, d.SchemaVersion) && c.tallies["schema-version"] == nil {
		c.find("schema-version", at{list: "document"}, "there is no EPCIS %s of this namespace: schemaVersion is one of %s", brief(d.SchemaVersion), strings.Join(v, ", "))
	}
	c.fields(d.HeaderFields, where)
	c.fields(d.Extensions, where)
	if h := d.Header; h != nil {
		c.fields(h.Fields, where)
		c.text(h.InstanceIdentifier, where)
		for _, p := range h.Sender {
			c.party(p)
		}
		for _, p := range h.Receiver {
			c.party(p)
		}
	}
	for i := range d.MasterData {
		c.vocabulary(&d.MasterData[i])
	}
}

// party checks who sends or receives: a GLN in digits, or a URI.
func (c *Checker) party(p epcis.Party) {
	where := at{list: "header"}
	id := strings.TrimSpace(p.ID)
	switch {
	case id != "" && strings.Trim(id, "0123456789") == "":
		c.gln(id, where)
	case strings.EqualFold(p.Authority, "GLN") && bare(id):
		c.gln(id, where)
	case bare(id):
		c.text(id, where)
		if id != "" && (p.Authority == "" || strings.EqualFold(p.Authority, "GS1") || strings.EqualFold(p.Authority, "SGLN")) {
			c.find("place-form", where, "%q is no identifier of GS1: write a GLN or its URN, urn:epc:id:sgln:…", brief(id))
		}
	default:
		c.place(id, where)
	}
}

// vocabulary checks master data of one type.
func (c *Checker) vocabulary(v *epcis.Vocabulary) {
	where := at{list: "master data"}
	seen := map[string]*epcis.Element{}
	for i := range v.Elements {
		e := &v.Elements[i]
		if id, err := gs1.Parse(e.ID); err != nil && !gs1.IsCheckDigit(err) {
			c.find("master-data-id", where, "%s", detailOf(err))
		} else if isDrug(number(id.GTIN())) {
			c.drug = true
		}
		if before := seen[e.ID]; before != nil {
			for j := range e.Attributes {
				a, b := &e.Attributes[j], attributeNamed(before, localName(e.Attributes[j].ID))
				if b != nil && strings.TrimSpace(b.Value) != strings.TrimSpace(a.Value) {
					c.find("master-data-conflict", where, "%s of %s is %q and %q", localName(a.ID), brief(e.ID), brief(b.Value), brief(a.Value))
				}
			}
		}
		seen[e.ID] = e
		for j := range e.Attributes {
			a := &e.Attributes[j]
			c.text(a.Value, where)
			c.fields(a.Fields, where)
		}
	}
}

// localName is the name of an attribute without its namespace.
func localName(id string) string { return id[strings.LastIndexAny(id, "#:/")+1:] }

func attributeNamed(e *epcis.Element, local string) *epcis.Attribute {
	for i := range e.Attributes {
		if localName(e.Attributes[i].ID) == local {
			return &e.Attributes[i]
		}
	}
	return nil
}

func attributeText(e *epcis.Element, local string) string {
	if a := attributeNamed(e, local); a != nil {
		return strings.TrimSpace(a.Value)
	}
	return ""
}

// uncommissioned checks that a document which tells where its things come from
// does so for each: GS1 US choreography, commissioning before anything else.
func (c *Checker) uncommissioned() {
	for _, p := range c.packed {
		if c.units.at(p.parent).commissioned == 0 && c.units.at(p.child).commissioned != 0 {
			c.find("commissioning-missing", at{event: p.event, list: "parentID"}, "%s is filled with things commissioned here, but is not commissioned itself", brief(p.epc))
		}
	}
	missing := map[uint16]int{}
	for n := uint32(1); n < c.units.n; n++ {
		u := c.units.at(n)
		if u.class != 0 && u.commissioned == 0 && u.last != 0 && c.classes[u.class].commissioned {
			missing[u.class]++
		}
	}
	for class := 1; len(missing) > 0 && class < len(c.classes); class++ {
		if n := missing[uint16(class)]; n > 0 {
			c.find("commissioning-missing", at{list: "document"}, "%d serials of GTIN %014d are used but not commissioned here, while others of it are", n, c.classes[class].gtin)
		}
	}
}

// contents checks what is inside the things that were shipped.
func (c *Checker) contents() {
	for _, p := range c.opaque {
		if c.units.at(p.parent).flags&holdsThings == 0 {
			c.find("packages-unknown", at{event: p.event, list: "epcList"}, "nothing in the document says what is inside %s", brief(p.epc))
		}
	}
	c.lateComers()
	latest := uint32(0)
	for _, s := range c.shipments {
		latest = max(latest, s.at)
	}
	if !slices.ContainsFunc(c.batches, func(b batch) bool { return b.expired(latest) }) {
		return
	}
	type lateLot struct {
		batch uint32
		event int
	}
	late := map[lateLot]int{}
	for n := uint32(1); n < c.units.n; n++ {
		number := c.units.at(n).batch
		b := &c.batches[number]
		if b.expiry <= noExpiry {
			continue
		}
		for root, depth := n, 0; root != 0 && depth < 100; root, depth = c.units.at(root).parent, depth+1 {
			if s := c.shipments[c.units.at(root).shipment]; s.sale && b.expired(s.at) {
				late[lateLot{number, s.event}]++
				break
			}
		}
	}
	lots := slices.SortedFunc(maps.Keys(late), func(a, b lateLot) int {
		return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(a.batch, b.batch))
	})
	for _, l := range lots {
		b := &c.batches[l.batch]
		c.find("ship-expired", at{event: l.event, list: "epcList"}, "%d things of lot %s were shipped after their expiry date, %s", late[l], brief(b.lot), dayOf(b.expiry))
	}
}

// lateComers finds what was put into a container after that was shipped.
func (c *Checker) lateComers() {
	if len(c.shipments) == 1 {
		return
	}
	late := map[int]int{}
	for n := uint32(1); n < c.units.n; n++ {
		u := c.units.at(n)
		if u.parent == 0 {
			continue
		}
		s := c.shipments[c.units.at(u.parent).shipment]
		arrived := func(t uint32) bool { return t >= s.at && t <= u.moved }
		if s.sale && u.moved > s.at && !slices.ContainsFunc(c.received[u.parent], arrived) {
			late[s.event]++
		}
	}
	for _, event := range slices.Sorted(maps.Keys(late)) {
		c.find("packed-after-shipping", at{event: event, list: "epcList"}, "%d things were put into what was shipped, later than it was shipped", late[event])
	}
}
