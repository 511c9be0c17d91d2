package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
)

const (
	maxBody  = 64 << 10
	maxDepth = 32

	bodyPatience = 10 * time.Second // a body that comes slower is not waited for
)

// readBody takes the body of a changing request: bounded, JSON, and without
// what must not reach us. Nothing of a refused body is kept.
func (s *server) readBody(c *gin.Context) {
	w := whereOf(c.Request.Context())
	op := s.operation(c).op
	w.plain = (op.OperationID == "ledgerCheckpoint" || op.OperationID == "custodyCheckpoint") && !strings.Contains(c.GetHeader("Accept"), "application/json")
	plainly := w.plain && strings.Contains(c.GetHeader("Accept"), "text/plain")
	document := op.OperationID == "transferT3" && takesDocument(c.GetHeader("Accept"))
	if !accepts(c.GetHeader("Accept")) && !plainly && !document {
		s.abort(c, refuse("not_acceptable"))
		return
	}
	w.stream = strings.Contains(c.GetHeader("Accept"), "text/event-stream")
	if c.Request.Method != http.MethodPost {
		return
	}
	in := http.NewResponseController(c.Writer)
	_ = in.SetReadDeadline(time.Now().Add(bodyPatience)) // not every writer has one; the server's does
	var taken bytes.Buffer
	taken.Grow(int(min(max(c.Request.ContentLength, 0), maxBody)) + bytes.MinRead)
	_, err := taken.ReadFrom(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	body := taken.Bytes()
	_ = in.SetReadDeadline(time.Time{})
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		s.abort(c, refuse("body_too_large"))
		return
	}
	if err != nil {
		s.abort(c, refuse("invalid_json"))
		return
	}
	if len(body) == 0 && (op.RequestBody == nil || !op.RequestBody.Value.Required) {
		return
	}
	if !isJSON(c.GetHeader("Content-Type")) || c.GetHeader("Content-Encoding") != "" {
		s.abort(c, refuse("unsupported_media_type"))
		return
	}
	w.body = body
	if op.OperationID == "postTransaction" {
		if w.posting = readPlainly(body); w.posting != nil {
			return
		}
	}
	if err := inspect(body); err != nil {
		s.abort(c, err)
		return
	}
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	c.Request.ContentLength = int64(len(body))
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// takesDocument reports whether a client wants a document as it is; which
// format it is in, format says.
func takesDocument(header string) bool {
	return strings.Contains(header, "application/xml") || strings.Contains(header, "application/ld+json") || strings.Contains(header, "text/xml")
}

func accepts(header string) bool {
	if header == "" {
		return true
	}
	for part := range strings.SplitSeq(header, ",") {
		kind, _, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		switch kind {
		case "*/*", "application/*", "application/json", "application/problem+json", "text/event-stream", "text/*":
			return true
		}
	}
	return false
}

// inspect walks a JSON text once: well-formed, one object, not too deep, no
// member twice, no card number, no secret.
func inspect(body []byte) error {
	if !utf8.Valid(body) {
		return refuse("invalid_json")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	w := walker{d: d}
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return &refusal{code: "invalid_json", detail: "The body is not a JSON object."}
	}
	if err := w.object("", 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &refusal{code: "invalid_json", detail: "Something follows the JSON object."}
	}
	return nil
}

type walker struct{ d *json.Decoder }

func (w walker) object(at string, depth int) error {
	seen := map[string]bool{}
	for w.d.More() {
		token, err := w.d.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return syntax(err)
		}
		if err := forbidden(name, at); err != nil {
			return err
		}
		pointer := at + "/" + escape(name)
		if seen[name] {
			return &refusal{code: "invalid_json", detail: "A member is named twice.", fields: []FieldError{{Pointer: pointer, Code: "duplicate", Detail: "is there twice"}}}
		}
		seen[name] = true
		if err := w.value(pointer, depth); err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	return syntax(err)
}

func (w walker) array(at string, depth int) error {
	for i := 0; w.d.More(); i++ {
		if err := w.value(at+"/"+strconv.Itoa(i), depth); err != nil {
			return err
		}
	}
	_, err := w.d.Token()
	return syntax(err)
}

func (w walker) value(at string, depth int) error {
	token, err := w.d.Token()
	if err != nil {
		return syntax(err)
	}
	switch v := token.(type) {
	case json.Delim:
		if depth >= maxDepth {
			return &refusal{code: "invalid_json", detail: "The body is nested deeper than 32 levels."}
		}
		if v == '{' {
			return w.object(at, depth+1)
		}
		return w.array(at, depth+1)
	case string:
		if identifies(at) {
			return nil
		}
		return forbidden(v, at)
	case json.Number:
		switch at[strings.LastIndexByte(at, '/')+1:] {
		case "price", "amount", "floor", "ceiling":
			return nil
		}
		return forbidden(v.String(), at)
	}
	return nil
}

func syntax(err error) error {
	if err == nil {
		return nil
	}
	return &refusal{code: "invalid_json", detail: "The body is not well-formed JSON."}
}

// pointerEscapes are those of a JSON pointer's part (RFC 6901). A replacer is
// built when it is first used, which costs more than a whole request.
var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escape(name string) string { return pointerEscapes.Replace(name) }

// identifies reports whether a member holds GS1 identifiers, which are as long
// as card numbers and have a check digit too; its handler takes nothing else.
func identifies(at string) bool {
	at = strings.TrimRight(at, "0123456789")
	at = strings.TrimSuffix(at, "/")
	switch at[strings.LastIndexByte(at, '/')+1:] {
	case "units", "received", "unit", "gtin", "glns", "seller", "buyer", "ship_from", "ship_to":
		return true
	}
	return false
}

// forbidden refuses a text that holds a card number or a secret key. The text
// itself is in no message.
func forbidden(text, at string) error {
	if holdsCardNumber(text) {
		return refuseField("card_number_refused", at, "looks like a card number; send a payment method token")
	}
	if !strings.Contains(text, "_") {
		return nil
	}
	for _, prefix := range [...]string{"sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"} {
		if strings.Contains(text, prefix) {
			return refuseField("secret_refused", at, "holds a secret key")
		}
	}
	return nil
}

// cardShape is how people write card numbers: in one run, in fours, or 4-6-5.
// Letters beside it (as in a UUID) mean that it is something else.
var cardShape = regexp.MustCompile(`(?:^|[^0-9A-Za-z])([2-6](?:\d{12,18}|\d{3}(?:[ -]\d{4}){3}(?:[ -]\d{1,3})?|\d{3}[ -]\d{6}[ -]\d{4,5}))(?:$|[^0-9A-Za-z])`)

const leastCardDigits = 13

var cardSpacing = strings.NewReplacer(" ", "", "-", "")

// holdsCardNumber reports whether a text has a number that looks like a card's
// and passes its check digit (ISO/IEC 7812-1, annex B).
func holdsCardNumber(text string) bool {
	digits := 0
	for i := range len(text) {
		if '0' <= text[i] && text[i] <= '9' {
			digits++
		}
	}
	if digits < leastCardDigits { // nearly every text, and for a fraction of what the expression costs
		return false
	}
	for _, found := range cardShape.FindAllStringSubmatch(text, -1) {
		digits := cardSpacing.Replace(found[1])
		if len(digits) >= leastCardDigits && len(digits) <= 19 && luhn(digits) {
			return true
		}
	}
	return false
}

func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[i] - '0')
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
