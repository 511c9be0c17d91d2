package tradebook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/activities"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/t3"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/tradebook/internal/tradequeries"
)

// Usual implements activities.TradeBook.
func (b *Book) Usual(ctx context.Context, tenant uuid.UUID, buyer, gtin string) (median, transfers int, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		row, err := tradequeries.New(tx).Median(ctx, tradequeries.MedianParams{TenantID: tenant, BuyerID: buyer, Gtin: gtin})
		median, transfers = int(row.Quantity), int(row.Transfers)
		return err
	})
	return median, transfers, err
}

// AddReviewTx records what people decided about an order that was held.
func AddReviewTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, r activities.Review) error {
	decision := "refuse"
	if r.Clear {
		decision = "clear"
	}
	err := tradequeries.New(tx).AddReview(ctx, tradequeries.AddReviewParams{
		TenantID: tenant, SagaID: saga, Decision: decision, Reason: r.Reason, ApprovalID: r.ApprovalID,
	})
	if err != nil {
		return fmt.Errorf("record the review of %s: %w", saga, err)
	}
	return nil
}

// Review implements activities.TradeBook.
func (b *Book) Review(ctx context.Context, tenant uuid.UUID, saga string) (r activities.Review, found bool, err error) {
	found, err = b.find(ctx, tenant, func(q *tradequeries.Queries) error {
		row, err := q.Review(ctx, tradequeries.ReviewParams{TenantID: tenant, SagaID: saga})
		r = activities.Review{Clear: row.Decision == "clear", Reason: row.Reason, ApprovalID: row.ApprovalID, DecidedAt: row.DecidedAt}
		return err
	})
	return r, found, err
}

// AddReceiptTx records what the buyer received; said is false when that had
// been said before.
func AddReceiptTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, saga string, r dscsa.Receipt) (said bool, err error) {
	if r.Received == nil {
		r.Received = []string{}
	}
	if r.Exceptions == nil {
		r.Exceptions = []dscsa.Exception{}
	}
	received, err := json.Marshal(r.Received)
	if err != nil {
		return false, fmt.Errorf("encode the receipt: %w", err)
	}
	exceptions, err := json.Marshal(r.Exceptions)
	if err != nil {
		return false, fmt.Errorf("encode the receipt: %w", err)
	}
	_, err = tradequeries.New(tx).AddReceipt(ctx, tradequeries.AddReceiptParams{
		TenantID: tenant, SagaID: saga, Received: received, Exceptions: exceptions, ReceivedAt: r.At, RecordedBy: r.By,
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Receipt implements activities.TradeBook.
func (b *Book) Receipt(ctx context.Context, tenant uuid.UUID, saga string) (r dscsa.Receipt, found bool, err error) {
	found, err = b.find(ctx, tenant, func(q *tradequeries.Queries) error {
		row, err := q.Receipt(ctx, tradequeries.ReceiptParams{TenantID: tenant, SagaID: saga})
		if err != nil {
			return err
		}
		r.At, r.By = row.ReceivedAt, row.RecordedBy
		return errors.Join(json.Unmarshal(row.Received, &r.Received), json.Unmarshal(row.Exceptions, &r.Exceptions))
	})
	return r, found, err
}

// Stored are a transfer's facts and the companies of it.
type Stored struct {
	Facts             *t3.Facts
	SellerID, BuyerID string
	XMLSHA256         [32]byte
}

// Sold tells of things, by their canonical keys, whether they are part of the
// shipment.
func (s *Stored) Sold() func(key string) bool {
	things := make(map[string]bool, len(s.Facts.Units)+len(s.Facts.Containers))
	for _, u := range s.Facts.Units {
		things[u.EPC] = true
	}
	for _, c := range s.Facts.Containers {
		things[c.EPC] = true
	}
	return func(key string) bool { return things[t3.EPC(key)] }
}

// Stored finds what a transfer's documents are made from.
func (b *Book) Stored(ctx context.Context, tenant uuid.UUID, saga string) (s Stored, found bool, err error) {
	found, err = b.find(ctx, tenant, func(q *tradequeries.Queries) error {
		row, err := q.T3(ctx, tradequeries.T3Params{TenantID: tenant, SagaID: saga})
		if err != nil {
			return err
		}
		s.SellerID, s.BuyerID, s.Facts = row.SellerID, row.BuyerID, &t3.Facts{}
		copy(s.XMLSHA256[:], row.XmlSha256)
		return json.Unmarshal([]byte(row.Facts), s.Facts)
	})
	return s, found, err
}

// ErrNotShipped means that there are no facts: the owner has not changed.
var ErrNotShipped = errors.New("the transfer has not shipped")

// Facts implements activities.TradeBook.
func (b *Book) Facts(ctx context.Context, tenant uuid.UUID, saga string) (*t3.Facts, error) {
	s, found, err := b.Stored(ctx, tenant, saga)
	if err == nil && !found {
		err = fmt.Errorf("%w: %s", ErrNotShipped, saga)
	}
	return s.Facts, err
}

// find runs one query; no row is no error.
func (b *Book) find(ctx context.Context, tenant uuid.UUID, run func(*tradequeries.Queries) error) (found bool, err error) {
	err = pgtenant.ReadTx(ctx, b.pool, tenant, func(_ context.Context, tx pgx.Tx) error { return run(tradequeries.New(tx)) })
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}
