package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/google/uuid"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
)

const reviewAction = "transfer.review"

// TransferT3 answers with the transaction's document, made from what was stored.
func (s *server) TransferT3(ctx context.Context, request TransferT3RequestObject) (TransferT3ResponseObject, error) {
	who := whereOf(ctx).who
	t, err := s.cfg.Store.Transfer(ctx, who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	if err := s.party(ctx, t.Order); err != nil {
		return nil, err
	}
	stored, found, err := s.cfg.Trade.Stored(ctx, who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, refuse("not_shipped")
	}
	format := epcis.XML12
	if request.Params.Format != nil {
		format = epcis.Format(*request.Params.Format)
	}
	kind := "application/xml"
	if format == epcis.JSON20 {
		kind = "application/ld+json"
	}
	var body bytes.Buffer
	if err := stored.Facts.Write(&body, format); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.Bytes())
	if format == epcis.XML12 && sum != stored.XMLSHA256 {
		return nil, fmt.Errorf("the document of %s is not the one that was shipped with", request.Id)
	}
	return Answer{Status: http.StatusOK, Body: body.Bytes(), Header: map[string]string{
		"Content-Type": kind, "ETag": `"` + hex.EncodeToString(sum[:]) + `"`,
	}}, nil
}

// ReceiveTransfer keeps what the buyer says it received and wakes the saga.
func (s *server) ReceiveTransfer(ctx context.Context, request ReceiveTransferRequestObject) (ReceiveTransferResponseObject, error) {
	receipt, wrong := receiptOf(*request.Body)
	if len(wrong) > 0 {
		return s.decline(ctx, &refusal{code: "unit_invalid", fields: wrong})
	}
	w := whereOf(ctx)
	t, err := s.cfg.Store.Transfer(ctx, w.who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	partner, err := s.speaker(ctx, t.Order)
	if err != nil {
		return nil, err
	}
	if partner != "" && partner != t.Order.Buyer {
		return nil, &refusal{code: "forbidden", detail: "What came is said by the buyer's key, not by the seller's."}
	}
	stored, shipped, err := s.cfg.Trade.Stored(ctx, w.who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	if shipped {
		if wrong := elsewhere(receipt, stored.Sold()); len(wrong) > 0 {
			return s.decline(ctx, &refusal{code: "unit_not_sold", fields: wrong})
		}
	}
	receipt.At, receipt.By = w.once.At, w.who.KeyID
	a, err := s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		t, err := tx.Transfer(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		if !t.Shipped {
			return s.problem(ctx, refuse("not_shipped")), nil
		}
		said, err := tx.Receive(ctx, request.Id, receipt)
		if err != nil {
			return Answer{}, err
		}
		if !said {
			return s.problem(ctx, refuse("already_received")), nil
		}
		v, err := tx.Saga(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		return s.acceptance(v)
	})
	if err == nil && a.Status == http.StatusAccepted {
		s.wake(ctx, request.Id, activities.StepReceive)
	}
	return a, err
}

func receiptOf(b ReceiptRequest) (r dscsa.Receipt, wrong []FieldError) {
	r.Received, wrong = unitKeys(b.Received, "/received")
	r.Exceptions = []dscsa.Exception{}
	if b.Exceptions == nil {
		return r, wrong
	}
	for i, e := range *b.Exceptions {
		key, ok := unitKey(e.Unit)
		if !ok {
			wrong = append(wrong, FieldError{Pointer: "/exceptions/" + itoa(i) + "/unit", Code: "invalid", Detail: "is neither a package nor an SSCC"})
			continue
		}
		one := dscsa.Exception{Unit: key, Kind: dscsa.ExceptionKind(e.Kind)}
		if e.Note != nil {
			one.Note = *e.Note
		}
		r.Exceptions = append(r.Exceptions, one)
	}
	return r, wrong
}

// elsewhere names what a receipt says of things that the shipment did not have.
// What came besides it is an overage, or a wrong serial.
func elsewhere(r dscsa.Receipt, shipped func(key string) bool) (wrong []FieldError) {
	for i, key := range r.Received {
		if !shipped(key) {
			wrong = append(wrong, FieldError{Pointer: "/received/" + itoa(i), Code: "unit_not_sold", Detail: "is not in the document: name it among the exceptions, as an overage"})
		}
	}
	for i, e := range r.Exceptions {
		if (e.Kind == dscsa.Shortage || e.Kind == dscsa.Damaged) && !shipped(e.Unit) {
			wrong = append(wrong, FieldError{Pointer: "/exceptions/" + itoa(i) + "/unit", Code: "unit_not_sold", Detail: "is not in the document"})
		}
	}
	return wrong
}

// wake makes a waiting step look sooner. What it finds is in the database, so a
// wake-up that is lost costs time and nothing else.
func (s *server) wake(ctx context.Context, saga, step string) {
	ctx, cancel := context.WithTimeout(ctx, signalPatience)
	defer cancel()
	if err := s.cfg.Orchestrator.WakeSaga(ctx, saga, step); err != nil {
		s.log.WarnContext(ctx, "the saga was not woken", slog.String("saga_id", saga), slog.String("step", step), slog.Any("error", err))
	}
}

// A review is the payload of an approval about an order that is held.
type review struct {
	Decision string `json:"decision"`
	Reason   string `json:"reason"`
}

// ProposeReview records what one person wants to become of a held order.
func (s *server) ProposeReview(ctx context.Context, request ProposeReviewRequestObject) (ProposeReviewResponseObject, error) {
	check := func(ctx context.Context, tx Tx, _ string) error {
		t, err := tx.Transfer(ctx, request.Id)
		if err == nil && !t.Held {
			return refuse("not_held")
		}
		return err
	}
	what := review{Decision: string(request.Body.Decision), Reason: request.Body.Reason}
	return s.put(ctx, proposal{action: reviewAction, subject: request.Id, reason: request.Body.Reason, payload: what, check: check})
}

// reviewed carries out what two people decided about a held order.
func reviewed(ctx context.Context, tx Tx, _ uuid.UUID, a ApprovalRecord) (any, error) {
	var what review
	if err := json.Unmarshal(a.Payload, &what); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	t, err := tx.Transfer(ctx, a.Subject)
	if err != nil {
		return nil, err
	}
	if !t.Held {
		return nil, refuse("not_held")
	}
	return nil, tx.Review(ctx, a.Subject, activities.Review{Clear: what.Decision == "clear", Reason: what.Reason, ApprovalID: a.ID})
}
