package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/internal/dispatch"
	"github.com/recourse/recourse/ledger"
)

// A TransferRecord is a transfer or return as the requests about it need it.
type TransferRecord struct {
	Type, Status, OrderRef, Currency string
	Amount                           int64
	Order                            activities.TransferOrder
	Held                             bool   // it waits for a review
	Shipped                          bool   // the owner has changed
	IntentID                         string // of its payment
}

// CreateTransfer accepts a sale of serialised units.
func (s *server) CreateTransfer(ctx context.Context, request CreateTransferRequestObject) (CreateTransferResponseObject, error) {
	order, r := s.transferOrder(ctx, *request.Body)
	var no *refusal
	if errors.As(r, &no) && !kinds[no.code].retryable {
		return s.decline(ctx, no)
	}
	if r != nil {
		return nil, r
	}
	return s.acceptGoods(ctx, activities.TransferType, order)
}

// acceptGoods accepts a transfer or a return.
func (s *server) acceptGoods(ctx context.Context, kind string, order activities.TransferOrder) (Answer, error) {
	w := whereOf(ctx)
	saga, err := newGoodsSaga(kind, order, w.who.KeyID, s)
	if err != nil {
		return Answer{}, err
	}
	o := w.once
	a, err := s.acceptance(SagaRecord{
		ID: saga.ID, Type: saga.Type, Status: "pending", OrderRef: saga.OrderRef, Amount: saga.Amount, Currency: saga.Currency,
		Metadata: saga.Metadata, Version: 1, CreatedAt: o.At, UpdatedAt: o.At,
	})
	if err != nil {
		return Answer{}, err
	}
	stored, err := s.cfg.Store.Accept(ctx, o, saga, a)
	var taken *OrderRefTakenError
	if errors.As(err, &taken) {
		return s.decline(ctx, &refusal{code: "order_ref_conflict", saga: taken.Saga})
	}
	if errors.Is(err, ErrReturnsExceed) {
		return s.decline(ctx, refuseField("amount_out_of_range", "/amount", "is more than the transfer cost and its returns have not given back"))
	}
	if err != nil {
		return Answer{}, err
	}
	if stored == nil {
		s.cfg.Starter.Nudge(dispatch.Saga{Tenant: o.Tenant, ID: saga.ID, Type: saga.Type, OrderRef: saga.OrderRef, Plan: saga.Plan})
	}
	return s.settle(o, a, stored)
}

func newGoodsSaga(kind string, order activities.TransferOrder, by string, s *server) (NewSaga, error) {
	request, err := json.Marshal(order)
	if err != nil {
		return NewSaga{}, fmt.Errorf("encode the order: %w", err)
	}
	metadata := json.RawMessage(`{}`)
	if len(order.Metadata) > 0 {
		if metadata, err = json.Marshal(order.Metadata); err != nil {
			return NewSaga{}, fmt.Errorf("encode the metadata: %w", err)
		}
	}
	return NewSaga{
		ID: newID("sg_", s.cfg.Now()), Type: kind, OrderRef: order.OrderRef, Amount: order.Price, Currency: order.Currency,
		Request: request, Plan: json.RawMessage(`{}`), Metadata: metadata, CreatedBy: by,
	}, nil
}

// transferOrder is what the request means, or why it means nothing. The
// companies are looked up, so that the order names them for ever; whether they
// may trade is for the saga to say, when it comes to it.
func (s *server) transferOrder(ctx context.Context, b TransferRequest) (activities.TransferOrder, error) {
	o := activities.TransferOrder{
		OrderRef: b.OrderRef, Price: b.Price, Currency: b.Currency, PaymentMethod: b.PaymentMethod, History: b.T3 == nil || *b.T3 != "t2",
	}
	var wrong []FieldError
	o.Units, wrong = unitKeys(b.Units, "/units")
	if b.Metadata != nil {
		o.Metadata = *b.Metadata
	}
	for to, from := range map[*string]*GLN{&o.ShipFrom: b.ShipFrom, &o.ShipTo: b.ShipTo} {
		if from != nil {
			*to = *from
		}
	}
	if len(wrong) > 0 {
		return o, &refusal{code: "unit_invalid", fields: wrong}
	}
	for _, side := range []struct {
		name, pointer, ship, where string
		id                         *string
	}{{b.Seller, "/seller", o.ShipFrom, "/ship_from", &o.Seller}, {b.Buyer, "/buyer", o.ShipTo, "/ship_to", &o.Buyer}} {
		p, err := s.cfg.Store.Partner(ctx, whereOf(ctx).who.Tenant, side.name)
		if errors.Is(err, ErrNotFound) {
			return o, refuseField("partner_unknown", side.pointer, "is not in the register of partners")
		}
		if err != nil {
			return o, err
		}
		*side.id = p.ID
		if side.ship != "" && !slices.Contains(p.GLNs, side.ship) {
			return o, refuseField("partner_unknown", side.where, "is not a GLN of "+p.Name)
		}
	}
	return o, s.meaningless(o)
}

func (*server) meaningless(o activities.TransferOrder) error {
	switch {
	case o.Seller == o.Buyer:
		return refuseField("same_partner", "/buyer", "must be another company than the seller")
	case !ledger.KnownCurrency(o.Currency):
		return refuseField("unknown_currency", "/currency", "is not an ISO 4217 code")
	case len(o.PaymentMethod) < 4 || o.PaymentMethod[:3] != "pm_":
		return refuseField("payment_method_invalid", "/payment_method", "must be a payment method token (pm_…)")
	}
	if r := badMetadata(o.Metadata); r != nil {
		return r
	}
	return nil
}

// GetTransfer answers where a transfer or return stands.
func (s *server) GetTransfer(ctx context.Context, request GetTransferRequestObject) (GetTransferResponseObject, error) {
	who := whereOf(ctx).who
	t, err := s.cfg.Store.Transfer(ctx, who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	if err := s.party(ctx, t.Order); err != nil {
		return nil, err
	}
	v, err := s.cfg.Store.Saga(ctx, who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, s.view(v), "ETag", etag(v.Version))
}

// party lets in the tenant's own people and the keys of both companies.
// Anybody else is told that there is nothing.
func (s *server) party(ctx context.Context, o activities.TransferOrder) error {
	_, err := s.speaker(ctx, o)
	return err
}

// speaker is the company of the order that the key speaks for; "" is the
// tenant's own people.
func (s *server) speaker(ctx context.Context, o activities.TransferOrder) (partner string, err error) {
	who := whereOf(ctx).who
	if partner, err = s.cfg.Trade.PartnerOfKey(ctx, who.Tenant, who.KeyID); err != nil {
		return "", err
	}
	if partner == "" && who.Role != "trading_partner" || partner != "" && (partner == o.Seller || partner == o.Buyer) {
		return partner, nil
	}
	return "", ErrNotFound
}

// CreateReturn accepts a return of units of a completed transfer. How much is
// left to give back is for the store to say, which counts the returns that are
// accepted at this very moment too.
func (s *server) CreateReturn(ctx context.Context, request CreateReturnRequestObject) (CreateReturnResponseObject, error) {
	b := request.Body
	keys, wrong := unitKeys(b.Units, "/units")
	if len(wrong) > 0 {
		return s.decline(ctx, &refusal{code: "unit_invalid", fields: wrong})
	}
	t, err := s.cfg.Store.Transfer(ctx, whereOf(ctx).who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	sold, found, err := s.cfg.Trade.Stored(ctx, whereOf(ctx).who.Tenant, request.Id)
	switch {
	case err != nil:
		return nil, err
	case t.Type != activities.TransferType || t.Status != "completed" || !found:
		return s.decline(ctx, refuse("transfer_not_completed"))
	}
	part := sold.Sold()
	for i, key := range keys {
		if !part(key) {
			return s.decline(ctx, refuseField("unit_not_sold", "/units/"+itoa(i), "was not sold by this transfer"))
		}
	}
	return s.acceptGoods(ctx, activities.ReturnType, activities.TransferOrder{
		OrderRef: b.OrderRef, Seller: sold.BuyerID, Buyer: sold.SellerID, Units: keys, Price: b.Amount, Currency: t.Currency, History: t.Order.History,
		Of: request.Id, IntentID: t.IntentID,
	})
}
