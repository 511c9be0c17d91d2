package stripe

import (
	"maps"
	"time"
)

type intent struct {
	ID                 string
	Status             string
	Manual             bool
	Amount             int64
	Capturable         int64
	Received           int64
	Currency           string
	Customer           string
	PaymentMethod      string
	Description        string
	Charge             string
	CancellationReason string
	Created            int64
	CanceledAt         int64
	Metadata           map[string]string
	LastError          *apiError
}

type charge struct {
	ID                 string
	Intent             string
	PaymentMethod      string
	Currency           string
	Customer           string
	Description        string
	BalanceTransaction string
	Amount             int64
	CapturedAmount     int64
	Refunded           int64
	Captured           bool
	Paid               bool
	Released           bool
	FailureCode        string
	FailureMessage     string
	Created            int64
	Metadata           map[string]string
}

type refund struct {
	ID                 string
	Charge             string
	Intent             string
	Amount             int64
	Currency           string
	Reason             string
	BalanceTransaction string
	Created            int64
	Metadata           map[string]string
}

type balanceTransaction struct {
	ID       string
	Type     string // charge | refund
	Source   string
	Amount   int64
	Fee      int64
	Currency string
	Created  int64
}

type customer struct {
	ID          string
	Email       string
	Name        string
	Description string
	Created     int64
	Metadata    map[string]string
}

type paymentMethod struct {
	ID       string
	Token    string
	Customer string
	Created  int64
}

type event struct {
	ID        string
	Type      string
	Object    map[string]any
	Created   int64
	RequestID string
	Key       string
}

// A stored answer of a key.
type stored struct {
	Key      string
	Request  string // method, path and parameters
	Status   int
	Body     []byte
	ID       string // Request-Id
	At       time.Time
	InFlight bool `json:"-"`
}

// A Line is one movement of money in the book.
type Line struct {
	At                 time.Time `json:"at"`
	SagaID             string    `json:"saga_id"`
	Kind               string    `json:"kind"` // authorized | captured | canceled | refunded | fee
	PaymentIntent      string    `json:"payment_intent"`
	Charge             string    `json:"charge,omitempty"`
	BalanceTransaction string    `json:"balance_transaction,omitempty"`
	Amount             int64     `json:"amount"`
	Currency           string    `json:"currency"`
}

// A change is everything one request did: one line of the journal.
type change struct {
	Intents   []intent             `json:",omitempty"`
	Charges   []charge             `json:",omitempty"`
	Refunds   []refund             `json:",omitempty"`
	Balance   []balanceTransaction `json:",omitempty"`
	Customers []customer           `json:",omitempty"`
	Methods   []paymentMethod      `json:",omitempty"`
	Events    []event              `json:",omitempty"`
	Keys      []stored             `json:",omitempty"`
	Book      []Line               `json:",omitempty"`
	Advance   time.Duration        `json:",omitempty"`
}

// state is all there is. The lists keep the order of making, for listing.
type state struct {
	intents   map[string]intent
	charges   map[string]charge
	refunds   map[string]refund
	balance   map[string]balanceTransaction
	customers map[string]customer
	methods   map[string]paymentMethod
	keys      map[string]*stored
	order     map[string][]string // ids by object name
	events    []event
	book      []Line
	advanced  time.Duration
}

func newState() *state {
	return &state{
		intents: map[string]intent{}, charges: map[string]charge{}, refunds: map[string]refund{}, balance: map[string]balanceTransaction{},
		customers: map[string]customer{}, methods: map[string]paymentMethod{}, keys: map[string]*stored{}, order: map[string][]string{},
	}
}

func (s *state) apply(c change) {
	for _, o := range c.Intents {
		put(s, "payment_intent", s.intents, o.ID, o)
	}
	for _, o := range c.Charges {
		put(s, "charge", s.charges, o.ID, o)
	}
	for _, o := range c.Refunds {
		put(s, "refund", s.refunds, o.ID, o)
	}
	for _, o := range c.Balance {
		put(s, "balance_transaction", s.balance, o.ID, o)
	}
	for _, o := range c.Customers {
		put(s, "customer", s.customers, o.ID, o)
	}
	for _, o := range c.Methods {
		put(s, "payment_method", s.methods, o.ID, o)
	}
	for _, k := range c.Keys {
		s.keys[k.Key] = &k
	}
	s.events = append(s.events, c.Events...)
	s.book = append(s.book, c.Book...)
	s.advanced += c.Advance
}

func put[T any](s *state, kind string, all map[string]T, id string, o T) {
	if _, ok := all[id]; !ok {
		s.order[kind] = append(s.order[kind], id)
	}
	all[id] = o
}

// tx is one request at work: it sees the state and collects its change.
type tx struct {
	s         *Server
	at        time.Time
	requestID string
	key       string
	change    change
	seen      state // what this request has put already
}

func (s *Server) begin(at time.Time, requestID, key string) *tx {
	return &tx{s: s, at: at, requestID: requestID, key: key, seen: *newState()}
}

func (t *tx) intent(id string) (intent, bool) { return look(id, t.seen.intents, t.s.state.intents) }
func (t *tx) charge(id string) (charge, bool) { return look(id, t.seen.charges, t.s.state.charges) }

func look[T any](id string, seen, all map[string]T) (T, bool) {
	if o, ok := seen[id]; ok {
		return o, true
	}
	o, ok := all[id]
	return o, ok
}

func (t *tx) putIntent(o intent) {
	o.Metadata = maps.Clone(o.Metadata)
	t.seen.intents[o.ID] = o
	t.change.Intents = append(t.change.Intents, o)
}

func (t *tx) putCharge(o charge) {
	t.seen.charges[o.ID] = o
	t.change.Charges = append(t.change.Charges, o)
}

func (t *tx) putRefund(o refund) {
	t.seen.refunds[o.ID] = o
	t.change.Refunds = append(t.change.Refunds, o)
}

func (t *tx) putBalance(o balanceTransaction) {
	t.seen.balance[o.ID] = o
	t.change.Balance = append(t.change.Balance, o)
}

func (t *tx) write(kind string, in intent, balance string, amount int64) {
	t.change.Book = append(t.change.Book, Line{
		At: t.at, SagaID: in.Metadata["saga_id"], Kind: kind, PaymentIntent: in.ID, Charge: in.Charge,
		BalanceTransaction: balance, Amount: amount, Currency: in.Currency,
	})
}

func (t *tx) emit(kind string, object map[string]any) {
	t.change.Events = append(t.change.Events, event{
		ID: t.s.newID("evt_"), Type: kind, Object: object, Created: t.at.Unix(), RequestID: t.requestID, Key: t.key,
	})
}
