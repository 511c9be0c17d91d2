package epcis

import "slices"

// placeValue takes a read point or business location; last is where the one
// before it is kept.
func (p *jsonReader) placeValue(last *string) Place {
	var pl Place
	s := p.s
	if s.peek() != '{' {
		p.wrong("an object")
	} else {
		s.open('{')
		if s.ahead(`"id":`) { // most places are that and nothing else
			s.pos += len(`"id":`)
			pl.ID = p.again(p.idBytes(), last)
			if s.next('}', false) {
				p.restOfPlace(&pl, last, nameSet{few: [8]Name{{Local: "id"}}, n: 1})
			}
		} else if s.next('}', true) {
			p.restOfPlace(&pl, last, nameSet{})
		}
	}
	if pl.ID == "" {
		p.fault(RulePlaceID, "names no place")
	}
	return pl
}

func (p *jsonReader) restOfPlace(pl *Place, last *string, seen nameSet) {
	p.rest(func(name string) bool {
		if name == "id" {
			p.s.colon()
			pl.ID = p.again(p.idBytes(), last)
			return true
		}
		return false
	}, &pl.Extensions, seen)
}

// parts reads an object of the standard that may have members of one's own:
// known takes those of the standard and says which it took, the others go to
// extensions. extensions nil: there may be none.
func (p *jsonReader) parts(known func(name string) bool, extensions *[]Field) {
	if p.s.peek() != '{' {
		p.wrong("an object")
		return
	}
	p.s.open('{')
	if p.s.next('}', true) {
		p.rest(known, extensions, nameSet{})
	}
}

// rest reads the members of an object from the next one on; seen are those
// before it.
func (p *jsonReader) rest(known func(name string) bool, extensions *[]Field, seen nameSet) {
	s := p.s
	for more := s.err == nil; more; more = s.err == nil && s.next('}', false) {
		n := p.name(s.key())
		if !p.once(&seen, n) {
			continue
		}
		switch {
		case n.Space != "" && extensions != nil:
			s.colon()
			*extensions = p.field(*extensions, n)
		case n.Space == "" && known(n.Local):
		default:
			p.refuse(RuleUnknownElement, "the standard has no member %q here", n.Local)
			p.skipValue()
		}
	}
}

func (p *jsonReader) ilmd() []Field {
	fields := make([]Field, 0, 2) // lot and expiry
	p.parts(func(string) bool { return false }, &fields)
	if len(fields) == 0 {
		return nil
	}
	return fields
}

func (p *jsonReader) persistent() *PersistentDisposition {
	d := &PersistentDisposition{}
	list := func() []string {
		var words []string
		p.array(func() { words = append(words, p.word(dispositions, p.refuseWord)) })
		return words
	}
	p.parts(func(name string) bool {
		switch name {
		case "set":
			p.s.colon()
			d.Set = list()
		case "unset":
			p.s.colon()
			d.Unset = list()
		default:
			return false
		}
		return true
	}, nil)
	return d
}

func (p *jsonReader) errorDeclaration() *ErrorDeclaration {
	d := &ErrorDeclaration{}
	p.parts(func(name string) bool {
		switch name {
		case "declarationTime":
			p.s.colon()
			d.At = p.time(RuleDeclarationTime)
		case "reason":
			p.s.colon()
			d.Reason = p.word(errorReasons, p.doubtWord)
		case "correctiveEventIDs":
			p.s.colon()
			d.CorrectiveIDs = p.list()
		default:
			return false
		}
		return true
	}, &d.Extensions)
	if d.At.IsZero() {
		p.fault(RuleDeclarationTime, "declarationTime is missing")
	}
	return d
}

// references takes a list of business transactions, sources or destinations.
func (p *jsonReader) references(what string, types vocabulary) []Reference {
	s := p.s
	p.refs = p.refs[:0]
	p.array(func() {
		if s.peek() != '{' {
			p.wrong("an object")
			return
		}
		var r Reference
		var hasType, hasID bool
		s.open('{')
		for first := true; s.err == nil && s.next('}', first); first = false {
			switch key := s.key(); {
			case string(key) == "type" && !hasType:
				hasType = true
				s.colon()
				r.Type = p.word(types, p.doubtWord)
			case string(key) == what && !hasID:
				hasID = true
				s.colon()
				r.ID = p.id()
			default:
				p.oddMember(key, "type", what)
			}
		}
		if !hasID {
			p.fault(RuleEmptyID, "%s is missing", what)
		}
		p.charge(2 * textCost)
		if r.ID != "" {
			p.refs = append(p.refs, r)
		}
	})
	if len(p.refs) == 0 {
		return nil
	}
	return slices.Clone(p.refs)
}

// oddMember refuses a member of an object that may have none but known.
func (p *jsonReader) oddMember(key []byte, known ...string) {
	if slices.Contains(known, string(key)) {
		p.refuse(RuleRepeated, "the member %q comes twice", key)
	} else {
		p.refuse(RuleUnknownElement, "the standard has no member %q here", key)
	}
	p.skipValue()
}

func (p *jsonReader) quantityList() []Quantity {
	s := p.s
	p.quantities = p.quantities[:0]
	p.array(func() {
		if s.peek() != '{' {
			p.wrong("an object")
			return
		}
		var q Quantity
		var hasClass, hasAmount, hasUOM bool
		s.open('{')
		for first := true; s.err == nil && s.next('}', first); first = false {
			switch key := s.key(); {
			case string(key) == "epcClass" && !hasClass:
				hasClass = true
				s.colon()
				q.Class = p.id()
			case string(key) == "quantity" && !hasAmount:
				hasAmount = true
				s.colon()
				q.Amount = p.number()
			case string(key) == "uom" && !hasUOM:
				hasUOM = true
				s.colon()
				q.UOM = p.str()
			default:
				p.oddMember(key, "epcClass", "quantity", "uom")
			}
		}
		if q.Class == "" {
			p.refuse(RuleMissingClass, "epcClass is missing or empty")
		}
		p.charge(3 * textCost)
		p.quantities = append(p.quantities, q)
	})
	if len(p.quantities) == 0 {
		return nil
	}
	return slices.Clone(p.quantities)
}

// number takes a number as it is written.
func (p *jsonReader) number() string {
	if c := p.s.peek(); c != '-' && (c < '0' || c > '9') {
		if p.s.err == nil && c == '"' {
			p.refuse(RuleNumber, "text where a number is expected")
			p.s.skip()
		} else {
			p.wrong("a number")
		}
		return ""
	}
	return p.keep(p.s.number())
}
