package epcis

// epcisHeader reads the header of a document: master data, and what is not of
// the standard.
func (p *jsonReader) epcisHeader() {
	p.open(func(name string) {
		if name == "epcisMasterData" {
			p.open(func(name string) {
				if name == "vocabularyList" {
					p.array(p.vocabulary)
					return
				}
				p.foreign(name)
			})
			return
		}
		n := p.name([]byte(name))
		if n.Space == "" {
			p.unknown(name)
		}
		p.doc.HeaderFields = p.field(p.doc.HeaderFields, n)
	})
}

// open reads an object and calls each at the value of every member.
func (p *jsonReader) open(each func(name string)) {
	s := p.s
	if s.peek() != '{' {
		p.wrong("an object")
		return
	}
	s.open('{')
	var seen nameSet
	for first := true; s.err == nil && s.next('}', first); first = false {
		name := string(s.key())
		if p.once(&seen, Name{Local: name}) {
			s.colon()
			each(name)
		}
	}
}

// drop goes over the value of a member of master data that the standard does
// not know.
func (p *jsonReader) drop(name, in string) {
	p.fault(RuleHeaderElement, "the standard has no member %q in %s; dropped", name, in)
	p.s.skip()
}

func (p *jsonReader) vocabulary() {
	var v Vocabulary
	p.open(func(name string) {
		switch name {
		case "type":
			v.Type = p.str()
		case "vocabularyElementList":
			p.array(func() { v.Elements = append(v.Elements, p.element()) })
		default:
			p.drop(name, "a vocabulary")
		}
	})
	p.doc.MasterData = append(p.doc.MasterData, v)
}

func (p *jsonReader) element() Element {
	var e Element
	p.charge(fieldCost)
	p.open(func(name string) {
		switch name {
		case "id":
			e.ID = p.str()
		case "attributes":
			p.array(func() { e.Attributes = append(e.Attributes, p.attribute()) })
		case "children":
			e.Children = p.list()
		default:
			p.drop(name, "a vocabulary element")
		}
	})
	return e
}

// attribute reads one fact. A number is held as the text it is written as.
func (p *jsonReader) attribute() Attribute {
	var a Attribute
	p.charge(fieldCost)
	p.open(func(name string) {
		switch name {
		case "id":
			a.ID = p.str()
		case "attribute":
			if p.s.peek() == '[' {
				p.wrong("text, a number or an object")
				return
			}
			f := p.value(Name{})
			a.Value, a.Fields = f.Value, f.Children
		default:
			p.drop(name, "an attribute")
		}
	})
	return a
}
