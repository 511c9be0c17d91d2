package epcis

import "bufio"

//nolint:unparam // until JSON is read
func newJSONReader(*bufio.Reader, Limits) (eventSource, error) {
	return nil, &Error{Rule: RuleFormat, Where: "document", Message: "JSON is not supported; send the document as XML"}
}
