package activities

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/t3"
)

// ErrNoPartner means that the register has no such company.
var ErrNoPartner = errors.New("no such trading partner")

// TradeBook is what the steps of a transfer read: the register of partners and
// products, the custody of goods, and what people said. Every method is one
// read of one tenant.
type TradeBook interface {
	// Partner finds a company by id or GLN. Errors: ErrNoPartner.
	Partner(ctx context.Context, tenant uuid.UUID, name string) (dscsa.Partner, error)
	// Products finds products; those the register does not have are left out.
	Products(ctx context.Context, tenant uuid.UUID, gtins []string) ([]dscsa.Product, error)
	// Goods are the packages that a saga has reserved, as they are now.
	Goods(ctx context.Context, tenant uuid.UUID, saga string) (Goods, error)
	// Usual is the median quantity of a product that a buyer has taken in the
	// last 180 days, and in how many transfers.
	Usual(ctx context.Context, tenant uuid.UUID, buyer, gtin string) (median, transfers int, err error)
	// Review is what people decided about an order that was held; found is
	// false as long as they have not.
	Review(ctx context.Context, tenant uuid.UUID, saga string) (r Review, found bool, err error)
	// Receipt is what the buyer said; found is false as long as it has not.
	Receipt(ctx context.Context, tenant uuid.UUID, saga string) (r dscsa.Receipt, found bool, err error)
	// Facts are those that were stored with the shipment.
	Facts(ctx context.Context, tenant uuid.UUID, saga string) (*t3.Facts, error)
}

// Goods are the packages of an order with what is known of them. Shipped
// are the outermost identifiers as EPC URIs; History is oldest first.
type Goods struct {
	Shipped    []string
	Units      []t3.Unit
	Containers []t3.Container
	History    []t3.Prior
}

// GTINs of the packages, each once, in order.
func (g *Goods) GTINs() []string {
	f := t3.Facts{Units: g.Units}
	return f.GTINs()
}

// Review is a decision about an order that was held as suspicious.
type Review struct {
	Clear      bool
	Reason     string
	ApprovalID string
	DecidedAt  time.Time
}

// Inbox is where trading partners take transaction data. Errors are those of
// PaymentGateway.
type Inbox interface {
	// Deliver hands a document to a partner's endpoint under our key, under
	// which it is taken once.
	Deliver(ctx context.Context, to Addressee, key string, document []byte) error
	// Receipt asks whether the partner has received what the document tells of.
	// Unit identifiers are canonical keys.
	Receipt(ctx context.Context, from Addressee, key string) (r dscsa.Receipt, found bool, err error)
}

// Addressee is a trading partner and where it takes documents. Each has a
// credential of its own, which an Inbox finds by the tenant and the partner.
type Addressee struct {
	Tenant   uuid.UUID
	Partner  string // its id
	Endpoint string
}

// Quantities counts the packages of each product.
func (g *Goods) Quantities() map[string]int {
	f := t3.Facts{Units: g.Units}
	return f.Quantities()
}
