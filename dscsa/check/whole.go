package check

import (
	"errors"
	"fmt"
	"io"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Refused takes an error of a reader. goOn says whether the reader can give the
// next event. An error that is not about the document, such as a disk that
// fails, is returned as it came.
func (c *Checker) Refused(err error) (goOn bool, _ error) {
	var e *epcis.Error
	if !errors.As(err, &e) {
		return false, err
	}
	if e.Resumable {
		c.n++ // refused, but one of the events all the same
	}
	c.broken = true
	told := false
	for _, f := range e.Faults {
		c.refused = f.Rule == e.Rule
		told = told || c.refused
		c.fault(f, c.n)
	}
	if !told {
		message := e.Message
		if e.Line > 0 {
			message = fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, message)
		}
		f := epcis.Fault{Rule: e.Rule, Where: e.Where, Message: message}
		c.refused = true
		c.fault(f, c.n)
	}
	c.refused = false
	return e.Resumable, nil
}

// Whole reads a document to its end and checks it, without a store. The error
// is one of the source, not of the document.
func Whole(r io.Reader, limits epcis.Limits, o Options) (Report, error) {
	c := New(o)
	in, err := epcis.NewReader(r, limits)
	if err != nil {
		if _, err := c.Refused(err); err != nil {
			return Report{}, err
		}
		return c.Report(), nil
	}
	for {
		c.Document(in.Document())
		e, err := in.Next()
		if err == nil {
			c.Event(e)
			in.Recycle(e)
			continue
		}
		if errors.Is(err, io.EOF) {
			break
		}
		goOn, err := c.Refused(err)
		if err != nil {
			return Report{}, err
		}
		if !goOn {
			break
		}
	}
	c.Document(in.Document())
	return c.Report(), nil
}
