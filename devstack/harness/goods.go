package harness

import (
	"fmt"
	"strconv"
)

// Sale is a transfer request.
type Sale struct {
	OrderRef      string   `json:"order_ref"`
	Seller        string   `json:"seller"`
	Buyer         string   `json:"buyer"`
	Units         []string `json:"units"`
	Price         int64    `json:"price"`
	Currency      string   `json:"currency"`
	PaymentMethod string   `json:"payment_method"`
	T3            string   `json:"t3,omitempty"`
}

// The companies and drugs of the sandbox, as a client knows them.
const (
	Labs       = "0379999000019"
	Wholesale  = "0810000001019"
	Pharmacy   = "0810000002016"
	Closed     = "0810000003013"
	Exampril   = "00379999101303"
	Examphetan = "00379999202109"
)

// Sell is the wholesaler's sale of units to the pharmacy.
func Sell(ref string, units ...string) Sale {
	return Sale{OrderRef: ref, Seller: Wholesale, Buyer: Pharmacy, Units: units, Price: 12500 * int64(len(units)), Currency: "usd", PaymentMethod: "pm_card_visa"}
}

// Package is the nth package of a drug, as on its label.
func Package(gtin string, n int) string {
	return "(01)" + gtin + "(21)" + strconv.Itoa(100000000000+n)
}

// Packages are packages of a drug, from and to included.
func Packages(gtin string, from, to int) []string {
	var out []string
	for n := from; n <= to; n++ {
		out = append(out, Package(gtin, n))
	}
	return out
}

// Trades is the nth order of a mix: each package is wanted by four, some buyers
// have no licence, some no money, some receipts are late or short.
func Trades(run string, first, n int) Order {
	o := Sell(fmt.Sprintf("%s-%d%s", run, n, []string{"", "", "-SHORT", "-FLAKY2", "-DONETIMEOUT"}[n%5]), Package(Examphetan, first+n/4))
	switch n % 7 {
	case 3:
		o.Buyer = Closed
	case 5:
		o.PaymentMethod = "pm_card_chargeDeclined"
	}
	return Order{Sale: &o, OrderRef: o.OrderRef}
}
