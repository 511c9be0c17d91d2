package investigation

import (
	"errors"
	"time"

	"github.com/recourse/recourse/dscsa"
)

// Suspicion is why product is suspect (21 USC 360eee(21)).
type Suspicion string

// The grounds of the law.
const (
	Counterfeit              Suspicion = "counterfeit"
	Diverted                 Suspicion = "diverted"
	Stolen                   Suspicion = "stolen"
	IntentionallyAdulterated Suspicion = "intentionally_adulterated"
	FraudulentTransaction    Suspicion = "fraudulent_transaction"
	Unfit                    Suspicion = "unfit" // appears otherwise unfit for distribution
)

// State is where an investigation stands.
type State string

// The states.
const (
	Open         State = "open"
	Cleared      State = "cleared"
	Illegitimate State = "illegitimate"
	Disposed     State = "disposed" // illegitimate, and its disposition is concluded
)

// Investigation is one as it stands. Times are UTC.
type Investigation struct {
	ID          string
	State       State
	Company     string // partner id of who investigates
	CompanyName string
	Role        dscsa.PartnerRole // the company's when it was opened
	Suspicion   Suspicion
	Summary     string
	Units       []string // canonical keys, as named; or a lot:
	GTIN, Lot   string
	Hold        int64      // that kept, or keeps, it as suspect
	FDAAskedOn  *time.Time // the day FDA asked for the verification; nil: it has not
	FDAOffice   string
	OpenedAt    time.Time
	OpenedBy    string
	Progress    Progress
	End         *End
	Disposition *Disposition
}

// Progress is how much of the suspect product was verified. A list leaves it
// zero for what is still open.
type Progress struct {
	Packages int64 // under investigation
	Required int64 // of them to be verified
	Verified int64 // by the last word on each
	Failed   int64
}

// End is how an investigation ended.
type End struct {
	At               time.Time // of illegitimate product the determination
	By               string    // api key id
	Person, Position string
	Summary          string
	FDAToldAt        *time.Time
	Hold             int64 // that keeps illegitimate product; 0 of cleared
}

// Disposition is what became of illegitimate product.
type Disposition struct {
	Method      string // destroyed, returned, surrendered, other
	ConcludedOn time.Time
	Summary     string
	At          time.Time
	By          string
}

// Verification is what was said of one package.
type Verification struct {
	Unit    string // canonical key
	Result  string // verified, not_verified
	Failure string // why not, a reason of GS1's Lightweight Messaging Standard
	Source  string // who answered
	Note    string
	At      time.Time
	By      string
	N       int64
}

// Match is product under an investigation that an event named after the hold
// was placed: it came in later, or moved (582(b) to (e)(4)(B)(iii)).
type Match struct {
	Unit      string
	GTIN      string
	Serial    string
	Lot       string
	State     dscsa.State
	Owner     string // GLN
	New       bool   // nothing had named it before
	Event     int64  // sequence of the event
	BizStep   string
	EventTime time.Time
	Document  int64
	Sender    string
}

// ErrNotFound means that the tenant has no such investigation or notification.
var ErrNotFound = errors.New("there is no such investigation or notification")

// A Refused says why something cannot be, in words for people; Code is the
// API's.
type Refused struct {
	Code, Detail string
	Fields       []Field
}

// Field is what is wrong with one field; Pointer as in the request.
type Field struct{ Pointer, Code, Detail string }

func (r *Refused) Error() string { return r.Code + ": " + r.Detail }

// The codes of a Refused.
const (
	CodeEnded       = "investigation_ended"
	CodeNotEnough   = "verification_incomplete"
	CodeFDANotTold  = "fda_not_told"
	CodeNoDuty      = "company_cannot_investigate"
	CodeNotUnder    = "unit_not_under_investigation"
	CodeNotIllegit  = "not_illegitimate"
	CodeDisposed    = "disposition_known"
	CodeSubmitted   = "notification_submitted"
	CodeIncomplete  = "notification_incomplete"
	CodeFirstFirst  = "notification_not_first"
	CodeIncident    = "incident_known"
	CodeWrongMoment = "time_impossible"
)
