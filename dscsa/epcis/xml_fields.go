package epcis

import (
	"fmt"
	"slices"
	"strings"
)

// The functions here take one element of an event; c is its node.

// leaf is the text of an element that has nothing but text.
func (x *xmlReader) leaf(c uint32) string {
	if n := &x.nodes[c]; n.attrs > 0 {
		x.checkAttributes(n, "")
	}
	return x.textOnly(c)
}

// textOnly is the text of an element that may have attributes.
func (x *xmlReader) textOnly(c uint32) string {
	n := &x.nodes[c]
	if n.next > c+1 {
		x.refuse(RuleUnknownElement, clip(n.name.local), fmt.Sprintf("<%s> within %s, which has text only", clip(x.nodes[c+1].name.raw), clip(n.name.local)))
	}
	return x.textOf(n)
}

// noText refuses text in an element that has elements only.
func (x *xmlReader) noText(n *node) {
	if n.text.n > 0 {
		x.refuse(RuleText, clip(n.name.local), fmt.Sprintf("the text %q is within no element", clip(x.textOf(n))))
	}
}

// container looks at an element that has elements only.
func (x *xmlReader) container(n *node) {
	x.noText(n)
	if n.attrs > 0 {
		x.checkAttributes(n, "")
	}
}

// checkAttributes notes attributes that mean nothing here, but those that XML
// and XML Schema define.
func (x *xmlReader) checkAttributes(n *node, known string) {
	for _, a := range x.attributesOf(n) {
		uri := x.spaces.uris[a.space]
		if uri == instanceURI || uri == xmlURI || a.space == noSpace && a.name.local == known {
			continue
		}
		x.fault(RuleAttribute, clip(n.name.local), fmt.Sprintf("the attribute %s is not known and dropped", clip(a.name.raw)))
	}
}

// stranger refuses an element that does not belong where it is.
func (x *xmlReader) stranger(within, c uint32) {
	n, parent := &x.nodes[c], &x.nodes[within]
	x.refuse(RuleUnknownElement, clip(parent.name.local), fmt.Sprintf("%s has no <%s>", clip(parent.name.local), clip(n.name.raw)))
}

// is tells whether a node is an element of EPCIS.
func (x *xmlReader) is(c uint32, e element) bool {
	n := &x.nodes[c]
	if n.element == e && n.space != noSpace {
		x.noteQualified(n)
	}
	return n.element == e
}

// identifiers takes a list of elements with an identifier each.
func (x *xmlReader) identifiers(at uint32, each element) []string {
	n := &x.nodes[at]
	x.container(n)
	count := x.children(at)
	if count == 0 {
		return nil
	}
	ids := x.takeList(count)
	if ids == nil {
		ids = make([]string, 0, count)
	}
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		if !x.is(c, each) {
			x.stranger(at, c)
			continue
		}
		id := x.leaf(c)
		if id == "" {
			x.fault(RuleEmptyID, fmt.Sprintf("%s[%d]", n.name.local, len(ids)+1), "an empty identifier is dropped")
			continue
		}
		ids = append(ids, id)
	}
	return ids
}

// quantities takes a list of quantityElements.
func (x *xmlReader) quantities(at uint32) []Quantity {
	n := &x.nodes[at]
	x.container(n)
	count := x.children(at)
	if count == 0 {
		return nil
	}
	quantities := make([]Quantity, 0, count)
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		if !x.is(c, quantityElement) {
			x.stranger(at, c)
			continue
		}
		quantities = append(quantities, x.quantity(c, fmt.Sprintf("%s[%d]", n.name.local, len(quantities)+1)))
	}
	return quantities
}

func (x *xmlReader) quantity(at uint32, where string) (q Quantity) {
	x.container(&x.nodes[at])
	for c := at + 1; c < x.nodes[at].next; c = x.nodes[c].next {
		switch {
		case x.is(c, epcClass) && q.Class == "":
			q.Class = x.leaf(c)
		case x.is(c, quantity) && q.Amount == "":
			q.Amount = x.amount(c, where)
		case x.is(c, uom) && q.UOM == "":
			q.UOM = x.leaf(c)
		default:
			x.stranger(at, c)
		}
	}
	if q.Class == "" {
		x.refuse(RuleMissingClass, where, "quantityElement has no epcClass")
	}
	return q
}

// amount takes a decimal of XML Schema. An empty one is none.
func (x *xmlReader) amount(c uint32, where string) string {
	s := x.leaf(c)
	if s != "" && !isDecimal(s) {
		x.refuse(RuleNumber, where, fmt.Sprintf("the quantity %q is no decimal number", clip(s)))
		return ""
	}
	return s
}

func isDecimal(s string) bool {
	digits, points := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.':
			points++
		case i > 0 || c != '-' && c != '+':
			return false
		}
	}
	return digits > 0 && points < 2
}

// quantityOfEvent takes the epcClass or quantity of a QuantityEvent, which has
// one of each.
func (x *xmlReader) quantityOfEvent(c uint32) {
	ev := x.decoding.ev
	if len(ev.Quantities) == 0 {
		ev.Quantities = make([]Quantity, 1)
	}
	if x.nodes[c].element == epcClass {
		ev.Quantities[0].Class = x.leaf(c)
	} else {
		ev.Quantities[0].Amount = x.amount(c, "quantity")
	}
}

// references takes a list of identifiers with a type each.
func (x *xmlReader) references(at uint32, each element, types vocabulary) []Reference {
	n := &x.nodes[at]
	x.container(n)
	count := x.children(at)
	if count == 0 {
		return nil
	}
	references := make([]Reference, 0, count)
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		if !x.is(c, each) {
			x.stranger(at, c)
			continue
		}
		r := &x.nodes[c]
		x.checkAttributes(r, "type")
		ref := Reference{Type: x.word(types, r, x.attributeOf(r, "type")), ID: x.textOnly(c)}
		if ref.ID == "" {
			x.fault(RuleEmptyID, fmt.Sprintf("%s[%d]", n.name.local, len(references)+1), "an empty identifier is dropped")
			continue
		}
		references = append(references, ref)
	}
	return references
}

// place takes a readPoint or bizLocation.
func (x *xmlReader) place(at uint32) (p Place) {
	n := &x.nodes[at]
	x.container(n)
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		if p.ID == "" && x.is(c, id) {
			p.ID = x.leaf(c)
			continue
		}
		p.Extensions = x.extensionField(p.Extensions, at, c, 0)
	}
	if p.ID == "" {
		x.fault(RulePlaceID, n.name.local, "names no place")
	}
	return p
}

// extensionField adds an element that is not of the standard: of a namespace
// of its own or, within an extension, of none. Within is what it is in, inner
// in how many extensions of that.
func (x *xmlReader) extensionField(to []Field, within, c uint32, inner int) []Field {
	n := &x.nodes[c]
	switch {
	case n.space != noSpace && !x.spaces.epcis[n.space]:
		return append(to, x.field(c))
	case x.is(c, extension):
		return x.extensionsWithin(to, c, inner+1)
	case n.space == noSpace && inner > 0:
		x.fault(RuleUnknownExtension, clip(n.name.local), "is not known; kept as an extension")
		return append(to, x.field(c))
	}
	x.stranger(within, c)
	return to
}

// extensionsWithin adds all that is in an element made of extensions only.
func (x *xmlReader) extensionsWithin(to []Field, at uint32, inner int) []Field {
	n := &x.nodes[at]
	x.container(n)
	if count := x.children(at); to == nil && count > 0 {
		to = x.takeFields(count)[:0]
	}
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		to = x.extensionField(to, at, c, inner)
	}
	return to
}

func (x *xmlReader) errorDeclaration(at uint32) {
	n := &x.nodes[at]
	x.container(n)
	d := &ErrorDeclaration{}
	x.decoding.ev.Error = d
	timed := false
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		switch {
		case x.is(c, declarationTime):
			var ok bool
			timed = true
			if d.At, _, ok = parseTime(x.leaf(c)); !ok {
				x.fault(RuleDeclarationTime, "errorDeclaration", fmt.Sprintf("declarationTime %q is no date and time", clip(x.leaf(c))))
			}
		case x.is(c, reason):
			d.Reason = x.word(errorReasons, &x.nodes[c], x.leaf(c))
		case x.is(c, correctiveEventIDs):
			d.CorrectiveIDs = append(d.CorrectiveIDs, x.identifiers(c, correctiveEventID)...)
		default:
			d.Extensions = x.extensionField(d.Extensions, at, c, 0)
		}
	}
	if !timed {
		x.fault(RuleDeclarationTime, "errorDeclaration", "declarationTime is missing")
	}
}

func (x *xmlReader) persistent(at uint32) {
	n := &x.nodes[at]
	x.container(n)
	p := &PersistentDisposition{}
	x.decoding.ev.Persistent = p
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		switch {
		case x.is(c, set):
			p.Set = append(p.Set, x.word(dispositions, &x.nodes[c], x.leaf(c)))
		case x.is(c, unset):
			p.Unset = append(p.Unset, x.word(dispositions, &x.nodes[c], x.leaf(c)))
		default:
			x.stranger(at, c)
		}
	}
}

func (x *xmlReader) sensors(at uint32) {
	n := &x.nodes[at]
	x.container(n)
	ev := x.decoding.ev
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		switch {
		case x.is(c, sensorElement):
			ev.Sensors = append(ev.Sensors, x.sensor(c))
		case x.is(c, extension):
			x.decoding.extensions = x.extensionsWithin(x.decoding.extensions, c, 1)
		default:
			x.stranger(at, c)
		}
	}
}

func (x *xmlReader) sensor(at uint32) (s Sensor) {
	x.container(&x.nodes[at])
	for c := at + 1; c < x.nodes[at].next; c = x.nodes[c].next {
		n := &x.nodes[c]
		switch {
		case x.is(c, sensorMetaData), x.is(c, sensorMetadata):
			if n.element == sensorMetaData {
				x.fault(RuleElementName, "sensorMetaData", "is called sensorMetadata since EPCIS 2.0 is out")
			}
			x.noText(n)
			x.textOnly(c)
			s.Metadata = append(s.Metadata, x.attributeFields(n)...)
		case x.is(c, sensorReport):
			x.noText(n)
			x.textOnly(c)
			s.Reports = append(s.Reports, sensorWords(x.attributeFields(n), x.sensorWord))
		default:
			s.Extensions = x.extensionField(s.Extensions, at, c, 0)
		}
	}
	return s
}

// sensorWord is the bare word of a vocabulary, or the URI of what is written as
// a compact one, as the standard's own examples do.
func (x *xmlReader) sensorWord(v vocabulary, s string) string {
	if w := v.word(s); w != s {
		return w
	}
	if prefix, rest, ok := strings.Cut(s, ":"); ok && !strings.HasPrefix(rest, "//") {
		// The declaration may be the event's own and out of scope by now.
		for _, ns := range slices.Backward(x.spaces.declared) {
			if ns.Prefix == prefix {
				return ns.URI + rest
			}
		}
	}
	return s
}
