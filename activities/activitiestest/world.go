package activitiestest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
)

// Fault is what goes wrong with one call.
type Fault string

// The faults.
const (
	Fine        Fault = ""
	Refuse      Fault = "refuse"       // a definite no
	NotDone     Fault = "not done"     // and we know it
	NobodyKnows Fault = "nobody knows" // not done, and we do not learn it
	DoneUnseen  Fault = "done unseen"  // done, and we do not learn it
	Replayed500 Fault = "replayed 500" // not done, and the same key will only repeat the failure
)

// Plan plants faults: for the call of that name the first Times calls fail so.
type Plan struct {
	Call  string
	Fault Fault
	Times int
}

// Fee is what the processor keeps of a capture.
const Fee = 465

// World is the processor and the participants, with the book of what really
// happened. Calls are named create, confirm, capture, void, refund and, with
// the kind after a colon, reserve, book and release.
type World struct {
	mu       sync.Mutex
	plans    []Plan
	onCall   func(n int)
	calls    int
	intents  map[string]*intent // by id
	byKey    map[string]string  // create's key to id
	bookings map[string]*activities.Reservation

	Captures, Refunds  int
	Captured, Refunded int64
}

type intent struct {
	activities.Intent
	manual bool
}

var (
	_ activities.PaymentGateway = (*World)(nil)
	_ activities.Participants   = (*World)(nil)
)

// NewWorld returns a world with these faults. onCall, if not nil, is told of
// every writing call before it runs, with its number from 1.
func NewWorld(onCall func(n int), plans ...Plan) *World {
	return &World{
		plans: slices.Clone(plans), onCall: onCall,
		intents: map[string]*intent{}, byKey: map[string]string{}, bookings: map[string]*activities.Reservation{},
	}
}

// Calls is how many writing calls there were.
func (w *World) Calls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls
}

// Held is the sum of authorisations that are neither taken nor released.
func (w *World) Held() int64 {
	var sum int64
	for _, in := range w.intents {
		if in.Status == activities.IntentRequiresCapture {
			sum += in.Amount
		}
	}
	return sum
}

// Reservations counts the reservations by status.
func (w *World) Reservations() map[activities.ReservationStatus]int {
	out := map[activities.ReservationStatus]int{}
	for _, r := range w.bookings {
		out[r.Status]++
	}
	return out
}

// call runs one writing call with the fault that is due.
func (w *World) call(name string, refuse func() error, act func() error) error {
	w.mu.Lock()
	w.calls++
	n := w.calls
	w.mu.Unlock()
	if w.onCall != nil {
		w.onCall(n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	broken := fmt.Errorf("planted in %s", name)
	switch w.due(name) {
	case Refuse:
		return refuse()
	case NotDone:
		return &step.Transient{Err: broken}
	case NobodyKnows:
		return &step.Unknown{Err: broken}
	case Replayed500:
		return &step.Unknown{Err: broken, Replayed: true}
	case DoneUnseen:
		if err := act(); err != nil {
			return err
		}
		return &step.Unknown{Err: broken}
	default:
		return act()
	}
}

func (w *World) due(name string) Fault {
	for i := range w.plans {
		if p := &w.plans[i]; p.Call == name && p.Times > 0 {
			p.Times--
			return p.Fault
		}
	}
	return Fine
}

// CreateIntent implements activities.PaymentGateway.
func (w *World) CreateIntent(_ context.Context, key string, r activities.IntentRequest) (activities.Intent, error) {
	var out activities.Intent
	err := w.call("create", nobodyRefuses, func() error {
		id, ok := w.byKey[key]
		if !ok {
			id = fmt.Sprintf("pi_%d", len(w.intents)+1)
			w.byKey[key] = id
			w.intents[id] = &intent{manual: r.ManualCapture, Intent: activities.Intent{
				ID: id, Status: activities.IntentRequiresConfirmation, Amount: r.Amount, Currency: r.Currency,
			}}
		}
		out = w.intents[id].Intent
		return nil
	})
	return out, err
}

// ConfirmIntent implements activities.PaymentGateway.
func (w *World) ConfirmIntent(_ context.Context, _, id string) (activities.Intent, error) {
	return w.change("confirm", id, func(in *intent) error {
		in.Status = activities.IntentRequiresPaymentMethod
		return &step.Refused{Code: "card_declined", Message: "The card was declined.", DeclineCode: "generic_decline"}
	}, func(in *intent) error {
		switch {
		case in.Status == activities.IntentCanceled:
			return &step.Refused{Code: "payment_intent_canceled", Message: "The payment was cancelled."}
		case in.Status != activities.IntentRequiresConfirmation:
		case in.manual:
			in.Status = activities.IntentRequiresCapture
		default:
			w.capture(in)
		}
		return nil
	})
}

// CaptureIntent implements activities.PaymentGateway.
func (w *World) CaptureIntent(_ context.Context, _, id string) (activities.Intent, error) {
	return w.change("capture", id, func(in *intent) error {
		in.Status = activities.IntentCanceled
		return &step.Refused{Code: "authorization_expired", Message: "The authorisation has lapsed."}
	}, func(in *intent) error {
		if in.Status == activities.IntentCanceled {
			return &step.Refused{Code: "authorization_expired", Message: "The authorisation has lapsed."}
		}
		if in.Status == activities.IntentRequiresCapture {
			w.capture(in)
		}
		return nil
	})
}

func (w *World) capture(in *intent) {
	in.Status, in.Received, in.Fee, in.BalanceTransactionID = activities.IntentSucceeded, in.Amount, Fee, "txn_"+in.ID
	w.Captures++
	w.Captured += in.Amount
}

// CancelIntent implements activities.PaymentGateway.
func (w *World) CancelIntent(_ context.Context, _, id string) (activities.Intent, error) {
	return w.change("void", id, nil, func(in *intent) error {
		if in.Status == activities.IntentSucceeded {
			return &step.Refused{Code: "payment_intent_succeeded", Message: "The payment was taken."}
		}
		in.Status = activities.IntentCanceled
		return nil
	})
}

// GetIntent implements activities.PaymentGateway.
func (w *World) GetIntent(_ context.Context, id string) (activities.Intent, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.intents[id].Intent, nil
}

func (w *World) change(name, id string, refuse, act func(*intent) error) (activities.Intent, error) {
	var out activities.Intent
	err := w.call(name, func() error {
		if refuse == nil {
			return nobodyRefuses()
		}
		return refuse(w.intents[id])
	}, func() error {
		err := act(w.intents[id])
		out = w.intents[id].Intent
		return err
	})
	return out, err
}

// Refund implements activities.PaymentGateway.
func (w *World) Refund(_ context.Context, _ string, r activities.RefundRequest) (activities.Refund, error) {
	err := w.call("refund", nobodyRefuses, func() error {
		in := w.intents[r.IntentID]
		if in.Refunded == 0 {
			in.Refunded, in.RefundID = r.Amount, "re_"+in.ID
			w.Refunds++
			w.Refunded += r.Amount
		}
		return nil
	})
	return activities.Refund{ID: "re_" + r.IntentID, Status: activities.RefundSucceeded, Amount: r.Amount}, err
}

// Reserve implements activities.Participants.
func (w *World) Reserve(_ context.Context, kind activities.ReservationKind, key string, r activities.ReservationRequest) (activities.Reservation, error) {
	return w.reservation("reserve:"+string(kind), key, func() error {
		w.bookings[key] = &activities.Reservation{Status: activities.ReservationRefused, RefusalCode: "sold_out", Message: "Nothing is left."}
		return &step.Refused{Code: "sold_out", Message: "Nothing is left."}
	}, func() error {
		have, ok := w.bookings[key]
		switch {
		case !ok:
			w.bookings[key] = &activities.Reservation{Reference: "ref", Status: activities.ReservationReserved, SKU: r.SKU, Price: r.Price}
		case have.Status == activities.ReservationRefused:
			return &step.Refused{Code: "sold_out", Message: "Nothing is left."}
		case have.Status == activities.ReservationCancelled:
			return &step.Refused{Code: "cancelled", Message: "It was cancelled."}
		}
		return nil
	})
}

// Confirm implements activities.Participants.
func (w *World) Confirm(_ context.Context, kind activities.ReservationKind, key string) (activities.Reservation, error) {
	return w.reservation("book:"+string(kind), key, nobodyRefuses, func() error {
		if have, ok := w.bookings[key]; !ok || have.Status == activities.ReservationCancelled {
			return errors.New("confirming what is not held")
		}
		w.bookings[key].Status = activities.ReservationConfirmed
		return nil
	})
}

// Cancel implements activities.Participants.
func (w *World) Cancel(_ context.Context, kind activities.ReservationKind, key string) (activities.Reservation, error) {
	return w.reservation("release:"+string(kind), key, nobodyRefuses, func() error {
		if _, ok := w.bookings[key]; !ok {
			w.bookings[key] = &activities.Reservation{}
		}
		w.bookings[key].Status = activities.ReservationCancelled
		return nil
	})
}

// Lookup implements activities.Participants.
func (w *World) Lookup(_ context.Context, _ activities.ReservationKind, key string) (activities.Reservation, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.bookings[key]
	if !ok {
		return activities.Reservation{}, false, nil
	}
	return *r, true, nil
}

func (w *World) reservation(name, key string, refuse, act func() error) (activities.Reservation, error) {
	var out activities.Reservation
	err := w.call(name, refuse, func() error {
		if err := act(); err != nil {
			return err
		}
		out = *w.bookings[key]
		return nil
	})
	return out, err
}

func nobodyRefuses() error { return errors.New("this call is never refused") }
