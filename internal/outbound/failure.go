package outbound

import (
	"errors"
	"net"
	"net/http"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/internal/txguard"
)

// Failed is what it means for a step that a call had no answer: nothing was
// sent when no connection was made, and otherwise nobody knows.
func Failed(err error) error {
	var dial *net.OpError
	switch {
	case errors.Is(err, txguard.ErrInTransaction):
		return &step.Misuse{Code: "in_transaction", Err: err}
	case errors.As(err, &dial) && dial.Op == "dial":
		return &step.Transient{Err: err}
	default:
		return &step.Unknown{Err: err}
	}
}

// Answered is what a status means that the contract with a party, called who,
// does not say otherwise of: 429 and 503 that nothing was done, another 4xx that
// our request or credential is wrong, anything else that nobody knows.
func Answered(status int, who string, err error) error {
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return &step.Transient{Err: err}
	case status >= 400 && status < 500:
		return &step.Misuse{Code: who + "_" + http.StatusText(status), Err: err}
	default:
		return &step.Unknown{Err: err}
	}
}
