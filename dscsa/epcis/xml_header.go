package epcis

import "fmt"

// enterHeader acts on a start tag within EPCISHeader, or of master data
// wherever it is.
func (x *xmlReader) enterHeader(in frame) error {
	uri := x.spaces.uris[x.curSpace]
	switch e := x.curElement; {
	case in == theHeader && x.cur.local == "StandardBusinessDocumentHeader" && (uri == sbdhURI || uri == ""):
		return x.businessHeader()
	case in == theHeader && e == extension:
		x.frames = append(x.frames, theHeader)
	case in == theHeader && e == epcisMasterData:
		if x.frames[len(x.frames)-2] != theHeader {
			x.doc.fault(RuleNesting, "header", "EPCISMasterData belongs into an extension of EPCISHeader")
		}
		x.frames = append(x.frames, theMasterData)
	case in == theMasterData && e == vocabularyList:
		x.frames = append(x.frames, theVocabularies)
	case in == theVocabularies && e == vocabularyOf:
		x.doc.MasterData = append(x.doc.MasterData, Vocabulary{Type: x.currentAttribute("type")})
		x.frames = append(x.frames, theVocabulary)
	case in == theVocabulary && e == vocabularyElementList:
		x.frames = append(x.frames, theVocabularyElements)
	case in == theVocabularyElements && e == vocabularyElement:
		return x.masterData()
	default:
		return x.keepField(&x.doc.HeaderFields)
	}
	return nil
}

// currentAttribute is an attribute of the start tag just read.
func (x *xmlReader) currentAttribute(local string) string {
	for _, a := range x.attrs {
		if a.space == noSpace && a.name.local == local {
			v := trimmed(x.pool, int(a.value.at), int(a.value.at+a.value.n))
			return string(x.pool[v.at : v.at+v.n])
		}
	}
	return ""
}

// masterData takes one VocabularyElement.
func (x *xmlReader) masterData() error {
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	of := &x.doc.MasterData[len(x.doc.MasterData)-1]
	el := Element{ID: x.attributeOf(&x.nodes[0], "id")}
	for c := uint32(1); c < x.nodes[0].next; c = x.nodes[c].next {
		n := &x.nodes[c]
		switch n.element {
		case attributeOf:
			el.Attributes = append(el.Attributes, Attribute{
				ID: x.attributeOf(n, "id"), Value: x.textOf(n), Fields: x.fieldsWithin(c),
			})
		case childrenOf:
			for d := c + 1; d < n.next; d = x.nodes[d].next {
				el.Children = append(el.Children, x.textOf(&x.nodes[d]))
			}
		default:
			x.doc.fault(RuleHeaderElement, "header "+clip(el.ID), fmt.Sprintf("<%s> is no attribute of master data; kept", clip(n.name.raw)))
			el.Attributes = append(el.Attributes, Attribute{Fields: []Field{x.field(c)}})
		}
	}
	of.Elements = append(of.Elements, el)
	return x.keep()
}

// businessHeader takes the StandardBusinessDocumentHeader. Its elements are
// known by their local names: whoever leaves the namespace out of the header
// leaves it out of these as well.
func (x *xmlReader) businessHeader() error {
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	h := &BusinessHeader{}
	if x.doc.Header != nil {
		x.doc.fault(RuleHeaderElement, "header", "a second StandardBusinessDocumentHeader; this one counts")
	}
	x.doc.Header = h
	for c := uint32(1); c < x.nodes[0].next; c = x.nodes[c].next {
		n := &x.nodes[c]
		switch n.name.local {
		case "Sender":
			h.Sender = append(h.Sender, x.party(c, h))
		case "Receiver":
			h.Receiver = append(h.Receiver, x.party(c, h))
		case "DocumentIdentification":
			x.identification(c, h)
		default:
			h.Fields = append(h.Fields, x.field(c))
		}
	}
	for _, missing := range [...]struct {
		is   bool
		what string
	}{{len(h.Sender) == 0, "Sender"}, {len(h.Receiver) == 0, "Receiver"}} {
		if missing.is {
			x.doc.fault(RuleHeaderParty, "header", "the StandardBusinessDocumentHeader has no "+missing.what)
		}
	}
	return x.keep()
}

// party takes a Sender or Receiver. One that says more than its Identifier is
// kept as a whole too.
func (x *xmlReader) party(at uint32, h *BusinessHeader) (p Party) {
	n := &x.nodes[at]
	found := false
	for c := at + 1; c < n.next; c = x.nodes[c].next {
		if id := &x.nodes[c]; id.name.local == "Identifier" && !found {
			p, found = Party{Authority: x.attributeOf(id, "Authority"), ID: x.textOf(id)}, true
		}
	}
	if !found || p.ID == "" {
		x.doc.fault(RuleHeaderParty, "header", fmt.Sprintf("%s has no Identifier", n.name.local))
	}
	if x.children(at) > 1 {
		h.Fields = append(h.Fields, x.field(at))
	}
	return p
}

// identification takes DocumentIdentification; what is neither its identifier
// nor its time stays in a field of that name.
func (x *xmlReader) identification(at uint32, h *BusinessHeader) {
	rest := Field{Name: x.nameOf(&x.nodes[at])}
	for c := at + 1; c < x.nodes[at].next; c = x.nodes[c].next {
		n := &x.nodes[c]
		switch text := x.textOf(n); n.name.local {
		case "InstanceIdentifier":
			h.InstanceIdentifier = text
		case "CreationDateAndTime":
			var ok bool
			if h.CreatedAt, _, ok = parseTime(text); !ok {
				x.doc.fault(RuleHeaderTime, "header", fmt.Sprintf("CreationDateAndTime %q is no date and time", clip(text)))
			}
		default:
			rest.Children = append(rest.Children, x.field(c))
		}
	}
	if len(rest.Children) > 0 {
		h.Fields = append(h.Fields, rest)
	}
}

// keepField keeps the element just entered as it is.
func (x *xmlReader) keepField(to *[]Field) error {
	if x.curSpace == noSpace && x.in() != theCaptureJob && x.doc.Query == nil {
		x.doc.fault(RuleHeaderElement, "document", fmt.Sprintf("<%s> is not known there; kept", clip(x.cur.raw)))
	}
	return x.keepTree(to)
}

func (x *xmlReader) keepTree(to *[]Field) error {
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	*to = append(*to, x.field(0))
	return x.keep()
}

// keepFields keeps what is within the element just entered.
func (x *xmlReader) keepFields(to *[]Field) error {
	if err := x.tree(); err != nil {
		return err
	}
	x.fields = nil
	for c := uint32(1); c < x.nodes[0].next; c = x.nodes[c].next {
		*to = append(*to, x.field(c))
	}
	return x.keep()
}

// keep counts the tree just read as kept for good.
func (x *xmlReader) keep() error {
	const perNode = 4 * nodeSize // a Field takes that much more than a node
	if x.kept += len(x.value) + perNode*(len(x.nodes)+len(x.nodeAttrs)); x.kept > x.limits.Header {
		return x.fail(0, RuleLimit, fmt.Sprintf("what is not an event takes more than %d bytes", x.limits.Header))
	}
	return nil
}
