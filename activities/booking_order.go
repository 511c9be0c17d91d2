package activities

// BookingOrder is a booking as the marketplace sent it and the API checked it.
// It holds personal data (Traveler) and is kept in the saga's row only: no
// workflow, history or log carries it. Prices are minor units of Currency; a
// hotel's price is for the whole stay.
type BookingOrder struct {
	OrderRef      string            `json:"order_ref"`
	Currency      string            `json:"currency"`
	PaymentMethod string            `json:"payment_method"`
	Traveler      Traveler          `json:"traveler"`
	Flight        *FlightOrder      `json:"flight,omitempty"`
	Hotel         *HotelOrder       `json:"hotel,omitempty"`
	Car           *CarOrder         `json:"car,omitempty"`
	PaymentFlow   PaymentFlow       `json:"payment_flow"`
	Metadata      map[string]string `json:"metadata,omitempty"`
}

// Traveler is who travels.
type Traveler struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// FlightOrder asks for a seat.
type FlightOrder struct {
	SKU   string `json:"sku"`
	Price int64  `json:"price"`
}

// HotelOrder asks for a room.
type HotelOrder struct {
	SKU    string `json:"sku"`
	Price  int64  `json:"price"`
	Nights int    `json:"nights"`
}

// CarOrder asks for a car.
type CarOrder struct {
	SKU   string `json:"sku"`
	Price int64  `json:"price"`
}

// PaymentFlow says when the money moves.
type PaymentFlow string

// The payment flows of a booking.
const (
	// FlowAuthorize: hold the money, reserve, take it at the pivot. Undo is a void.
	FlowAuthorize PaymentFlow = "authorize"
	// FlowCharge: take the money first, then reserve. Undo is a refund.
	FlowCharge PaymentFlow = "charge"
)

// BookingPlan is what the workflow needs to know of the order: no personal
// data. Parts are in the order flight, hotel, car.
type BookingPlan struct {
	PaymentFlow PaymentFlow       `json:"payment_flow"`
	Parts       []ReservationKind `json:"parts"`
}

// Total is the sum of the parts' prices in minor units. The API has checked
// that it does not overflow.
func (o BookingOrder) Total() int64 {
	var total int64
	for _, kind := range o.parts() {
		_, price, _ := o.part(kind)
		total += price
	}
	return total
}

// Plan is the workflow's part of the order.
func (o BookingOrder) Plan() BookingPlan {
	return BookingPlan{PaymentFlow: o.PaymentFlow, Parts: o.parts()}
}

func (o BookingOrder) parts() []ReservationKind {
	var parts []ReservationKind
	if o.Flight != nil {
		parts = append(parts, Flight)
	}
	if o.Hotel != nil {
		parts = append(parts, Hotel)
	}
	if o.Car != nil {
		parts = append(parts, Car)
	}
	return parts
}

// part is the sku, price and nights of one part of the order.
func (o BookingOrder) part(kind ReservationKind) (sku string, price int64, nights int) {
	switch kind {
	case Flight:
		if o.Flight != nil {
			return o.Flight.SKU, o.Flight.Price, 0
		}
	case Hotel:
		if o.Hotel != nil {
			return o.Hotel.SKU, o.Hotel.Price, o.Hotel.Nights
		}
	case Car:
		if o.Car != nil {
			return o.Car.SKU, o.Car.Price, 0
		}
	}
	return "", 0, 0
}
