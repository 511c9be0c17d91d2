package epcis

import (
	"bytes"
	"slices"
	"strings"
)

// keep copies text out of the window. The texts of an event, and of small
// events that follow one another, share pieces of memory.
func (p *jsonReader) keep(b []byte) string {
	p.charge(len(b))
	if p.text.Cap()-p.text.Len() < len(b) {
		p.text = strings.Builder{}
		p.text.Grow(max(len(b), p.piece))
		p.piece = min(2*p.piece, 64<<10) // an event of many texts gets larger pieces
	}
	from := p.text.Len()
	p.text.Write(b)
	return p.text.String()[from:]
}

// again is keep of what most often is the same as the time before.
func (p *jsonReader) again(b []byte, last *string) string {
	if string(b) != *last {
		*last = string(b)
	}
	p.charge(len(b))
	return *last
}

// charge counts the memory that what is read takes.
func (p *jsonReader) charge(n int) {
	if p.ev == nil {
		if p.around += n; p.around > p.s.limits.Header {
			p.s.fail(RuleLimit, "what stands around the events takes more than %d bytes", p.s.limits.Header)
		}
		return
	}
	if p.used += n; p.used > p.s.limits.Event {
		p.s.fail(RuleLimit, "the event takes more than %d bytes", p.s.limits.Event)
	}
}

// What one element of a list takes besides its text.
const (
	textCost  = 16
	fieldCost = 112
)

func trim(b []byte) []byte {
	if len(b) > 0 && b[0] > ' ' && b[len(b)-1] > ' ' {
		return b
	}
	if trimmed := bytes.Trim(b, " \t\r\n"); trimmed != nil {
		return trimmed
	}
	return b[:0]
}

// bytes takes a text value, less surrounding blanks; nil when it is none.
func (p *jsonReader) bytes() []byte {
	if p.s.peek() != '"' {
		p.wrong("text")
		return nil
	}
	return trim(p.s.string("text"))
}

func (p *jsonReader) str() string { return p.keep(p.bytes()) }

// id takes an identifier; one with nothing in it is none.
func (p *jsonReader) id() string { return p.keep(p.idBytes()) }

func (p *jsonReader) idBytes() []byte {
	b := p.bytes()
	if len(b) == 0 && p.refused == nil {
		p.fault(RuleEmptyID, "an identifier with nothing in it")
	}
	return b
}

// wrong refuses a value of the wrong JSON type.
func (p *jsonReader) wrong(wanted string) {
	var got string
	switch c := p.s.peek(); {
	case p.s.err != nil:
		return
	case c == '"':
		got = "text"
	case c == '{':
		got = "an object"
	case c == '[':
		got = "an array"
	case c == 't', c == 'f':
		got = "true or false"
	case c == 'n':
		got = "null"
	case c == '-', c >= '0' && c <= '9':
		got = "a number"
	default:
		p.s.unexpected("a value")
		return
	}
	p.refuse(RuleType, "%s where %s is expected", got, wanted)
	if p.s.err == nil {
		p.s.skip()
	}
}

// list takes an array of texts.
func (p *jsonReader) list() []string {
	s := p.s
	if s.peek() != '[' {
		p.wrong("an array")
		return nil
	}
	outer := p.index
	p.index = 0
	p.strs = p.strs[:0]
	s.open('[')
	for first := true; s.err == nil && s.next(']', first); first = false {
		p.charge(textCost)
		if id := p.id(); id != "" {
			p.strs = append(p.strs, id)
		}
		p.index++
	}
	if s.err == nil {
		p.index = outer
	}
	return p.listOf(p.strs)
}

// listOf copies a list, a short one into memory that it shares with others.
func (p *jsonReader) listOf(texts []string) []string {
	n := len(texts)
	switch {
	case n == 0:
		return nil
	case n <= cap(p.spare.list):
		return append(p.takeList(n), texts...)
	case n > listsTogether/4:
		return slices.Clone(texts)
	case len(p.lists) < n:
		p.lists = make([]string, listsTogether)
	}
	list := p.lists[:n:n]
	p.lists = p.lists[n:]
	copy(list, texts)
	return list
}

// array calls each at every element of an array.
func (p *jsonReader) array(each func()) {
	s := p.s
	if s.peek() != '[' {
		p.wrong("an array")
		return
	}
	outer := p.index
	p.index = 0
	s.open('[')
	for first := true; s.err == nil && s.next(']', first); first = false {
		each()
		p.index++
	}
	if s.err == nil {
		p.index = outer
	}
}

// word takes a word of a vocabulary, or a URI. What is neither goes to other.
func (p *jsonReader) word(v vocabulary, other func(word string)) string {
	b := p.bytes()
	if w, ok := v.words[string(b)]; ok {
		return w
	}
	if b == nil || p.s.err != nil {
		return ""
	}
	if len(b) == 0 {
		p.fault(RuleEmptyID, "a word with nothing in it")
		return ""
	}
	written := p.keep(b)
	w, known := v.bare(p.expand(p.own, written))
	switch {
	case known && strings.HasPrefix(written, "urn:"):
		p.fault(RuleVocabularyForm, "%q; JSON has the bare word, %q", clip(written), w)
	case known:
	case written == w && !strings.ContainsRune(w, ':'):
		other(w)
	case !strings.ContainsRune(w, ':'):
		p.fault(RuleWord, "%q is in the namespace of the vocabulary and none of its words", clip(written))
	}
	return w
}

// field takes the value of a member that is not part of the standard and
// appends it to list: one Field a value, several for an array.
func (p *jsonReader) field(list []Field, n Name) []Field {
	s := p.s
	if s.peek() != '[' {
		return append(list, p.value(n))
	}
	s.open('[')
	was := len(list)
	for first := true; s.err == nil && s.next(']', first); first = false {
		if s.peek() == '[' {
			list = append(list, Field{Name: n, Kind: List, Children: p.inner()})
			continue
		}
		list = append(list, p.value(n))
	}
	if len(list) == was {
		list = append(list, Field{Name: n, Kind: List})
	}
	return list
}

// inner takes an array that stands in an array.
func (p *jsonReader) inner() []Field {
	s := p.s
	var list []Field
	s.open('[')
	for first := true; s.err == nil && s.next(']', first); first = false {
		if s.peek() == '[' {
			list = append(list, Field{Kind: List, Children: p.inner()})
			continue
		}
		list = append(list, p.value(Name{}))
	}
	return list
}

// value takes one value that is no array.
func (p *jsonReader) value(n Name) Field {
	s, f := p.s, Field{Name: n}
	p.charge(fieldCost)
	switch c := s.peek(); c {
	case '"':
		f.Value = p.str()
	case '{':
		p.object(&f)
	case 't':
		f.Kind, f.Value = Boolean, "true"
		s.word("true")
	case 'f':
		f.Kind, f.Value = Boolean, "false"
		s.word("false")
	case 'n':
		f.Kind = Null
		s.word("null")
	default:
		if c != '-' && (c < '0' || c > '9') {
			s.unexpected("a value")
			break
		}
		f.Kind, f.Value = Number, p.keep(s.number())
	}
	return f
}

// object takes what is inside a value: members, and attributes and text in
// the convention of XML written as JSON ("@name", "#text").
func (p *jsonReader) object(f *Field) {
	s := p.s
	s.open('{')
	var seen nameSet
	empty := true
	for first := true; s.err == nil && s.next('}', first); first = false {
		empty = false
		key := s.key()
		switch {
		case s.err != nil:
		case len(key) == 0 || string(key) == "@" || string(key) == "@context":
			p.refuse(RuleUnknownElement, "the member %q inside a value", key)
			p.skipValue()
		case string(key) == "#text":
			if p.once(&seen, Name{Local: "#text"}) {
				s.colon()
				text := p.scalar(Name{})
				f.Value, f.Kind = text.Value, text.Kind
			}
		case key[0] == '@':
			n := p.name(key[1:])
			if p.once(&seen, Name{Space: n.Space, Local: "@" + n.Local}) {
				s.colon()
				f.Attrs = append(f.Attrs, p.scalar(n))
			}
		default:
			if n := p.name(key); p.once(&seen, n) {
				s.colon()
				f.Children = p.field(f.Children, n)
			}
		}
	}
	if empty {
		f.Kind = EmptyObject
	}
}

// scalar takes a value that has nothing inside it.
func (p *jsonReader) scalar(n Name) Field {
	switch p.s.peek() {
	case '{', '[':
		p.wrong("text, a number, true, false or null")
		return Field{}
	}
	return p.value(n)
}
