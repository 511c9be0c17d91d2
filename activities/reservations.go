package activities

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/recourse/recourse/activities/step"
)

// Reservations are the steps that hold seats, rooms and cars. One key, saga and
// kind, names the reservation at the participant for ever: reserving, confirming
// and cancelling it again are harmless there.
type Reservations struct {
	Book         step.Book
	Participants Participants
}

// reservation is what a reservation step settles with.
type reservation struct {
	Reference string            `json:"reference,omitempty"`
	Status    ReservationStatus `json:"status"`
}

// confirmPrefix leads from the name of a confirming step to its kind.
const confirmPrefix = "confirm_"

// ConfirmStep is the name of the step that confirms a reservation.
func ConfirmStep(kind ReservationKind) string { return confirmPrefix + string(kind) }

func (r *Reservations) of(c step.Call) (kind ReservationKind, key string) {
	kind = ReservationKind(strings.TrimPrefix(c.Step, confirmPrefix))
	return kind, c.Saga + ":" + string(kind)
}

// Reserve holds one part of the order; the step's name is its kind.
func (r *Reservations) Reserve(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, r.Book, c, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		kind, key := r.of(c)
		var got Reservation
		var found bool
		var err error
		if a.Retry() {
			if got, found, err = r.Participants.Lookup(ctx, kind, key); err != nil {
				return step.Settlement{}, err
			}
		}
		if !found {
			request, err := reservationRequest(a, kind)
			if err != nil {
				return step.Settlement{}, err
			}
			if got, err = r.Participants.Reserve(ctx, kind, key, request); err != nil {
				return step.Settlement{}, err
			}
		}
		switch got.Status {
		case ReservationReserved, ReservationConfirmed:
			return step.Settlement{Result: reservation{got.Reference, got.Status}}, nil
		case ReservationRefused:
			return step.Settlement{}, &step.Refused{Code: got.RefusalCode, Message: got.Message}
		case ReservationCancelled:
			return step.Settlement{}, &step.Refused{Code: "cancelled", Message: "The reservation was cancelled."}
		default:
			return step.Settlement{}, &step.Unknown{Err: fmt.Errorf("the reservation is %s", got.Status)}
		}
	})
}

// Release cancels what Reserve held, or keeps it from ever being held.
func (r *Reservations) Release(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, r.Book, c, step.Undo, func(ctx context.Context, _ step.Attempt) (step.Settlement, error) {
		kind, key := r.of(c)
		got, err := r.Participants.Cancel(ctx, kind, key)
		if err != nil {
			return step.Settlement{}, err
		}
		return step.Settlement{Result: reservation{got.Reference, got.Status}}, nil
	})
}

// Confirm turns what Reserve held into a booking. Past the pivot it is
// repeated until it succeeds.
func (r *Reservations) Confirm(ctx context.Context, c step.Call) (step.Status, error) {
	return RunStep(ctx, r.Book, c, step.Do, func(ctx context.Context, _ step.Attempt) (step.Settlement, error) {
		kind, key := r.of(c)
		got, err := r.Participants.Confirm(ctx, kind, key)
		if err != nil {
			return step.Settlement{}, err
		}
		return step.Settlement{Result: reservation{got.Reference, got.Status}}, nil
	})
}

func reservationRequest(a step.Attempt, kind ReservationKind) (ReservationRequest, error) {
	var order BookingOrder
	if err := json.Unmarshal(a.Intent.Order.Request, &order); err != nil {
		return ReservationRequest{}, fmt.Errorf("read the order: %w", err)
	}
	sku, price, nights := order.part(kind)
	return ReservationRequest{
		SKU: sku, Price: price, Currency: order.Currency, Nights: nights, Traveler: order.Traveler.Name, SagaID: a.Call.Saga,
	}, nil
}
