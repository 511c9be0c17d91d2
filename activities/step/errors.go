package step

import (
	"errors"
	"fmt"
)

// Refused is a definite "no" from the other side: nothing happened and asking
// again cannot help. Code is stable and snake_case (card_declined, sold_out);
// Message is a sentence a marketplace may show its customer.
type Refused struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	DeclineCode string `json:"decline_code,omitempty"` // the card network's reason, when Code is card_declined
}

func (r *Refused) Error() string { return fmt.Sprintf("refused: %s: %s", r.Code, r.Message) }

// Transient is a failure after which we know that nothing happened: connection
// refused, 429, 503 before execution. The same key may be sent again at once.
type Transient struct{ Err error }

func (t *Transient) Error() string { return "transient: " + t.Err.Error() }
func (t *Transient) Unwrap() error { return t.Err }

// Unknown is a failure after which nobody knows whether the effect happened:
// a timeout, a cut connection, a 5xx, an answer that cannot be read.
// Replayed is true when the other side says that it repeated a stored answer,
// so that sending the same key again can never tell more: look it up.
type Unknown struct {
	Err      error
	Replayed bool
}

func (u *Unknown) Error() string { return "outcome unknown: " + u.Err.Error() }
func (u *Unknown) Unwrap() error { return u.Err }

// Misuse is an answer that means our own request or credential is wrong
// (401, idempotency_error, invalid request). Nothing happened; a person has to
// look, and compensating would only spread the damage.
type Misuse struct {
	Code string
	Err  error
}

func (m *Misuse) Error() string { return "misuse: " + m.Code + ": " + m.Err.Error() }
func (m *Misuse) Unwrap() error { return m.Err }

// Waiting is no failure: the step cannot go on before somebody outside has
// done something, such as received the goods. Whoever does it wakes the saga.
// For says what is waited for, to operators.
type Waiting struct{ For string }

func (w *Waiting) Error() string { return "waiting for " + w.For }

// AsRefused reports whether err is, or wraps, a definite refusal.
func AsRefused(err error) (*Refused, bool) {
	var r *Refused
	ok := errors.As(err, &r)
	return r, ok
}
