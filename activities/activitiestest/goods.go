package activitiestest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/dscsa/t3"
)

// The companies of the world of goods, by id and GLN.
const (
	Seller    = "ptr_seller"
	Buyer     = "ptr_buyer"
	SellerGLN = "0860001234107"
	BuyerGLN  = "0860005678204"
	GTIN      = "00369999123450"
)

// Goods is the trade book, the custody of units and the inbox of the buyer,
// with what really happened to them. Faults of its calls are planted like the
// World's: reserve units, release units, ship, receive units and deliver.
type Goods struct {
	world *World

	Owner     map[string]string // GLN by unit
	Reserved  map[string]string // saga by unit
	Schedule  string            // of the product
	Median    int               // what the buyer usually takes
	Before    int               // its transfers so far
	Expired   func() bool       // whether the buyer's licence has run out; nil: no
	Reviews   map[string]activities.Review
	Receipts  map[string]dscsa.Receipt
	Silent    bool // the buyer's endpoint never has a receipt
	facts     map[string]*t3.Facts
	Delivered map[string]int // how often a document was taken, by key
	Moves     int            // changes of owner
}

var (
	_ activities.TradeBook = (*Goods)(nil)
	_ activities.Inbox     = Inbox{}
)

// NewGoods returns goods of which the seller owns the units. They are in the
// world of the payments, so that faults and calls are counted together.
func NewGoods(world *World, units ...string) *Goods {
	g := &Goods{
		world: world, Owner: map[string]string{}, Reserved: map[string]string{}, Reviews: map[string]activities.Review{},
		Receipts: map[string]dscsa.Receipt{}, facts: map[string]*t3.Facts{}, Delivered: map[string]int{},
	}
	for _, u := range units {
		g.Owner[u] = SellerGLN
	}
	return g
}

// Shipped reports whether a saga's facts are kept.
func (g *Goods) Shipped(saga string) bool { return g.facts[saga] != nil }

// change is the name under which faults of a change are planted.
func change(c dscsa.Change) string {
	switch {
	case c.Reserve != nil:
		return "reserve units"
	case c.Release:
		return "release units"
	case c.Ship != nil:
		return "ship"
	default:
		return "receive units"
	}
}

// apply does to the units what a step changes.
func (g *Goods) apply(saga string, c dscsa.Change) error {
	switch {
	case c.Reserve != nil:
		for _, u := range c.Reserve.Units {
			if by := g.Reserved[u]; by != "" && by != saga {
				return &step.Refused{Code: "unit_reserved", Message: u + " is reserved."}
			}
			if g.Owner[u] != c.Reserve.Owner {
				return &step.Refused{Code: "not_holder", Message: u + " is not the seller's."}
			}
			g.Reserved[u] = saga
		}
	case c.Release:
		maps.DeleteFunc(g.Reserved, func(_, by string) bool { return by == saga })
	case c.Ship != nil:
		for _, u := range c.Ship.Units {
			if g.Reserved[u] != saga || g.Owner[u] != c.Ship.SellerGLN {
				return &step.Refused{Code: "not_holder", Message: u + " is not the seller's."}
			}
			g.Owner[u] = c.Ship.BuyerGLN
			delete(g.Reserved, u)
		}
		g.Moves++
		g.facts[saga] = &t3.Facts{Transfer: saga, At: c.Ship.At, Seller: t3.Party{GLN: c.Ship.SellerGLN}, Buyer: t3.Party{GLN: c.Ship.BuyerGLN}}
	case c.Receive != nil:
		if g.facts[saga] == nil {
			return errors.New("received before it was shipped")
		}
		g.Receipts[saga] = *c.Receive
	}
	return nil
}

// Partner implements activities.TradeBook.
func (g *Goods) Partner(_ context.Context, _ uuid.UUID, name string) (dscsa.Partner, error) {
	long := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	p := dscsa.Partner{
		ID: name, Name: "Example Pharmacy", Role: dscsa.Dispenser, Verified: true, GLNs: []string{BuyerGLN}, T3Endpoint: "http://buyer.example/inbox",
		Address:  dscsa.Address{Street: "1 Main St", City: "Columbus", State: "OH", PostalCode: "43004", Country: "US"},
		Licences: []dscsa.Licence{{Kind: dscsa.StateLicence, Number: "1", ValidFrom: long}},
	}
	switch name {
	case Buyer:
		if g.Expired != nil && g.Expired() {
			p.Licences[0].ExpiresOn = long.AddDate(1, 0, 0)
		}
		return p, nil
	case Seller:
		p.Name, p.Role, p.GLNs = "Example Wholesale", dscsa.Wholesaler, []string{SellerGLN}
		p.Licences = append(p.Licences, dscsa.Licence{Kind: dscsa.Reporting503e, Number: "2", ValidFrom: long})
		return p, nil
	default:
		return dscsa.Partner{}, activities.ErrNoPartner
	}
}

// Products implements activities.TradeBook.
func (g *Goods) Products(context.Context, uuid.UUID, []string) ([]dscsa.Product, error) {
	return []dscsa.Product{{
		GTIN: GTIN, NDC: "69999-123-45", Name: "EXAMPLOL", Strength: "10 mg", DosageForm: "TABLET", ContainerSize: "100 TABLET", Manufacturer: "Alpine",
		Schedule: g.Schedule,
	}}, nil
}

// Goods implements activities.TradeBook.
func (g *Goods) Goods(_ context.Context, _ uuid.UUID, saga string) (activities.Goods, error) {
	var out activities.Goods
	for _, u := range slices.Sorted(maps.Keys(g.Reserved)) {
		id, err := gs1.ParseKey(u)
		if err != nil {
			return out, err
		}
		if g.Reserved[u] == saga {
			out.Shipped = append(out.Shipped, t3.EPC(u))
			out.Units = append(out.Units, t3.Unit{EPC: t3.EPC(u), GTIN: id.GTIN(), Lot: "L1", Expiry: "2030-01-31", Commissioned: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)})
		}
	}
	return out, nil
}

// Usual implements activities.TradeBook.
func (g *Goods) Usual(context.Context, uuid.UUID, string, string) (median, transfers int, err error) {
	return g.Median, g.Before, nil
}

// Review implements activities.TradeBook.
func (g *Goods) Review(_ context.Context, _ uuid.UUID, saga string) (activities.Review, bool, error) {
	r, found := g.Reviews[saga]
	return r, found, nil
}

// Receipt implements activities.TradeBook: what was said to us.
func (g *Goods) Receipt(_ context.Context, _ uuid.UUID, saga string) (dscsa.Receipt, bool, error) {
	r, found := g.Receipts[saga]
	return r, found, nil
}

// Facts implements activities.TradeBook.
func (g *Goods) Facts(_ context.Context, _ uuid.UUID, saga string) (*t3.Facts, error) {
	if g.facts[saga] == nil {
		return nil, errors.New("not shipped")
	}
	return g.facts[saga], nil
}

// Inbox is the buyer's endpoint. It has received the goods once it has the
// document.
type Inbox struct{ *Goods }

// Deliver implements activities.Inbox.
func (i Inbox) Deliver(_ context.Context, _ activities.Addressee, key string, _ []byte) error {
	return i.world.call("deliver", nobodyRefuses, func() error {
		i.Delivered[key]++
		return nil
	})
}

// Receipt implements activities.Inbox.
func (i Inbox) Receipt(_ context.Context, _ activities.Addressee, key string) (dscsa.Receipt, bool, error) {
	if i.Delivered[key] == 0 || i.Silent {
		return dscsa.Receipt{}, false, nil
	}
	return dscsa.Receipt{At: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), By: "partner"}, true, nil
}
