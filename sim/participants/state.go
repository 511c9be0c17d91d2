package participants

import (
	"crypto/rand"
	"strings"
	"time"
)

// The statuses of a reservation.
const (
	ongoing   = "ongoing"
	reserved  = "reserved"
	confirmed = "confirmed"
	refused   = "refused"
	cancelled = "cancelled"
)

// order is what is asked for.
type order struct {
	SKU      string `json:"sku"`
	Price    int64  `json:"price"`
	Currency string `json:"currency"`
	Nights   int    `json:"nights,omitempty"`
	Traveler string `json:"traveler"`
	SagaID   string `json:"saga_id"`
}

// reservation is one key's state, with how often it was asked for what.
type reservation struct {
	Kind       string
	Key        string
	Order      order
	Status     string
	Reference  string
	Code       string
	ReservedAt time.Time
	DueAt      time.Time // an ongoing one becomes reserved then
	Asks       int       // reserve calls
	Cancels    int       // cancel calls
}

// A Line is one event in the book. Op is reserved, confirmed, cancelled,
// refused, null_cancel (cancelled before it was asked for) or dangling_refused
// (asked for after that).
type Line struct {
	At       time.Time `json:"at"`
	SagaID   string    `json:"saga_id"`
	Kind     string    `json:"kind"`
	Key      string    `json:"key"`
	Op       string    `json:"op"`
	Price    int64     `json:"price"`
	Currency string    `json:"currency"`
}

// change is everything one call did: one line of the journal.
type change struct {
	Reservation reservation
	Book        []Line    `json:",omitempty"`
	Delivery    *delivery `json:",omitempty"` // then it is nothing else
}

// outcome is what a call is answered with. Silent: not at all.
type outcome struct {
	status  int
	code    string
	message string
	silent  bool
	garbage bool
}

var done = outcome{status: 200}

func refusal(code, message string) outcome { return outcome{status: 409, code: code, message: message} }

func suffix(sku, what string) bool { return strings.HasSuffix(sku, "-"+what) }

// reserve asks for an item under a key.
func (s *Server) reserve(r *reservation, o order, now time.Time) outcome {
	if r.Status == cancelled {
		s.write(r, "dangling_refused", now)
		return refusal("cancelled", "It was cancelled before.")
	}
	if r.Status != "" && r.Order != o {
		return outcome{status: 422, code: "key_reused", message: "The key was used for another order."}
	}
	r.Order = o
	r.Asks++
	switch {
	case r.Status == reserved || r.Status == confirmed:
		return s.answered(r)
	case r.Status == refused:
		return refusal(r.Code, soldOut)
	case suffix(o.SKU, "REFUSE"):
		r.Status, r.Code = refused, "sold_out"
		s.write(r, refused, now)
		return refusal(r.Code, soldOut)
	case suffix(o.SKU, "HANG"):
		return outcome{silent: true}
	case suffix(o.SKU, "GARBAGE"):
		return outcome{garbage: true}
	case suffix(o.SKU, "FLAKY2") && r.Asks <= 2:
		return outcome{status: 503, code: "unavailable", message: "Nothing was done. Ask again."}
	case suffix(o.SKU, "LATE"):
		if r.Status == "" {
			r.Status, r.DueAt = ongoing, now.Add(s.cfg.LateAfter)
		}
		return outcome{silent: true}
	case suffix(o.SKU, "ONGOING"):
		if r.Status == "" {
			r.Status, r.DueAt = ongoing, now.Add(decides)
		}
		return outcome{status: 202}
	}
	s.hold(r, now)
	return s.answered(r)
}

// decides is how long an -ONGOING reservation takes.
const decides = 500 * time.Millisecond

const soldOut = "Nothing is left of what you asked for."

// answered is the answer to a reserve that is, or was, done.
func (s *Server) answered(r *reservation) outcome {
	if suffix(r.Order.SKU, "DONETIMEOUT") {
		return outcome{silent: true}
	}
	return done
}

func (s *Server) hold(r *reservation, now time.Time) {
	r.Status, r.Reference, r.ReservedAt, r.DueAt = reserved, strings.ToUpper(r.Kind[:2])+rand.Text()[:8], now, time.Time{}
	s.write(r, reserved, now)
}

func (s *Server) confirm(r *reservation, now time.Time) outcome {
	switch r.Status {
	case confirmed:
		return done
	case reserved:
		r.Status = confirmed
		s.write(r, confirmed, now)
		return done
	case ongoing:
		return outcome{status: 202}
	case cancelled:
		return refusal("cancelled", "It was cancelled.")
	default:
		return refusal("not_reserved", "Nothing is held under this key.")
	}
}

func (s *Server) cancel(r *reservation, now time.Time) outcome {
	r.Cancels++
	switch {
	case r.Status == cancelled:
		return done
	case suffix(r.Order.SKU, "CANCELNEVER"), suffix(r.Order.SKU, "CANCELFAIL3") && r.Cancels <= 3:
		return outcome{status: 500, code: "internal", message: "Something went wrong."}
	}
	op := cancelled
	if r.Status == "" || r.Status == ongoing {
		op = "null_cancel"
	}
	r.Status, r.DueAt = cancelled, time.Time{}
	s.write(r, op, now)
	return done
}

func (s *Server) write(r *reservation, op string, now time.Time) {
	s.lines = append(s.lines, Line{
		At: now, SagaID: sagaOf(r), Kind: r.Kind, Key: r.Key, Op: op, Price: r.Order.Price, Currency: r.Order.Currency,
	})
}

// sagaOf is whose reservation it is: what the order said, or the key's first
// part when there was none.
func sagaOf(r *reservation) string {
	if r.Order.SagaID != "" {
		return r.Order.SagaID
	}
	saga, _, _ := strings.Cut(r.Key, ":")
	return saga
}
