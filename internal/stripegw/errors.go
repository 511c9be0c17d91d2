package stripegw

import (
	"errors"
	"net/http"

	"github.com/stripe/stripe-go/v76"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/outbound"
)

// classify says what an error of Stripe means to a step. In order:
//
//	card_error (402)                     Refused    the bank said no; the same key repeats it
//	429, 409 in use                      Transient  not begun
//	5xx with Idempotent-Replayed         Unknown    and the same key only repeats it: look it up
//	5xx                                  Unknown    it may have been done before it failed
//	401, 403, 400, 404, idempotency      Misuse     our request or credential is wrong
//	no connection was made               Transient  nothing was sent
//	anything else: timeout, cut, garbage Unknown    it may have been done
func classify(err error) error {
	var s *stripe.Error
	if !errors.As(err, &s) {
		return outbound.Failed(err)
	}
	status := s.HTTPStatusCode
	replayed := s.LastResponse != nil && s.LastResponse.Header.Get("Idempotent-Replayed") == "true"
	switch {
	case s.Type == stripe.ErrorTypeCard:
		return declined(s)
	case status == http.StatusTooManyRequests, status == http.StatusConflict:
		return &step.Transient{Err: tell(s)}
	case status >= 500:
		return &step.Unknown{Err: tell(s), Replayed: replayed}
	case status >= 400:
		return &step.Misuse{Code: code(s), Err: tell(s)}
	default:
		return &step.Unknown{Err: tell(s)}
	}
}

// declined is the bank's no in words for the customer. s may be nil: the
// intent shows that it was declined, and no longer why.
func declined(s *stripe.Error) error {
	if s == nil {
		return &step.Refused{Code: "card_declined", Message: "The card was declined. Please use another one."}
	}
	r := &step.Refused{Code: string(s.Code), Message: s.Msg, DeclineCode: string(s.DeclineCode)}
	switch r.DeclineCode {
	case "lost_card", "stolen_card", "fraudulent", "pickup_card", "merchant_blacklist": // not the customer's to know
		r.DeclineCode, r.Message = "generic_decline", "Your card was declined."
	}
	if r.Code == "" {
		r.Code = "card_declined"
	}
	if r.Message == "" {
		r.Message = "The card was declined. Please use another one."
	}
	return r
}

func isUnexpectedState(err error) bool {
	var s *stripe.Error
	return errors.As(err, &s) && s.Code == stripe.ErrorCodePaymentIntentUnexpectedState
}

func isAlreadyRefunded(err error) bool {
	var s *stripe.Error
	return errors.As(err, &s) && s.Code == stripe.ErrorCodeChargeAlreadyRefunded
}

func code(s *stripe.Error) string {
	if s.Code != "" {
		return string(s.Code)
	}
	return string(s.Type)
}

// told is Stripe's error as it may be logged: no parameters, no body.
type told struct{ kind, code, request string }

func (t told) Error() string {
	return "stripe: " + t.kind + " " + t.code + " (request " + t.request + ")"
}

func tell(s *stripe.Error) error {
	return told{kind: string(s.Type), code: string(s.Code), request: s.RequestID}
}
