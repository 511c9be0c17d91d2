package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
)

// validate holds the request against the contract and reports everything that
// is wrong with it at once.
func (s *server) validate(c *gin.Context) {
	op, w := s.operation(c), whereOf(c.Request.Context())
	if w.posting != nil { // holds already
		return
	}
	params := map[string]string{}
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	body := w.body
	request := c.Request.WithContext(c.Request.Context()) // a copy with a body of its own
	request.Body = http.NoBody
	if len(body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(body))
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, QueryParams: c.Request.URL.Query(),
		Route: &routers.Route{Spec: s.document, Path: op.path, PathItem: op.item, Method: c.Request.Method, Operation: op.op},
		Options: &openapi3filter.Options{
			MultiError: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, SkipSettingDefaults: true,
			ExcludeRequestBody: len(body) == 0 && (op.op.RequestBody == nil || !op.op.RequestBody.Value.Required),
		},
	})
	if err == nil {
		return
	}
	var fields []FieldError
	collect(err, "", &fields)
	s.abort(c, &refusal{code: "validation_failed", fields: fields})
}

// collect flattens the validator's errors.
func collect(err error, at string, out *[]FieldError) {
	var multi openapi3.MultiError
	var request *openapi3filter.RequestError
	var schema *openapi3.SchemaError
	switch e := err.(type) { //nolint:errorlint // the tree is walked, not searched
	case openapi3.MultiError:
		for _, one := range e {
			collect(one, at, out)
		}
		return
	case *openapi3filter.RequestError:
		if e.Parameter != nil {
			at = "#/parameters/" + e.Parameter.Name
		}
		if e.Err == nil {
			*out = append(*out, FieldError{Pointer: at, Code: "required", Detail: "is missing or empty"})
			return
		}
		collect(e.Err, at, out)
		return
	case *openapi3.SchemaError:
		*out = append(*out, describe(e, at))
		return
	}
	switch {
	case errors.As(err, &multi):
		collect(multi, at, out)
	case errors.As(err, &schema):
		*out = append(*out, describe(schema, at))
	case errors.As(err, &request) && request != err: //nolint:errorlint // only a deeper one
		collect(request, at, out)
	default:
		*out = append(*out, FieldError{Pointer: at, Code: "invalid", Detail: "cannot be read"})
	}
}

// describe says what a schema wants, and never what was there.
func describe(e *openapi3.SchemaError, at string) FieldError {
	f := FieldError{Pointer: at}
	if at == "" {
		for _, part := range e.JSONPointer() {
			f.Pointer += "/" + escape(part)
		}
	}
	schema := e.Schema
	switch e.SchemaField {
	case "required":
		f.Code, f.Detail = "required", "is missing"
	case "properties", "additionalProperties":
		f.Code, f.Detail = "unknown_member", "is not a member the API knows"
		if name := unknownMember(e.Reason); name != "" && !strings.HasSuffix(f.Pointer, "/"+escape(name)) {
			f.Pointer += "/" + escape(name)
		}
	case "type", "format", "nullable":
		f.Code, f.Detail = "wrong_type", "must be "+want(schema)
	case "minimum", "maximum":
		f.Code, f.Detail = "out_of_range", "must be "+bounds(schema)
	case "minLength", "maxLength":
		f.Code = "wrong_length"
		if schema.MaxLength != nil {
			f.Detail = fmt.Sprintf("must have %d to %d characters", schema.MinLength, *schema.MaxLength)
		} else {
			f.Detail = fmt.Sprintf("must have at least %d characters", schema.MinLength)
		}
	case "pattern":
		f.Code, f.Detail = "wrong_form", "must match "+schema.Pattern
	case "enum":
		var words []string
		for _, v := range schema.Enum {
			words = append(words, fmt.Sprint(v))
		}
		f.Code, f.Detail = "unknown_value", "must be one of "+strings.Join(words, ", ")
	case "maxProperties":
		f.Code, f.Detail = "too_many", "has too many members"
	default:
		f.Code, f.Detail = "invalid", "is not what the contract asks for"
	}
	return f
}

func want(schema *openapi3.Schema) string {
	if schema == nil || schema.Type == nil {
		return "of another type"
	}
	switch {
	case schema.Type.Is("integer"):
		return "an integer"
	case schema.Type.Is("object"):
		return "an object"
	case schema.Type.Is("string") && schema.Format == "date-time":
		return "a time such as 2026-11-23T14:03:22Z"
	case schema.Type.Is("string"):
		return "a string"
	default:
		return "of type " + strings.Join(schema.Type.Slice(), " or ")
	}
}

func bounds(schema *openapi3.Schema) string {
	switch {
	case schema.Min != nil && schema.Max != nil:
		return fmt.Sprintf("%.0f to %.0f", *schema.Min, *schema.Max)
	case schema.Min != nil:
		return fmt.Sprintf("at least %.0f", *schema.Min)
	case schema.Max != nil:
		return fmt.Sprintf("at most %.0f", *schema.Max)
	default:
		return "in range"
	}
}

// unknownMember finds the quoted name in the validator's reason.
func unknownMember(reason string) string {
	_, rest, ok := strings.Cut(reason, `"`)
	name, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed || len(name) > 100 {
		return ""
	}
	return name
}
