package activities

// TransferOrder is a sale, or a return, of serialised units as it was ordered
// and the API checked it. Amount is in minor units of Currency.
type TransferOrder struct {
	OrderRef      string            `json:"order_ref"`
	Seller        string            `json:"seller"` // partner ids; of a return, who gives the units back
	Buyer         string            `json:"buyer"`
	Units         []string          `json:"units"` // canonical keys of units or of what they are in
	Price         int64             `json:"price"`
	Currency      string            `json:"currency"`
	PaymentMethod string            `json:"payment_method,omitempty"`
	ShipFrom      string            `json:"ship_from,omitempty"` // GLN; the seller's first when empty
	ShipTo        string            `json:"ship_to,omitempty"`   // GLN; the buyer's first when empty
	History       bool              `json:"history"`             // T3; without it T2
	Metadata      map[string]string `json:"metadata,omitempty"`

	// Of a return: the transfer that is taken back and its payment.
	Of       string `json:"of,omitempty"`
	IntentID string `json:"intent_id,omitempty"`
}

// TransferPlan is what the workflow needs to know of the order: nothing.
type TransferPlan struct{}

// The types of the sagas that move goods.
const (
	TransferType = "transfer"
	ReturnType   = "return"
)

// The names of the steps of a transfer and a return.
const (
	StepPartners = "partners"
	StepReserve  = "reserve"
	StepReview   = "review"
	StepShip     = "ship"
	StepDeliver  = "deliver"
	StepReceive  = "receive"
	StepSettle   = "settle"
	StepRefund   = "refund"
)
