package epcisapi

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/query"
	"github.com/recourse/recourse/internal/auth"
)

// Repository keeps documents and their events.
type Repository interface {
	// Capture reads, checks and keeps a document. A document that cannot be
	// taken is a job without success, not an error. Errors: ErrSender,
	// ErrBusy, ErrTooMany of more than MaxEvents, or the database.
	Capture(ctx context.Context, who auth.Principal, s Submission) (Job, error)
	// Job finds a capture job; ErrNotFound. A partner's key sees its own.
	Job(ctx context.Context, who auth.Principal, id string) (Job, error)
	// Jobs lists capture jobs, newest first, from after the job named. A
	// partner's key sees its own.
	Jobs(ctx context.Context, who auth.Principal, after string, limit int) ([]Job, error)
	// Events answers a query: at most limit events from after the place, and
	// the place to go on from, "" at the end. ErrPlace. A partner's key sees
	// what is in documents that the partner sent or was sent (FD&C
	// 582(c)(1)(A)(v)(II)).
	Events(ctx context.Context, who auth.Principal, q query.Query, after string, limit int) ([]Recorded, string, error)
	// Names lists what occurs in events, in order, from after the name.
	Names(ctx context.Context, tenant uuid.UUID, of Collection, after string, limit int) ([]string, error)
}

// MaxEvents is how many events one document may have.
const MaxEvents = 500_000

// Errors of a Repository.
var (
	ErrNotFound = errors.New("there is no such thing here")
	ErrSender   = errors.New("the document names another sender than the credential's partner")
	ErrBusy     = errors.New("too many documents are being taken at once")
	ErrTooMany  = errors.New("the document has more events than are taken in one")
	ErrPlace    = errors.New("this is not where a page ended")
)

// Submission is a document as it was sent.
type Submission struct {
	Document []byte
	// Proceed takes the events that can be taken though others cannot;
	// otherwise it is all or nothing.
	Proceed bool
}

// Job is how the capture of a document went.
type Job struct {
	ID         string
	CreatedAt  time.Time
	FinishedAt time.Time
	Proceed    bool
	Success    bool
	Verdict    string // accept, flag, reject
	Events     int    // stored
	EventID    string // of the first event
	Findings   []Finding
}

// Finding is what a check found.
type Finding struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"`
	Where    string `json:"where"`
	Message  string `json:"message"`
}

// Recorded is an event and when it was taken.
type Recorded struct {
	Event      *epcis.Event
	RecordedAt time.Time
}

// Collection is something that events name.
type Collection string

// The collections of the standard.
const (
	EPCs         Collection = "epcs"
	BizSteps     Collection = "bizSteps"
	Dispositions Collection = "dispositions"
	ReadPoints   Collection = "readPoints"
	BizLocations Collection = "bizLocations"
	EventTypes   Collection = "eventTypes"
)
