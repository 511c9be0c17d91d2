package activities

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/ledger"
)

// Custody are the steps that check partners and move goods. Whatever they do
// to goods is done in the transaction that settles the step.
type Custody struct {
	Book  step.Book
	Trade TradeBook
	Inbox Inbox
	Now   func() time.Time
}

// movement is an order with the companies of it.
type movement struct {
	TransferOrder
	seller, buyer dscsa.Partner
	from, to      string // GLNs
	returned      bool
}

func (c *Custody) movement(ctx context.Context, a step.Attempt) (movement, error) {
	m := movement{returned: a.Intent.Order.Type == ReturnType}
	if err := json.Unmarshal(a.Intent.Order.Request, &m.TransferOrder); err != nil {
		return m, fmt.Errorf("read the order: %w", err)
	}
	for _, side := range []struct {
		id, gln string
		who     *dscsa.Partner
		where   *string
	}{{m.Seller, m.ShipFrom, &m.seller, &m.from}, {m.Buyer, m.ShipTo, &m.buyer, &m.to}} {
		p, err := c.Trade.Partner(ctx, a.Call.Tenant, side.id)
		if errors.Is(err, ErrNoPartner) {
			return m, &step.Refused{Code: "partner_unknown", Message: "There is no trading partner " + side.id + "."}
		}
		if err != nil {
			return m, err
		}
		if len(p.GLNs) == 0 {
			return m, &step.Refused{Code: "partner_without_gln", Message: p.Name + " has no GLN on record."}
		}
		*side.who, *side.where = p, p.GLNs[0]
		if side.gln != "" {
			*side.where = side.gln
		}
	}
	return m, nil
}

// authorised refuses a movement between companies of which one is not an
// authorized trading partner today, and names what is missing.
func (m *movement) authorised(now time.Time) error {
	for _, p := range []dscsa.Partner{m.seller, m.buyer} {
		if why := p.Unauthorised(now); len(why) > 0 {
			return &step.Refused{Code: why[0].Code, Message: why[0].Message + " (" + why[0].Law + ")"}
		}
	}
	return nil
}

// owner is the GLN of who must own the units, "" when there is nobody.
func (m *movement) owner() string {
	if len(m.seller.GLNs) == 0 {
		return ""
	}
	return m.seller.GLNs[0]
}

// inbox is where who becomes the owner takes documents.
func (m *movement) inbox(c step.Call) Addressee {
	return Addressee{Tenant: c.Tenant, Partner: m.buyer.ID, Endpoint: m.buyer.T3Endpoint}
}

// CheckPartners checks that both are authorized trading partners and that the
// register has the master data of every product.
func (c *Custody) CheckPartners(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		m, err := c.movement(ctx, a)
		if err != nil {
			return step.Settlement{}, err
		}
		if err := m.authorised(c.Now()); err != nil {
			return step.Settlement{}, err
		}
		// What is inside a container is known when it is reserved: Review sees it.
		_, err = c.products(ctx, a, gtinsOf(m.Units))
		return step.Settlement{}, err
	})
}

// goods are the packages of the order, which is reserved, and their products.
func (c *Custody) goods(ctx context.Context, a step.Attempt) (Goods, []dscsa.Product, error) {
	goods, err := c.Trade.Goods(ctx, a.Call.Tenant, a.Call.Saga)
	if err != nil {
		return goods, nil, err
	}
	products, err := c.products(ctx, a, goods.GTINs())
	return goods, products, err
}

func (c *Custody) products(ctx context.Context, a step.Attempt, gtins []string) ([]dscsa.Product, error) {
	products, err := c.Trade.Products(ctx, a.Call.Tenant, gtins)
	if err != nil {
		return nil, err
	}
	for _, gtin := range gtins {
		if !slices.ContainsFunc(products, func(p dscsa.Product) bool { return p.GTIN == gtin }) {
			return nil, &step.Refused{Code: "product_unknown", Message: "The product " + gtin + " has no master data on record."}
		}
	}
	return products, nil
}

// gtinsOf are the products of the units that are packages, each once.
func gtinsOf(keys []string) []string {
	var out []string
	for _, k := range keys {
		if id, err := gs1.ParseKey(k); err == nil && id.Kind == gs1.SGTIN && !slices.Contains(out, id.GTIN()) {
			out = append(out, id.GTIN())
		}
	}
	return out
}

// ReserveUnits promises the units to this saga. A unit that is quarantined,
// expired, recalled, somebody else's or promised already refuses it.
func (c *Custody) ReserveUnits(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		m, err := c.movement(ctx, a)
		return step.Settlement{Custody: &dscsa.Change{Reserve: &dscsa.Reserve{Units: m.Units, Owner: m.owner()}}}, err
	})
}

// ReleaseUnits takes the promise back.
func (c *Custody) ReleaseUnits(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Undo, func(context.Context, step.Attempt) (step.Settlement, error) {
		return step.Settlement{Custody: &dscsa.Change{Release: true}}, nil
	})
}

// Ship is the pivot: the change of owner, what its documents are made from and
// the money's change of owner are one transaction. Both companies must be
// authorized at this moment, and nothing may have happened to a unit.
func (c *Custody) Ship(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		m, err := c.movement(ctx, a)
		if err != nil {
			return step.Settlement{}, err
		}
		if err := m.authorised(c.Now()); err != nil {
			return step.Settlement{}, err
		}
		goods, products, err := c.goods(ctx, a)
		if err != nil {
			return step.Settlement{}, err
		}
		f := &t3.Facts{
			Transfer: call.Saga, OrderRef: m.OrderRef, At: c.Now().UTC().Truncate(time.Millisecond), Seller: party(m.seller), Buyer: party(m.buyer),
			ShipFrom: m.from, ShipTo: m.to, Products: products, Shipped: goods.Shipped, Units: goods.Units, Containers: goods.Containers,
			History: goods.History, WithHistory: m.History, Return: m.returned,
		}
		shipment, err := shipment(m, f)
		if err != nil {
			return step.Settlement{}, err
		}
		sale := transaction(a, StepShip, "sale", f.Shipping().EventID)
		sale.Kind, sale.Entries = ledger.Posted, move(a, ledger.CustomerDeposits, ledger.SellerPayable, a.Intent.Order.Amount)
		if m.returned {
			sale.Entries = move(a, ledger.SellerPayable, ledger.RefundsPayable, a.Intent.Order.Amount)
		}
		return step.Settlement{
			Result:  shipped{EventID: shipment.EventID, Packages: len(f.Units)},
			Custody: &dscsa.Change{Ship: shipment}, Postings: []ledger.Transaction{sale},
		}, nil
	})
}

// shipped is what Ship settles with.
type shipped struct {
	EventID  string `json:"event_id"`
	Packages int    `json:"packages"`
}

func party(p dscsa.Partner) t3.Party {
	return t3.Party{Name: p.Name, GLN: p.GLNs[0], Role: p.Role, Address: p.Address}
}

func shipment(m movement, f *t3.Facts) (*dscsa.Shipment, error) {
	if missing := f.Missing(); len(missing) > 0 {
		return nil, &step.Refused{Code: "transaction_information_incomplete", Message: "The transaction information lacks " + strings.Join(missing, ", ") + "."}
	}
	facts, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode the facts: %w", err)
	}
	var document bytes.Buffer
	err = f.Write(&document, epcis.XML12)
	var unwritable *epcis.Error
	if errors.As(err, &unwritable) {
		return nil, &step.Refused{Code: "transaction_information_incomplete", Message: "The transaction information cannot be written: " + unwritable.Error() + "."}
	}
	if err != nil {
		return nil, err
	}
	return &dscsa.Shipment{
		SellerID: m.seller.ID, BuyerID: m.buyer.ID, SellerGLN: m.seller.GLNs[0], BuyerGLN: m.buyer.GLNs[0], ShipFrom: m.from, ShipTo: m.to,
		At: f.At, Units: m.Units, EventID: f.Shipping().EventID, Facts: facts, Document: document.Bytes(), Quantities: f.Quantities(),
	}, nil
}

// Deliver sends the transaction's document to who has become the owner; one
// without an endpoint fetches it.
func (c *Custody) Deliver(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		m, err := c.movement(ctx, a)
		if err != nil || m.buyer.T3Endpoint == "" {
			return step.Settlement{Result: delivered{Fetched: true}}, err
		}
		f, err := c.Trade.Facts(ctx, call.Tenant, call.Saga)
		if err != nil {
			return step.Settlement{}, err
		}
		var document bytes.Buffer
		if err := f.Write(&document, epcis.XML12); err != nil {
			return step.Settlement{}, err
		}
		return step.Settlement{Result: delivered{Sent: true}}, c.Inbox.Deliver(ctx, m.inbox(call), inboxKey(call), document.Bytes())
	})
}

// delivered is what Deliver settles with.
type delivered struct {
	Sent    bool `json:"sent,omitempty"`
	Fetched bool `json:"to_be_fetched,omitempty"`
}

// inboxKey names the transfer at the partner for ever.
func inboxKey(c step.Call) string { return c.Saga + ":t3" }

// Receive waits for the buyer's receipt: what somebody told us, or what the
// buyer's endpoint says. Units that are not as they should be are kept from
// sale and undo nothing. A company that is not authorized any more is on
// record with the receipt: the goods are its own by now.
func (c *Custody) Receive(ctx context.Context, call step.Call) (step.Status, error) {
	return RunStep(ctx, c.Book, call, step.Do, func(ctx context.Context, a step.Attempt) (step.Settlement, error) {
		m, err := c.movement(ctx, a)
		if err != nil {
			return step.Settlement{}, err
		}
		r, found, err := c.Trade.Receipt(ctx, call.Tenant, call.Saga)
		if err == nil && !found && m.buyer.T3Endpoint != "" {
			r, found, err = c.Inbox.Receipt(ctx, m.inbox(call), inboxKey(call))
			r.By = "partner"
		}
		if err != nil {
			return step.Settlement{}, err
		}
		if !found {
			return step.Settlement{}, &step.Waiting{For: "the receipt of " + m.buyer.Name}
		}
		said := received{Received: len(r.Received), Exceptions: len(r.Exceptions)}
		for _, p := range []dscsa.Partner{m.seller, m.buyer} {
			for _, why := range p.Unauthorised(c.Now()) {
				said.Unauthorised = append(said.Unauthorised, why.Message)
			}
		}
		return step.Settlement{Result: said, Custody: &dscsa.Change{Receive: &r}}, nil
	})
}

// received is what Receive settles with.
type received struct {
	Received     int      `json:"received"`
	Exceptions   int      `json:"exceptions"`
	Unauthorised []string `json:"unauthorised,omitempty"`
}
