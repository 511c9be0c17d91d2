package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/workflows"
)

// CreateBooking accepts a booking.
func (s *server) CreateBooking(ctx context.Context, request CreateBookingRequestObject) (CreateBookingResponseObject, error) {
	order, r := bookingOrder(*request.Body)
	if r != nil {
		return s.decline(ctx, r)
	}
	saga, err := newSaga(workflows.BookingType, order, whereOf(ctx).who.KeyID, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	o := whereOf(ctx).once
	accepted := SagaRecord{
		ID: saga.ID, Type: saga.Type, Status: "pending", OrderRef: saga.OrderRef, Amount: saga.Amount, Currency: saga.Currency,
		Metadata: saga.Metadata, Version: 1, CreatedAt: o.At, UpdatedAt: o.At,
	}
	a, err := s.acceptance(accepted)
	if err != nil {
		return nil, err
	}
	stored, err := s.cfg.Store.Accept(ctx, o, saga, a)
	var taken *OrderRefTakenError
	if errors.As(err, &taken) {
		return s.decline(ctx, &refusal{code: "order_ref_conflict", saga: taken.Saga})
	}
	if err != nil {
		return nil, err
	}
	if stored == nil {
		s.cfg.Starter.Nudge(dispatch.Saga{Tenant: o.Tenant, ID: saga.ID, Type: saga.Type, OrderRef: saga.OrderRef, Plan: saga.Plan})
	}
	return s.settle(o, a, stored)
}

// acceptance is the 202 of a saga.
func (s *server) acceptance(v SagaRecord) (Answer, error) {
	return jsonAnswer(http.StatusAccepted, s.view(v), "Location", "/v1/sagas/"+v.ID, "Retry-After", "1")
}

func newSaga(kind string, order activities.BookingOrder, by string, now time.Time) (NewSaga, error) {
	request, err := json.Marshal(order)
	if err != nil {
		return NewSaga{}, fmt.Errorf("encode the order: %w", err)
	}
	plan, err := json.Marshal(order.Plan())
	if err != nil {
		return NewSaga{}, fmt.Errorf("encode the plan: %w", err)
	}
	metadata := json.RawMessage(`{}`)
	if len(order.Metadata) > 0 {
		if metadata, err = json.Marshal(order.Metadata); err != nil {
			return NewSaga{}, fmt.Errorf("encode the metadata: %w", err)
		}
	}
	return NewSaga{
		ID: newID("sg_", now), Type: kind, OrderRef: order.OrderRef, Amount: order.Total(), Currency: order.Currency,
		Request: request, Plan: plan, Metadata: metadata, CreatedBy: by,
	}, nil
}

// bookingOrder is what the request means, or why it means nothing. Its shape
// was checked before.
func bookingOrder(b BookingRequest) (activities.BookingOrder, *refusal) {
	o := activities.BookingOrder{
		OrderRef: b.OrderRef, Currency: b.Currency, PaymentMethod: b.PaymentMethod,
		Traveler:    activities.Traveler{Name: b.Traveler.Name, Email: b.Traveler.Email},
		PaymentFlow: activities.FlowAuthorize,
	}
	if b.PaymentFlow != nil {
		o.PaymentFlow = activities.PaymentFlow(*b.PaymentFlow)
	}
	var prices []int64
	var currencies []*string
	if b.Flight != nil {
		o.Flight = &activities.FlightOrder{SKU: b.Flight.Sku, Price: b.Flight.Price}
		prices, currencies = append(prices, b.Flight.Price), append(currencies, b.Flight.Currency)
	}
	if b.Hotel != nil {
		o.Hotel = &activities.HotelOrder{SKU: b.Hotel.Sku, Price: b.Hotel.Price, Nights: b.Hotel.Nights}
		prices, currencies = append(prices, b.Hotel.Price), append(currencies, b.Hotel.Currency)
	}
	if b.Car != nil {
		o.Car = &activities.CarOrder{SKU: b.Car.Sku, Price: b.Car.Price}
		prices, currencies = append(prices, b.Car.Price), append(currencies, b.Car.Currency)
	}
	if b.Metadata != nil {
		o.Metadata = *b.Metadata
	}
	return o, meaningless(o, prices, currencies)
}

func meaningless(o activities.BookingOrder, prices []int64, currencies []*string) *refusal {
	if len(prices) == 0 {
		return refuse("nothing_ordered")
	}
	if !ledger.KnownCurrency(o.Currency) {
		return refuseField("unknown_currency", "/currency", "is not an ISO 4217 code")
	}
	parts := o.Plan().Parts
	for i, c := range currencies {
		if c != nil && *c != o.Currency {
			return refuseField("mixed_currency", "/"+string(parts[i])+"/currency", "must be the order's currency")
		}
	}
	var total int64
	for _, p := range prices {
		if total += p; total > ledger.MaxAmount { // three of at most 2^53 do not overflow
			return refuseField("amount_out_of_range", "", "the sum of the prices is too large")
		}
	}
	if !strings.HasPrefix(o.PaymentMethod, "pm_") {
		return refuseField("payment_method_invalid", "/payment_method", "must be a payment method token (pm_…)")
	}
	return badMetadata(o.Metadata)
}

func badMetadata(metadata map[string]string) *refusal {
	var long []FieldError
	for name := range metadata {
		if n := len([]rune(name)); n < 1 || n > 40 {
			long = append(long, FieldError{Pointer: "/metadata/" + escape(name), Code: "metadata_invalid", Detail: "the key must have 1 to 40 characters"})
		}
	}
	if len(long) > 0 {
		slices.SortFunc(long, func(a, b FieldError) int { return strings.Compare(a.Pointer, b.Pointer) })
		return &refusal{code: "metadata_invalid", fields: long}
	}
	return nil
}
