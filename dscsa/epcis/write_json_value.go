package epcis

import "strings"

// member begins a member that is not the first one.
func (w *jsonWriter) member(name string) { w.raw(`,"` + name + `":`) }

// text writes a string. The characters that mean something in HTML are
// written as they are: a document is no part of a page.
func (w *jsonWriter) text(s string) {
	w.b = append(w.b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if plain[c] || c >= 0x80 {
			continue
		}
		w.b = append(w.b, s[from:i]...)
		from = i + 1
		switch c {
		case '\n':
			w.raw(`\n`)
		case '\r':
			w.raw(`\r`)
		case '\t':
			w.raw(`\t`)
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		}
	}
	w.b = append(append(w.b, s[from:]...), '"')
	w.legible(s)
}

// number writes a decimal or floating-point number of XML Schema as JSON.
func (w *jsonWriter) number(s string) {
	n := s
	if !isNumber(n) {
		sign := ""
		switch rest := strings.TrimPrefix(n, "+"); {
		case strings.HasPrefix(rest, "-") && rest == n:
			sign, n = "-", rest[1:]
		default:
			n = rest
		}
		mantissa, exponent := n, ""
		if i := strings.IndexAny(n, "eE"); i >= 0 {
			mantissa, exponent = n[:i], n[i:]
		}
		whole, fraction, _ := strings.Cut(mantissa, ".")
		if mantissa == "." || mantissa == "" {
			whole = "?"
		}
		whole = strings.TrimLeft(whole, "0")
		if whole == "" {
			whole = "0"
		}
		if fraction != "" {
			fraction = "." + fraction
		}
		n = sign + whole + fraction + exponent
	}
	if !isNumber(n) {
		w.fail("JSON has no number %q", clip(s))
	}
	w.raw(n)
}

// name writes a member name and its colon. top: it stands beside names of the
// standard, so that it needs a namespace.
func (w *jsonWriter) name(n Name, top bool) {
	switch {
	case n.Space == "" && (top || n.Local == "" || n.Local[0] == '@' || n.Local == "#text" || strings.ContainsRune(n.Local, ':')):
		w.fail("JSON has no place for the name %q without a namespace", n.Local)
	case n.Space != "" && !strings.ContainsRune(n.Space, ':'):
		w.fail("the namespace %q is no URI", clip(n.Space))
	case n.Space != "" && (n.Local == "" || strings.HasPrefix(n.Local, "//")):
		w.fail("the name %q", n.Local)
	}
	if n.Space != "" {
		n.Local = w.names.of(n.Space) + ":" + n.Local
	}
	w.text(n.Local)
	w.raw(":")
}

// grouped writes fields as members, each after a comma: fields of one name
// are a list. first: no comma before the first one.
func (w *jsonWriter) grouped(fields []Field, first bool) { w.members(fields, first, true) }

func (w *jsonWriter) members(fields []Field, first, top bool) {
	for _, same := range groups(fields) {
		if !first {
			w.raw(",")
		}
		first = false
		w.name(same[0].Name, top)
		switch {
		case len(same) > 1:
			list(w, same, w.value)
		case same[0].Kind != List:
			w.value(same[0])
		case len(same[0].Children) == 0:
			w.raw("[]")
		default:
			list(w, same, w.value)
		}
	}
}

// groups puts fields of one name together, in the order the names come in.
func groups(fields []Field) [][]Field {
	list := make([][]Field, 0, len(fields))
	at := make(map[Name]int, len(fields))
	for i, f := range fields {
		g, ok := at[f.Name]
		if !ok {
			at[f.Name] = len(list)
			list = append(list, fields[i:i+1:i+1])
			continue
		}
		list[g] = append(list[g], f)
	}
	return list
}

func (w *jsonWriter) value(f Field) {
	switch {
	case f.Kind == List:
		list(w, f.Children, w.value)
	case len(f.Attrs) == 0 && len(f.Children) == 0:
		w.scalar(f)
	default:
		w.raw("{")
		first := true
		for _, same := range groups(f.Attrs) {
			a := same[0]
			if len(same) > 1 || len(a.Children)+len(a.Attrs) > 0 {
				w.fail("the attribute %s comes twice or has something inside it", a.Name.Local)
			}
			if !first {
				w.raw(",")
			}
			first = false
			if a.Name.Space != "" {
				a.Name.Local = w.names.of(a.Name.Space) + ":" + a.Name.Local
			}
			w.text("@" + a.Name.Local)
			w.raw(":")
			w.scalar(a)
		}
		if f.Value != "" || f.Kind != Text {
			if !first {
				w.raw(",")
			}
			first = false
			w.raw(`"#text":`)
			w.scalar(f)
		}
		w.members(f.Children, first, false)
		w.raw("}")
	}
}

func (w *jsonWriter) scalar(f Field) {
	switch f.Kind {
	case Text:
		w.text(f.Value)
	case Number:
		w.number(f.Value)
	case Boolean:
		if f.Value != "true" && f.Value != "false" {
			w.fail("%q is neither true nor false", clip(f.Value))
		}
		w.raw(f.Value)
	case Null:
		w.raw("null")
	case EmptyObject:
		w.raw("{}")
	case List:
		w.fail("a list as an attribute")
	}
}
