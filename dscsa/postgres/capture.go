package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/internal/pgtenant"
)

// Capture is a document to be taken in.
type Capture struct {
	Body       io.ReadSeeker // the document's bytes; read twice
	Credential string        // whose credential brings it
	Sender     string        // GLN of the partner that is; "": whoever the document says
	Proceed    bool          // leave out events that cannot be read instead of refusing the document
	Limits     epcis.Limits

	// Trade adds which of a query's products and parties are registered. Nil:
	// all are.
	Trade func(context.Context, check.Query, *check.Answer) error
}

// Captured says what became of a document.
type Captured struct {
	Appended

	Verdict dscsa.Verdict
	Report  check.Report
	SHA256  [32]byte
}

// ErrSender means that the document names another sender than the partner
// whose credential brings it.
var ErrSender = errors.New("the document names another sender than the partner whose credential brings it")

// Sizes of what is checked, and recorded, together.
const (
	checkedTogether  = 500
	recordedTogether = 50_000 // names of items
)

// Capture reads, checks and records a document: whole, or (verdict reject) not
// at all. Its memory does not grow with the document. The same bytes again
// change nothing. An error is of the source or the store; what is wrong with
// the document is in the report.
func (st *Store) Capture(ctx context.Context, tenant uuid.UUID, in Capture) (Captured, error) {
	out, doc, err := st.examine(ctx, tenant, in)
	if err != nil || out.Verdict == dscsa.Reject {
		return out, err
	}
	findings, err := json.Marshal(out.Report.Findings)
	if err != nil {
		return out, fmt.Errorf("encode the findings: %w", err)
	}
	if out.Report.Findings == nil {
		findings = []byte("[]")
	}
	record := dscsa.Document{
		Direction: dscsa.Received, Format: doc.Format, Sender: in.Sender, Credential: in.Credential, Verdict: out.Verdict, Findings: string(findings),
	}
	if h := doc.Header; h != nil {
		if record.Sender == "" && len(h.Sender) > 0 {
			record.Sender = dscsa.PartyOf(h.Sender[0].ID)
		}
		if len(h.Receiver) > 0 {
			record.Receiver = dscsa.PartyOf(h.Receiver[0].ID)
		}
	}
	err = pgtenant.Tx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		out.Appended, err = st.take(ctx, tx, tenant, in, &record)
		return err
	})
	return out, err
}

// examine reads a document once and says what is wrong with it.
func (st *Store) examine(ctx context.Context, tenant uuid.UUID, in Capture) (Captured, *epcis.Document, error) {
	var out Captured
	whole := sha256.New()
	body := io.TeeReader(in.Body, whole)
	now := time.Now()
	c := check.New(check.Options{Now: now})
	rest := c // what is left when events are left out
	if in.Proceed {
		rest = check.New(check.Options{Now: now})
	}
	known := &knowing{store: st, tenant: tenant, trade: in.Trade}
	doc, err := readEvents(body, in.Limits, in.Proceed, func(first int, events []*epcis.Event) error {
		hashes := make([]string, len(events))
		for i, e := range events {
			c.Event(e)
			if rest != c {
				rest.Event(e)
			}
			hashes[i] = epcis.Hash(e)
		}
		if err := c.Against(ctx, known, first, events, hashes); err != nil || rest == c {
			return err
		}
		return rest.Against(ctx, known, first, events, hashes)
	}, c)
	if err != nil {
		return out, nil, err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return out, nil, fmt.Errorf("read the document: %w", err)
	}
	out.SHA256 = [32]byte(whole.Sum(nil))
	if doc != nil {
		c.Document(doc)
		if rest != c {
			rest.Document(doc)
		}
		if h := doc.Header; in.Sender != "" && h != nil && len(h.Sender) > 0 && dscsa.PartyOf(h.Sender[0].ID) != dscsa.PartyOf(in.Sender) {
			return out, doc, ErrSender
		}
	}
	out.Report = c.Report()
	out.Verdict = dscsa.Verdict(out.Report.Verdict)
	if in.Proceed && out.Verdict == dscsa.Reject && doc != nil {
		if left := rest.Report(); left.Verdict != check.Reject && left.Events > 0 {
			out.Verdict = dscsa.Flag // a person looks at what was left out
		}
	}
	return out, doc, nil
}

// readEvents hands a document's events on, in batches. What cannot be read is
// told to the checker; the document is nil when nothing of it could be.
func readEvents(body io.Reader, limits epcis.Limits, proceed bool, fn func(first int, events []*epcis.Event) error, c *check.Checker) (*epcis.Document, error) {
	r, err := epcis.NewReader(body, limits)
	if err != nil {
		if c == nil {
			return nil, err
		}
		_, err := c.Refused(err)
		return nil, err
	}
	var batch []*epcis.Event
	size, first, n := 0, 1, 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := fn(first, batch)
		batch, size = nil, 0
		return err
	}
	told := false
	for {
		if c != nil && !told {
			c.Document(r.Document())
			told = true
		}
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Document(), flush()
		}
		n++
		if err != nil {
			if c == nil && !proceed {
				return nil, err
			}
			if err := flush(); err != nil {
				return nil, err
			}
			var refused *epcis.Error
			goOn := errors.As(err, &refused) && refused.Resumable
			if c != nil {
				if goOn, err = c.Refused(err); err != nil {
					return nil, err
				}
			}
			if !goOn {
				return r.Document(), nil
			}
			continue
		}
		if len(batch) == 0 {
			first = n
		}
		batch = append(batch, e)
		if size += len(e.EPCs) + len(e.InputEPCs) + len(e.OutputEPCs); len(batch) >= checkedTogether || size >= recordedTogether {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
}

// take records a document that has been examined, reading it again.
func (st *Store) take(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, in Capture, d *dscsa.Document) (Appended, error) {
	if _, err := in.Body.Seek(0, io.SeekStart); err != nil {
		return Appended{}, fmt.Errorf("read the document again: %w", err)
	}
	p, err := prepare(Batch{Document: d, Body: in.Body})
	if err != nil {
		return Appended{}, err
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return Appended{}, err
	}
	out, w, err := s.append(ctx, p)
	if err != nil || out.Known {
		return out, err
	}
	if _, err := in.Body.Seek(0, io.SeekStart); err != nil {
		return out, fmt.Errorf("read the document again: %w", err)
	}
	last := time.Time{}
	_, err = readEvents(in.Body, in.Limits, in.Proceed, func(first int, events []*epcis.Event) error {
		part := &prepared{within: w.doc, hold: w.hold, things: things{}}
		list := make([]epcis.Event, len(events))
		for i, e := range events {
			list[i] = *e
			if e.BizStep == "shipping" && e.EventTime.After(last) {
				last = e.EventTime
			}
		}
		if err := part.add(list, first-1); err != nil {
			return err
		}
		more, _, err := s.append(ctx, part)
		out.add(more)
		return err
	}, nil)
	if err != nil {
		return out, err
	}
	if last.IsZero() {
		last = s.at
	}
	return out, s.retain(ctx, w.doc, "K1", last.UTC().Truncate(24*time.Hour))
}

func (a *Appended) add(more Appended) {
	a.Stored += more.Stored
	a.Resent += more.Resent
	a.Affected += more.Affected
	a.Reused = append(a.Reused, more.Reused...)
	a.Conflicts = append(a.Conflicts, more.Conflicts...)
}
