package epcis

import (
	"bytes"
	"unsafe"
)

// node is one element of the tree of an event (or of a small element of the
// header). A tree lies in xmlReader.nodes in document order and is used again
// for the next event.
type node struct {
	name    *name
	space   space
	element element
	attrs   uint16 // how many
	attr    uint32 // the first of them, in nodeAttrs
	text    span
	next    uint32 // the node after the last one within this one
}

const nodeSize = int(unsafe.Sizeof(node{}))

// tree reads the element whose start tag has just been read, to its end. Its
// nodes refer to x.value, which is one string for all of them.
func (x *xmlReader) tree() error {
	x.nodes, x.nodeAttrs, x.path = x.nodes[:0], x.nodeAttrs[:0], x.path[:0]
	x.push()
	for len(x.path) > 0 {
		t, err := x.token()
		if err != nil {
			return err
		}
		at := x.path[len(x.path)-1]
		if t == startTag {
			x.endText(at, x.attrsAt) // the values of the tag lie behind its text
			x.push()
			if err := x.room(); err != nil {
				return err
			}
			continue
		}
		x.endText(at, len(x.pool))
		x.nodes[at].next = uint32(len(x.nodes))
		x.path = x.path[:len(x.path)-1]
	}
	x.value = string(x.pool)
	return nil
}

// push adds the element whose start tag has just been read.
func (x *xmlReader) push() {
	x.path = append(x.path, uint32(len(x.nodes)))
	x.nodes = append(x.nodes, node{
		name: x.cur, space: x.curSpace, element: x.curElement,
		attr: uint32(len(x.nodeAttrs)), attrs: uint16(len(x.attrs)),
	})
	x.nodeAttrs = append(x.nodeAttrs, x.attrs...)
}

// endText gives the text gathered since the last tag to a node. A node with
// text on both sides of a child gets them as one.
func (x *xmlReader) endText(at uint32, end int) {
	if x.run == end {
		return
	}
	text := trimmed(x.pool, x.run, end)
	n := &x.nodes[at]
	if n.text.n > 0 && text.n > 0 {
		whole := uint32(len(x.pool))
		x.pool = append(x.pool, x.pool[n.text.at:n.text.at+n.text.n]...)
		x.pool = append(x.pool, x.pool[text.at:text.at+text.n]...)
		text = span{whole, n.text.n + text.n}
	}
	if text.n > 0 {
		n.text = text
	}
}

// trimmed is pool[from:to] without the blanks around it.
func trimmed(pool []byte, from, to int) span {
	for from < to && isBlank(pool[from]) {
		from++
	}
	for from < to && isBlank(pool[to-1]) {
		to--
	}
	return span{uint32(from), uint32(to - from)}
}

// of gives the string of a span of the tree just read.
func (x *xmlReader) of(s span) string { return x.value[s.at : s.at+s.n] }

// text is the text of a node of the tree just read.
func (x *xmlReader) textOf(n *node) string { return x.of(n.text) }

// attributesOf are the attributes of a node.
func (x *xmlReader) attributesOf(n *node) []attribute {
	return x.nodeAttrs[n.attr : n.attr+uint32(n.attrs)]
}

// attributeOf is the value of an attribute without a namespace, less the
// blanks around it.
func (x *xmlReader) attributeOf(n *node, local string) string {
	for _, a := range x.attributesOf(n) {
		if a.space == noSpace && a.name.local == local {
			return x.of(trimmedString(x.value, a.value))
		}
	}
	return ""
}

func trimmedString(s string, at span) span {
	from, to := at.at, at.at+at.n
	for from < to && isBlank(s[from]) {
		from++
	}
	for from < to && isBlank(s[to-1]) {
		to--
	}
	return span{from, to - from}
}

// field makes a Field of a node and all that is within it.
func (x *xmlReader) field(at uint32) Field {
	n := &x.nodes[at]
	return Field{Name: x.nameOf(n), Value: x.textOf(n), Attrs: x.attributeFields(n), Children: x.fieldsWithin(at)}
}

// fieldsWithin makes Fields of the elements directly within a node.
func (x *xmlReader) fieldsWithin(at uint32) []Field {
	count := x.children(at)
	if count == 0 {
		return nil
	}
	fields := x.takeFields(count)
	i := 0
	for c := at + 1; c < x.nodes[at].next; c = x.nodes[c].next {
		fields[i] = x.field(c)
		i++
	}
	return fields
}

// attributeFields makes Fields of the attributes of a node.
func (x *xmlReader) attributeFields(n *node) []Field {
	if n.attrs == 0 {
		return nil
	}
	fields := x.takeFields(int(n.attrs))
	for i, a := range x.attributesOf(n) {
		fields[i] = Field{Name: Name{x.spaces.uris[a.space], a.name.local}, Value: x.of(a.value)}
	}
	return fields
}

func (x *xmlReader) nameOf(n *node) Name { return Name{x.spaces.uris[n.space], n.name.local} }

// children counts the elements directly within a node.
func (x *xmlReader) children(at uint32) (count int) {
	for c := at + 1; c < x.nodes[at].next; c = x.nodes[c].next {
		count++
	}
	return count
}

// takeFields gives a slice out of one that holds all fields of an event.
func (x *xmlReader) takeFields(n int) []Field {
	if len(x.fields) < n {
		x.fields = make([]Field, max(n, 4))
	}
	taken := x.fields[:n:n]
	x.fields = x.fields[n:]
	return taken
}

// blank tells whether there is nothing but blanks in the pool since the last
// tag.
func (x *xmlReader) blank(end int) bool { return len(bytes.TrimSpace(x.pool[x.run:end])) == 0 }
