package epcis

// head reads one member of the objects around the events.
func (p *jsonReader) head(level int) {
	s := p.s
	key := s.key()
	if s.err != nil {
		return
	}
	if level == inRoot && isEventMember(key) {
		p.bareEvent("", key)
		return
	}
	name := string(key)
	if !p.seen[level].add(Name{Local: name}) {
		p.refuse(RuleRepeated, "the member %q comes twice", name)
	}
	s.colon()
	p.member = name
	switch level {
	case inRoot:
		p.root(name)
	case inBody:
		switch name {
		case "eventList":
			p.eventList(inBody)
		case "event": // one event in place of a list
			p.fault(RuleSingleEvent, "an event in place of eventList; write a list of one")
			p.count++
			p.bare = p.event()
		case "queryResults":
			p.doc.Query = &Query{}
			p.enter(inResults, '{')
		default:
			p.foreign(name)
		}
	case inResults:
		switch name {
		case "queryName":
			p.doc.Query.Name = p.str()
		case "subscriptionID":
			p.doc.Query.SubscriptionID = p.str()
		case "resultsBody":
			p.enter(inResultsBody, '{')
		default:
			p.foreign(name)
		}
	case inResultsBody:
		if name == "eventList" {
			p.eventList(inResultsBody)
		} else {
			p.foreign(name)
		}
	}
	if s.err == nil {
		p.member = ""
	}
}

// foreign keeps a member of the head that the standard does not name.
func (p *jsonReader) foreign(name string) {
	n := p.name([]byte(name))
	if n.Space == "" {
		p.unknown(name)
	}
	p.doc.Extensions = p.field(p.doc.Extensions, n)
}

// unknown notes a member of the head that is neither of the standard nor has a
// prefix. JSON-LD gives it no meaning, so beside the body it does no harm.
func (p *jsonReader) unknown(name string) {
	rule := RuleUnknownElement
	if p.level == inRoot {
		rule = RuleHeaderElement
	}
	p.fault(rule, "the standard has no member %q here; a member of one's own needs a prefix", name)
}

func (p *jsonReader) eventList(inside int) {
	p.inside = inside
	p.enter(inList, '[')
}

func (p *jsonReader) root(name string) {
	switch name {
	case "@context":
		p.context = true
		p.readContext(&p.names)
		p.doc.Namespaces = p.names.order
	case "type":
		p.doc.Root = p.str()
		switch {
		case p.s.err != nil, p.doc.Root == "EPCISDocument", p.doc.Root == "EPCISQueryDocument":
		case jsonEventTypes[p.doc.Root] != "":
			p.bareEvent(p.doc.Root, nil)
		default:
			p.refuse(RuleRoot, "the type %q; expected EPCISDocument, EPCISQueryDocument or an event type", p.doc.Root)
		}
	case "schemaVersion":
		p.doc.SchemaVersion = p.str()
	case "creationDate":
		t, zoned, ok := parseTime(string(p.bytes()))
		switch {
		case !ok:
			p.fault(RuleCreationDate, "is no date and time; expected 2006-01-02T15:04:05Z")
		case !zoned:
			p.fault(RuleCreationDate, "names no time zone; taken as UTC")
		}
		p.doc.CreationDate = t
	case "id":
		p.doc.ID = p.str()
	case "sender":
		p.header().Sender = append(p.header().Sender, Party{ID: p.str()})
	case "receiver":
		p.header().Receiver = append(p.header().Receiver, Party{ID: p.str()})
	case "instanceIdentifier":
		p.header().InstanceIdentifier = p.str()
	case "epcisHeader":
		p.epcisHeader()
	case "epcisBody":
		if p.context {
			p.resolveHead()
		} else {
			p.lookBehind()
		}
		if p.s.err == nil {
			p.enter(inBody, '{')
		}
	default:
		p.foreign(name)
	}
}

func (p *jsonReader) header() *BusinessHeader {
	if p.doc.Header == nil {
		p.doc.Header = &BusinessHeader{}
	}
	return p.doc.Header
}

// lookBehind reads what stands behind epcisBody and comes back to it: an
// event can be handed on only once it is known what its names mean.
func (p *jsonReader) lookBehind() {
	s := p.s
	s.peek()
	s.mark = s.pos
	depth := s.depth
	s.skip()
	p.member = ""
	for s.err == nil && s.next('}', false) {
		p.head(inRoot)
	}
	s.finish()
	p.end()
	if s.err != nil {
		return
	}
	s.pos, s.mark, s.depth = s.mark, -1, depth
	p.late, p.level = true, inRoot
}

func (p *jsonReader) resolveHead() {
	p.resolve(nil, p.doc.Extensions)
	p.resolve(nil, p.doc.HeaderFields)
	for _, v := range p.doc.MasterData {
		for _, e := range v.Elements {
			for i := range e.Attributes {
				e.Attributes[i].ID = p.expand(nil, e.Attributes[i].ID)
				p.resolve(nil, e.Attributes[i].Fields)
			}
		}
	}
}

// checkBody checks that the body holds what the type of the document says.
func (p *jsonReader) checkBody() {
	body := &p.seen[inBody]
	results := body.has(Name{Local: "queryResults"})
	switch events := body.has(Name{Local: "eventList"}) || body.has(Name{Local: "event"}); {
	case !events && !results:
		p.fault(RuleBody, "epcisBody holds neither eventList nor queryResults")
	case p.doc.Root == "EPCISDocument" && !events:
		p.fault(RuleNesting, "queryResults are in an EPCISDocument; they belong into an EPCISQueryDocument")
	case p.doc.Root == "EPCISQueryDocument" && !results:
		p.fault(RuleNesting, "eventList is in the body of an EPCISQueryDocument; it belongs into queryResults")
	}
}

// end checks what only the whole head can tell.
func (p *jsonReader) end() {
	if p.s.err != nil {
		return
	}
	p.level = atEnd
	p.member = ""
	p.resolveHead()
	switch {
	case p.s.err != nil:
	case !p.context:
		p.refuse(RuleContext, "@context is missing; without it no name in the document means anything")
	case p.doc.Root == "":
		p.refuse(RuleRoot, "type is missing; expected EPCISDocument, EPCISQueryDocument or an event type")
	case jsonEventTypes[p.doc.Root] != "":
		return
	case !p.seen[inRoot].has(Name{Local: "epcisBody"}):
		p.refuse(RuleBody, "epcisBody is missing")
	case p.bodied:
		p.checkBody()
	}
	if p.s.err != nil {
		return
	}
	if !p.names.standard && len(p.names.foreign) == 0 {
		p.fault(RuleContext, "@context does not name the context of EPCIS")
	}
	if p.doc.SchemaVersion == "" && p.doc.Root == "EPCISDocument" {
		p.fault(RuleSchemaVersion, "schemaVersion is missing")
	}
	if !p.seen[inRoot].has(Name{Local: "creationDate"}) && p.doc.Root == "EPCISDocument" {
		p.fault(RuleCreationDate, "creationDate is missing")
	}
}
