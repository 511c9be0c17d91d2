package tradebook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities/step"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/tradebook/internal/tradequeries"
)

// ApplyTx does to the custody of goods what a step of a saga does, in the
// transaction that settles the step. Errors: *step.Refused when a unit does not
// allow it.
func (b *Book) ApplyTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, c dscsa.Change) error {
	var err error
	switch {
	case c.Reserve != nil:
		_, err = b.custody.ReserveTx(ctx, tx, tenant, saga, c.Reserve.Owner, c.Reserve.Units, today())
	case c.Release:
		err = b.custody.ReleaseTx(ctx, tx, tenant, saga)
	case c.Ship != nil:
		err = b.ship(ctx, tx, tenant, saga, c.Ship)
	case c.Receive != nil:
		err = b.receive(ctx, tx, tenant, saga, c.Receive)
	}
	var no *dscsa.Refused
	if errors.As(err, &no) {
		return &step.Refused{Code: string(no.Code), Message: no.Error()}
	}
	return err
}

func today() time.Time { return time.Now().UTC().Truncate(24 * time.Hour) }

// ship changes the owner and keeps what the documents are made from.
func (b *Book) ship(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, s *dscsa.Shipment) error {
	var facts t3.Facts
	if err := json.Unmarshal(s.Facts, &facts); err != nil {
		return fmt.Errorf("read the facts of %s: %w", saga, err)
	}
	sum := sha256.Sum256(s.Document)
	_, err := b.custody.ShipTx(ctx, tx, tenant, custodypg.Shipment{
		Saga: saga, Seller: s.SellerGLN, Buyer: s.BuyerGLN,
		Document: dscsa.Document{
			SHA256: sum, Size: int64(len(s.Document)), Direction: dscsa.Sent, Format: epcis.XML12, Sender: s.SellerGLN, Receiver: s.BuyerGLN,
			Credential: "saga", Saga: saga, Verdict: dscsa.Accept, Findings: "[]",
		},
		// What the document repeats of earlier events is on record as it came;
		// only the change of owner is new.
		Body: bytes.NewReader(s.Document), Events: []epcis.Event{*facts.Shipping()},
	}, today())
	if err != nil {
		return err
	}
	q := tradequeries.New(tx)
	err = q.AddT3(ctx, tradequeries.AddT3Params{
		TenantID: tenant, SagaID: saga, SellerID: s.SellerID, BuyerID: s.BuyerID, Facts: string(s.Facts), XmlSha256: sum[:],
	})
	if err != nil {
		return fmt.Errorf("keep the facts of %s: %w", saga, err)
	}
	quantities, err := json.Marshal(s.Quantities)
	if err != nil {
		return fmt.Errorf("encode the quantities of %s: %w", saga, err)
	}
	if err := q.AddT3Lines(ctx, tradequeries.AddT3LinesParams{TenantID: tenant, SagaID: saga, BuyerID: s.BuyerID, Quantities: quantities}); err != nil {
		return fmt.Errorf("keep the quantities of %s: %w", saga, err)
	}
	return nil
}

// receive records the receipt as it was said, the receiving event of what came,
// and a hold on what is not as it should be.
func (b *Book) receive(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, r *dscsa.Receipt) error {
	if _, err := AddReceiptTx(ctx, tx, tenant, saga, *r); err != nil {
		return fmt.Errorf("keep the receipt of %s: %w", saga, err)
	}
	row, err := tradequeries.New(tx).T3(ctx, tradequeries.T3Params{TenantID: tenant, SagaID: saga})
	if err != nil {
		return fmt.Errorf("read the facts of %s: %w", saga, err)
	}
	var facts t3.Facts
	if err := json.Unmarshal([]byte(row.Facts), &facts); err != nil {
		return fmt.Errorf("read the facts of %s: %w", saga, err)
	}
	came := facts.Account(*r)
	if event := facts.Receiving(came.Received, r.At); event != nil {
		if _, err := b.custody.AppendTx(ctx, tx, tenant, custodypg.Batch{Events: []epcis.Event{*event}}); err != nil {
			return fmt.Errorf("record the receipt of %s: %w", saga, err)
		}
	}
	for _, h := range holds(saga, came.Exceptions) {
		if _, err := b.custody.HoldTx(ctx, tx, tenant, h); err != nil {
			return fmt.Errorf("keep %s from sale: %w", h.Things[0], err)
		}
	}
	return nil
}

// holds keep what a receipt complains of from sale: one for each complaint,
// however many units it is about.
func holds(saga string, exceptions []dscsa.Exception) []dscsa.HoldOrder {
	type complaint struct {
		kind dscsa.ExceptionKind
		note string
	}
	var out []dscsa.HoldOrder
	at := map[complaint]int{}
	for _, e := range exceptions {
		c := complaint{e.Kind, e.Note}
		n, known := at[c]
		if !known {
			n, at[c] = len(out), len(out)
			reason := fmt.Sprintf("%s at the receipt of %s", e.Kind, saga)
			if e.Note != "" {
				reason += ": " + e.Note
			}
			out = append(out, dscsa.HoldOrder{Class: dscsa.Suspect, Actor: "receipt of " + saga, Reason: reason})
		}
		out[n].Things = append(out[n].Things, e.Unit)
	}
	return out
}
