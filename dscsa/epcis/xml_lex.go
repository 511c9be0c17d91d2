package epcis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"unicode/utf8"
)

// window is the part of a document that is being read. Each token (a tag, a
// text, a comment) has to fit into it, so it grows to the longest that is
// allowed and no further.
//
// Bytes are checked as they come in: only those that are UTF-8 and characters
// of XML 1.0 (section 2.2) are ever seen by the lexer.
type window struct {
	src      io.Reader
	longest  int // bytes of a token
	buf      []byte
	r        int   // of buf: the next byte
	v        int   // of buf: the end of what is checked
	w        int   // of buf: the end of what is read
	err      error // what comes after v
	mark     int   // of buf: what line and column are of
	line     int   // lines before mark
	column   int   // bytes between the last of these lines and mark
	amp      int   // the next & at or after r, as far as known; see within
	cr       int
	brackets int
}

const firstWindow = 16 << 10

func newWindow(src io.Reader, longest int) window {
	return window{src: src, longest: longest, buf: make([]byte, firstWindow), amp: -1, cr: -1, brackets: -1}
}

// more reads on. What is left of the window moves to its front when there is
// little room behind it, so positions are relative to r. The error is io.EOF
// at the end.
func (w *window) more() error {
	if w.err != nil {
		return w.err
	}
	if w.r > 0 && len(w.buf)-w.w < len(w.buf)/2 {
		w.settle()
		copy(w.buf, w.buf[w.r:w.w])
		w.v -= w.r
		w.w -= w.r
		w.r, w.mark = 0, 0
	}
	if w.w == len(w.buf) {
		if w.w-w.r > w.longest {
			return w.fail(0, RuleLimit, fmt.Sprintf("a tag, text or comment is longer than %d bytes", w.longest))
		}
		w.buf = append(w.buf, make([]byte, len(w.buf))...)
	}
	w.amp, w.cr, w.brackets = -1, -1, -1
	for range 100 {
		n, err := w.src.Read(w.buf[w.w:])
		w.w += n
		w.check(err)
		if n > 0 || w.err != nil {
			return nil // an error shows when what comes before it is used up
		}
	}
	w.err = readError(io.ErrNoProgress)
	return w.err
}

// check moves v over the characters read and sets err where they end.
func (w *window) check(readErr error) {
	const high = 0x8080808080808080
	for w.v < w.w {
		if w.v+8 <= w.w {
			x := binary.LittleEndian.Uint64(w.buf[w.v:])
			odd := (x | (x - 0x2020202020202020)) & high // not ASCII, or below a blank
			if odd == 0 {
				w.v += 8
				continue
			}
			w.v += bits.TrailingZeros64(odd) / 8
		}
		c := w.buf[w.v]
		if c < utf8.RuneSelf {
			if c < ' ' && !isBlank(c) {
				w.err = w.fail(w.v-w.r, RuleSyntax, fmt.Sprintf("the control character U+%04X is not allowed in XML", c))
				return
			}
			w.v++
			continue
		}
		if readErr == nil && !utf8.FullRune(w.buf[w.v:w.w]) {
			return
		}
		r, size := utf8.DecodeRune(w.buf[w.v:w.w])
		if r == utf8.RuneError && size == 1 {
			w.err = w.fail(w.v-w.r, RuleEncoding, "is not UTF-8; send the document in UTF-8, or in UTF-16 with a byte order mark")
			return
		}
		if r == 0xfffe || r == 0xffff {
			w.err = w.fail(w.v-w.r, RuleSyntax, fmt.Sprintf("U+%04X is not allowed in XML", r))
			return
		}
		w.v += size
	}
	if readErr != nil && !errors.Is(readErr, io.EOF) {
		readErr = readError(readErr)
	}
	w.err = readErr
}

// fill makes sure that n bytes are there. The error is io.EOF when there are
// not that many.
func (w *window) fill(n int) error {
	for w.v-w.r < n {
		if err := w.more(); err != nil {
			return err
		}
	}
	return nil
}

// at is the byte at offset i from r.
func (w *window) at(i int) (byte, error) {
	if w.r+i >= w.v {
		if err := w.fill(i + 1); err != nil {
			return 0, err
		}
	}
	return w.buf[w.r+i], nil
}

// find looks for c from offset i on and gives its offset.
func (w *window) find(i int, c byte) (int, error) {
	for {
		if w.r+i < w.v {
			if j := bytes.IndexByte(w.buf[w.r+i:w.v], c); j >= 0 {
				return i + j, w.short(i + j)
			}
		}
		i = max(i, w.v-w.r)
		if err := w.short(i); err != nil {
			return 0, err
		}
		if err := w.more(); err != nil {
			return 0, err
		}
	}
}

// short refuses a token that is longer than allowed.
func (w *window) short(n int) error {
	if n > w.longest {
		return w.fail(0, RuleLimit, fmt.Sprintf("a tag, text or comment is longer than %d bytes", w.longest))
	}
	return nil
}

// within tells whether c is among the next n bytes. next remembers where the
// next one is, so that looking for something rare costs nothing.
func (w *window) within(next *int, c byte, n int) bool {
	if *next < w.r {
		*next = w.v
		if i := bytes.IndexByte(w.buf[w.r:w.v], c); i >= 0 {
			*next = w.r + i
		}
	}
	return *next < w.r+n
}

// skipBlanks goes to the next byte that is not white space.
func (w *window) skipBlanks() error {
	const blanks = 0x2020202020202020
	for {
		r := w.r
		for r < w.v && isBlank(w.buf[r]) {
			r++
			for r+8 <= w.v && binary.LittleEndian.Uint64(w.buf[r:]) == blanks {
				r += 8
			}
		}
		w.r = r
		if r < w.v {
			return nil
		}
		if err := w.more(); err != nil {
			return err
		}
	}
}

// position is the line and column of offset i.
func (w *window) position(i int) (line, column int) {
	since := w.buf[w.mark : w.r+i]
	if last := bytes.LastIndexByte(since, '\n'); last >= 0 {
		return w.line + bytes.Count(since, []byte("\n")) + 1, len(since) - last
	}
	return w.line + 1, w.column + len(since) + 1
}

// settle moves the mark to r, so that no line is counted twice.
func (w *window) settle() {
	line, column := w.position(0)
	w.line, w.column, w.mark = line-1, column-1, w.r
}

// fail is an error at offset i.
func (w *window) fail(i int, rule, message string) error {
	line, column := w.position(i)
	return &Error{Rule: rule, Where: "document", Line: line, Column: column, Message: message}
}

// isBlank is white space of XML (section 2.3) and of JSON.
func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
