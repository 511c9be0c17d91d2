package check

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Options of a Checker.
type Options struct {
	// Now is when the document is checked: what happens later than it, by more
	// than ten minutes of wrong clocks, has not happened. Zero: any time will do.
	Now time.Time
	// PerRule is how many breaches of one rule are described; the others are
	// counted. 0: 20.
	PerRule int
}

// Checker checks one document. See the package comment.
type Checker struct {
	now     time.Time
	perRule int
	seed    maphash.Seed

	doc    *epcis.Document
	n      int // events so far
	byType map[epcis.EventType]int
	ended  bool

	broken  bool // not all of the document could be read
	refused bool // the fault at hand is why the reader refused the event

	tallies       map[string]*tally
	refusedEvents map[int]struct{} // that a rule rejects; 0: the document as such
	found         []found

	// Identifiers.
	places     map[string]struct{}
	lastPlaces [4]string
	lastItems  [4]article
	rare       bool    // an identifier of the event at hand is not spelled as nearly all are
	ids        []ident // of the event at hand
	nums       []uint32
	sorted     []uint64
	seen       []uint64

	// Things and what happened to them.
	units       table
	classes     []class
	classOf     map[uint64]uint16
	batches     []batch
	batchOf     map[batch]uint32
	lotExpiry   map[lotOf]int32
	lastMade    batch
	lastBatch   uint32
	lastLot     lotOf // the last one checked, with
	lastExpiry  int32
	suspects    map[uint32]*suspect
	unpacked    map[uint32]loose    // the first time a thing was taken out of what it was not seen in
	emptied     map[uint32][]uint32 // container: when all was taken out of it
	gone        map[uint32]uint32   // when things were decommissioned
	declaredAt  map[uint32][]uint32 // thing: the times of events about it that were declared wrong
	maybes      []maybe
	twice       map[uint32]struct{} // things that seem to be commissioned twice
	texts       map[string]string   // see intern
	shipments   []shipment
	anyBad      bool                // something has isBad
	reshipped   map[uint32][]uint32 // thing: its shipments before the last
	received    map[uint32][]uint32 // thing: when it was received, or its shipment voided
	packed      []packing
	opaque      []packing         // logistic units that were sold; parent is the unit
	firstInCase map[uint32]uint32 // case: the first unit found in it
	lastCase    [2]uint32         // the last case that was asked for, and its first unit

	// Events by their content.
	events   map[uint64]seenEvent // by hash of the event ID
	declared map[uint64]struct{}  // content of events declared wrong

	// Evidence and facts for the rules of the DSCSA.
	drug       bool // a GTIN of the range of US drugs
	usElements bool // an element of the GS1 US namespace
	r13        bool // the shipping event is written by R1.3
	r12        bool // … by R1.2
	transfers  int
	firstSale  int // event
	// senderSells: who sends the document has a part in one of the sales, or
	// cannot be compared.
	senderSells bool
	parties     map[string]int
	asked       map[uint64]struct{} // products Against has asked for
	askedParty  map[string]struct{}
	holders     map[string]at // who holds what was packed, and where that was
}

// New starts a document.
func New(o Options) *Checker {
	if o.PerRule == 0 {
		o.PerRule = 20
	}
	return &Checker{
		now: o.Now, perRule: o.PerRule, seed: maphash.MakeSeed(),
		byType: map[epcis.EventType]int{}, tallies: map[string]*tally{}, refusedEvents: map[int]struct{}{},
		places: map[string]struct{}{},
		units:  newTable(), classes: make([]class, 1), classOf: map[uint64]uint16{},
		batches: make([]batch, 1), batchOf: map[batch]uint32{}, lotExpiry: map[lotOf]int32{},
		suspects: map[uint32]*suspect{}, unpacked: map[uint32]loose{}, emptied: map[uint32][]uint32{},
		gone: map[uint32]uint32{}, twice: map[uint32]struct{}{}, texts: map[string]string{}, declaredAt: map[uint32][]uint32{}, shipments: make([]shipment, 1),
		reshipped: map[uint32][]uint32{}, received: map[uint32][]uint32{}, firstInCase: map[uint32]uint32{},
		events: map[uint64]seenEvent{}, declared: map[uint64]struct{}{},
		parties: map[string]int{}, asked: map[uint64]struct{}{}, askedParty: map[string]struct{}{},
	}
}

// Document takes the header. The last call before Report counts, so it can be
// called again when a reader learns more.
func (c *Checker) Document(d *epcis.Document) { c.doc = d }

// Fault takes what a reader noticed, of a document or an event it may not even
// have been able to hand on.
func (c *Checker) Fault(f epcis.Fault) { c.fault(f, 0) }

func (c *Checker) fault(f epcis.Fault, event int) {
	rule := f.Rule
	if rule == "unknown-word" && !c.refused { // of a type, not of a step
		rule = "reference-type-unknown"
	}
	if _, ok := byName[rule]; !ok {
		rule = "malformed"
	}
	if c.more(rule, event) {
		c.keep(rule, event, f.Where, f.Message)
	}
}

// Event checks the next event and remembers what later ones need. It keeps
// nothing of e.
func (c *Checker) Event(e *epcis.Event) {
	c.n++
	c.byType[e.Type]++
	for i := range e.Faults {
		c.fault(e.Faults[i], c.n)
	}
	c.form(e)
	c.times(e)
	c.words(e)
	c.values(e)
	c.things(e)
	c.happen(e)
}

func (c *Checker) here(list string) at { return at{event: c.n, list: list} }

// things reads the identifiers of an event into c.ids: the parent first, then
// the EPCs, in the order that happen expects.
func (c *Checker) things(e *epcis.Event) {
	c.place(e.ReadPoint.ID, c.here("readPoint"))
	c.place(e.BizLocation.ID, c.here("bizLocation"))
	c.ids, c.rare = c.ids[:0], false
	if e.Parent != "" {
		c.ids = append(c.ids, c.parent(e))
	} else {
		c.ids = append(c.ids, ident{})
	}
	list := "epcList"
	if e.Type == epcis.AggregationEvent || e.Type == epcis.AssociationEvent {
		list = "childEPCs"
	}
	c.list(e.EPCs, list)
	c.list(e.InputEPCs, "inputEPCList")
	c.list(e.OutputEPCs, "outputEPCList")
	c.quantities(e.Quantities, "quantityList")
	c.quantities(e.InputQuantities, "inputQuantityList")
	c.quantities(e.OutputQuantities, "outputQuantityList")
}

// parent reads parentID. A transaction may hang on anything, and things are
// associated with places as well.
func (c *Checker) parent(e *epcis.Event) ident {
	where := c.here("parentID")
	if e.Type == epcis.AggregationEvent {
		return c.thing(e.Parent, where, false)
	}
	id, err := c.parse(e.Parent)
	if err != nil {
		c.find(ruleOf(err), where, "%s", detailOf(err))
	}
	return id
}

func (c *Checker) list(epcs []string, name string) {
	for i, s := range epcs {
		where := at{c.n, name, i + 1}
		c.ids = append(c.ids, c.thing(s, where, false))
	}
	c.repeated(epcs, name)
}

// repeated finds things that stand twice in the list that was just read.
func (c *Checker) repeated(epcs []string, name string) {
	if len(epcs) < 2 {
		return
	}
	ids := c.ids[len(c.ids)-len(epcs):]
	if len(ids) <= 8 { // most lists: a case and less
		for i := range ids {
			for j := range ids[:i] {
				if ids[i].hash != 0 && ids[i].hash == ids[j].hash {
					c.find("epc-repeated", at{c.n, name, i + 1}, "%s stands twice in the list", brief(epcs[i]))
				}
			}
		}
		return
	}
	if !c.twins(ids) {
		return
	}
	c.sorted = c.sorted[:0]
	for i := range ids {
		c.sorted = append(c.sorted, ids[i].hash)
	}
	slices.Sort(c.sorted)
	for i := 1; i < len(c.sorted); i++ {
		if h := c.sorted[i]; h != 0 && h == c.sorted[i-1] {
			n := slices.IndexFunc(ids, func(id ident) bool { return id.hash == h })
			c.find("epc-repeated", at{c.n, name, n + 1}, "%s stands twice in the list", brief(epcs[n]))
		}
	}
}

// twins says whether two of the things are the same, without sorting them: in
// c.seen each takes a place told by its hash, or the next free one.
func (c *Checker) twins(ids []ident) bool {
	size := 1 << bits.Len(uint(2*len(ids)))
	if len(c.seen) < size {
		c.seen = make([]uint64, size)
	}
	seen := c.seen[:size]
	clear(seen)
	for i := range ids {
		h := ids[i].hash
		at := int(h>>32) & (size - 1)
		for ; seen[at] != 0; at = (at + 1) & (size - 1) {
			if seen[at] == h {
				return true
			}
		}
		seen[at] = h
	}
	return false
}

// intern gives the text that is kept for s: an event, whose memory s may be part
// of, is not. Parties come again and again.
func (c *Checker) intern(s string) string {
	if kept, ok := c.texts[s]; ok {
		return kept
	}
	if len(c.texts) >= manyPlaces {
		clear(c.texts)
	}
	s = strings.Clone(s)
	c.texts[s] = s
	return s
}
