package stripe

import "net/http"

// apiError is Stripe's error object. Early marks a refusal before execution,
// which the idempotency layer does not store.
type apiError struct {
	Status        int            `json:"-"`
	Early         bool           `json:"-"`
	Type          string         `json:"type"`
	Code          string         `json:"code,omitempty"`
	DeclineCode   string         `json:"decline_code,omitempty"`
	Message       string         `json:"message"`
	Param         string         `json:"param,omitempty"`
	Charge        string         `json:"charge,omitempty"`
	PaymentIntent map[string]any `json:"payment_intent,omitempty"`
}

func invalid(code, param, message string) *apiError {
	return &apiError{Status: http.StatusBadRequest, Type: "invalid_request_error", Code: code, Param: param, Message: message}
}

// early is a refusal of the parameters themselves.
func early(code, param, message string) *apiError {
	e := invalid(code, param, message)
	e.Early = true
	return e
}

func missing(kind, id string) *apiError {
	return &apiError{
		Status: http.StatusNotFound, Type: "invalid_request_error", Code: "resource_missing", Param: "id",
		Message: "No such " + kind + ": '" + id + "'",
	}
}

func internal() *apiError {
	return &apiError{Status: http.StatusInternalServerError, Type: "api_error", Message: "An unknown error occurred"}
}
