package harness

import (
	"fmt"
	"math/rand/v2"
)

// Order is a booking request, or a sale of goods.
type Order struct {
	Sale          *Sale    `json:"-"` // then it is nothing else
	OrderRef      string   `json:"order_ref"`
	Currency      string   `json:"currency"`
	PaymentMethod string   `json:"payment_method"`
	Traveler      Traveler `json:"traveler"`
	Flight        *Item    `json:"flight,omitempty"`
	Hotel         *Item    `json:"hotel,omitempty"`
	Car           *Item    `json:"car,omitempty"`
	PaymentFlow   string   `json:"payment_flow,omitempty"`
}

// Traveler is who travels.
type Traveler struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Item is one part of an order.
type Item struct {
	SKU    string `json:"sku"`
	Price  int64  `json:"price"`
	Nights int    `json:"nights,omitempty"`
}

// Whole is the order of the README, under another reference.
func Whole(ref, flow string) Order {
	return Order{
		OrderRef: ref, Currency: "usd", PaymentMethod: "pm_card_visa", Traveler: Traveler{"Ada Example", "ada@example.com"},
		Flight: &Item{SKU: "FL-LHR-JFK-0612", Price: 90000}, Hotel: &Item{SKU: "HT-NYC-0042", Price: 45000, Nights: 3},
		Car: &Item{SKU: "CAR-JFK-ECON", Price: 15000}, PaymentFlow: flow,
	}
}

// Mixed is the nth order of a mix: both flows, all partial forms, three
// currencies, and one in four that somebody refuses. The same seed and n give
// the same order.
func Mixed(run string, seed uint64, n int) Order {
	r := rand.New(rand.NewPCG(seed, uint64(n))) //nolint:gosec // the same mix every time is what is wanted
	o := Whole(fmt.Sprintf("%s-%d", run, n), []string{"authorize", "charge"}[r.IntN(2)])
	o.Currency = []string{"usd", "usd", "eur", "jpy"}[r.IntN(4)]
	switch r.IntN(8) {
	case 0:
		o.Flight = nil
	case 1:
		o.Hotel = nil
	case 2:
		o.Flight, o.Car = nil, nil
	}
	for _, item := range []*Item{o.Flight, o.Hotel, o.Car} {
		if item == nil {
			continue
		}
		item.Price += r.Int64N(1000)
		switch r.IntN(24) {
		case 0, 1:
			item.SKU += "-REFUSE"
		case 2:
			item.SKU += "-FLAKY2"
		case 3:
			item.SKU += "-CANCELFAIL3"
		}
	}
	switch r.IntN(16) {
	case 0:
		o.PaymentMethod = "pm_card_chargeDeclined"
	case 1:
		o.PaymentMethod = "pm_card_chargeDeclinedInsufficientFunds"
	}
	return o
}

// request is the order as it is sent.
func (o Order) request() (path string, body any) {
	if o.Sale != nil {
		return "/v1/transfers", o.Sale
	}
	return "/v1/bookings", o
}

// Price is the sum of the parts.
func (o Order) Price() int64 {
	var sum int64
	for _, item := range []*Item{o.Flight, o.Hotel, o.Car} {
		if item != nil {
			sum += item.Price
		}
	}
	return sum
}
