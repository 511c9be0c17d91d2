package activities

import (
	"context"
	"time"
)

// PaymentGateway is the card processor as the payment steps need it. Every
// writing call carries our own idempotency key. Amounts are minor units of
// Currency. Errors are *step.Refused, *step.Transient, *step.Unknown or
// *step.Misuse and nothing else.
type PaymentGateway interface {
	// CreateIntent makes a payment intent and moves no money.
	CreateIntent(ctx context.Context, key string, r IntentRequest) (Intent, error)
	// ConfirmIntent authorises (ManualCapture) or charges the card.
	ConfirmIntent(ctx context.Context, key, intentID string) (Intent, error)
	// CaptureIntent takes the whole authorised amount.
	CaptureIntent(ctx context.Context, key, intentID string) (Intent, error)
	// CancelIntent releases an authorisation. A cancelled intent can never be
	// confirmed or captured afterwards. Cancelling a cancelled intent succeeds.
	CancelIntent(ctx context.Context, key, intentID string) (Intent, error)
	// Refund returns the whole amount of a succeeded intent.
	Refund(ctx context.Context, key string, r RefundRequest) (Refund, error)
	// GetIntent looks an intent up with its latest charge, fee and refunds.
	GetIntent(ctx context.Context, intentID string) (Intent, error)
}

// IntentRequest asks for one payment intent. SagaID, Step and Tenant become
// the processor's metadata, so that a payment can always be traced to its saga.
type IntentRequest struct {
	Amount        int64
	Currency      string // ISO 4217, lower case
	PaymentMethod string // the processor's token, never a card number
	ManualCapture bool   // true: confirm authorises; false: confirm charges
	Description   string
	SagaID        string
	Step          string
	Tenant        string
}

// IntentStatus is the processor's word for where a payment stands.
type IntentStatus string

// The statuses of a Stripe payment intent (Stripe API 2023-10-16).
const (
	IntentRequiresPaymentMethod IntentStatus = "requires_payment_method"
	IntentRequiresConfirmation  IntentStatus = "requires_confirmation"
	IntentRequiresAction        IntentStatus = "requires_action"
	IntentProcessing            IntentStatus = "processing"
	IntentRequiresCapture       IntentStatus = "requires_capture"
	IntentCanceled              IntentStatus = "canceled"
	IntentSucceeded             IntentStatus = "succeeded"
)

// Intent is a payment intent as the processor reports it. Fee is the
// processor's fee for the capture, known once Status is succeeded.
// Refunded is the sum of refunds that did not fail; RefundID the newest one.
type Intent struct {
	ID                   string       `json:"id"`
	Status               IntentStatus `json:"status"`
	Amount               int64        `json:"amount"`
	Currency             string       `json:"currency"`
	ChargeID             string       `json:"charge_id,omitempty"`
	BalanceTransactionID string       `json:"balance_transaction_id,omitempty"`
	Received             int64        `json:"received"`
	Fee                  int64        `json:"fee"`
	Refunded             int64        `json:"refunded"`
	RefundID             string       `json:"refund_id,omitempty"`
	// RequestID is the processor's id of the answer this was read from.
	RequestID string `json:"request_id,omitempty"`
}

// RefundRequest asks for the whole of a succeeded intent back.
type RefundRequest struct {
	IntentID string
	Amount   int64
	SagaID   string
	Step     string
	Tenant   string
}

// RefundStatus is the processor's word for where a refund stands.
type RefundStatus string

// The statuses of a Stripe refund.
const (
	RefundPending   RefundStatus = "pending"
	RefundSucceeded RefundStatus = "succeeded"
	RefundFailed    RefundStatus = "failed"
	RefundCanceled  RefundStatus = "canceled"
)

// Refund is a refund as the processor reports it.
type Refund struct {
	ID                   string       `json:"id"`
	Status               RefundStatus `json:"status"`
	Amount               int64        `json:"amount"`
	BalanceTransactionID string       `json:"balance_transaction_id,omitempty"`
	RequestID            string       `json:"request_id,omitempty"`
}

// ReservationKind names a participant.
type ReservationKind string

// The participants of a booking.
const (
	Flight ReservationKind = "flight"
	Hotel  ReservationKind = "hotel"
	Car    ReservationKind = "car"
)

// Participants is the seat, room and car inventory as the reservation steps
// need it. Our key names the reservation on their side; every call is
// idempotent in it. Errors are those of PaymentGateway.
type Participants interface {
	// Reserve holds the item. ReservationOngoing means: accepted, ask again.
	Reserve(ctx context.Context, kind ReservationKind, key string, r ReservationRequest) (Reservation, error)
	// Confirm turns a held reservation into a booking.
	Confirm(ctx context.Context, kind ReservationKind, key string) (Reservation, error)
	// Cancel releases it. Cancelling what was never reserved succeeds and
	// makes a later Reserve with the same key fail (ReservationCancelled).
	Cancel(ctx context.Context, kind ReservationKind, key string) (Reservation, error)
	// Lookup finds the reservation by our key; found is false when the
	// participant has never heard of it.
	Lookup(ctx context.Context, kind ReservationKind, key string) (r Reservation, found bool, err error)
}

// ReservationRequest asks a participant for one item. Price is in minor units.
type ReservationRequest struct {
	SKU      string
	Price    int64
	Currency string
	Nights   int // hotels only
	Traveler string
	SagaID   string
}

// ReservationStatus is the participant's word for where a reservation stands.
type ReservationStatus string

// The statuses of a reservation.
const (
	ReservationOngoing   ReservationStatus = "ongoing"
	ReservationReserved  ReservationStatus = "reserved"
	ReservationConfirmed ReservationStatus = "confirmed"
	ReservationRefused   ReservationStatus = "refused"
	ReservationCancelled ReservationStatus = "cancelled"
)

// Reservation is a reservation as the participant reports it. A refusal
// reaches callers of Reserve and Confirm as *step.Refused, and of Lookup as
// Status refused with RefusalCode.
type Reservation struct {
	Reference   string            `json:"reference"` // the participant's own id
	Status      ReservationStatus `json:"status"`
	SKU         string            `json:"sku"`
	Price       int64             `json:"price"`
	Currency    string            `json:"currency"`
	RefusalCode string            `json:"refusal_code,omitempty"`
	Message     string            `json:"message,omitempty"`
	ReservedAt  time.Time         `json:"reserved_at,omitzero"`
}
