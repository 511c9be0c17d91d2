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
	Proceed    bool          // leave out events that cannot be read instead of refusing the document
	Limits     epcis.Limits
	Now        func() time.Time // nil: time.Now

	// Each is shown every event that can be read, in order, before anything is
	// recorded. It must not keep them. Nil: nobody looks.
	Each func(*epcis.Event)
	// Parties says who sent the document to whom, GLNs or URIs, once it is read;
	// an error refuses it. Nil: whom its header names.
	Parties func(context.Context, *epcis.Document) (sender, receiver string, err error)
	// Trade adds which of a query's products and parties are registered. Nil:
	// all are.
	Trade func(context.Context, check.Query, *check.Answer) error
	// With goes on in the transaction in which the document is recorded, or,
	// when it is not, in one of its own. Nil: nothing does.
	With func(context.Context, pgx.Tx, *Captured) error
}

// Captured says what became of a document.
type Captured struct {
	Appended

	Verdict dscsa.Verdict
	Report  check.Report
	SHA256  [32]byte
}

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
	out, doc, skip, err := st.examine(ctx, tenant, in)
	if err != nil {
		return out, err
	}
	record := dscsa.Document{Direction: dscsa.Received, Credential: in.Credential, Verdict: out.Verdict}
	if doc != nil {
		parties := in.Parties
		if parties == nil {
			parties = ofHeader
		}
		record.Format = doc.Format
		if record.Sender, record.Receiver, err = parties(ctx, doc); err != nil {
			return out, err
		}
	}
	findings, err := json.Marshal(append([]check.Finding{}, out.Report.Findings...))
	if err != nil {
		return out, fmt.Errorf("encode the findings: %w", err)
	}
	record.Findings = string(findings)
	if out.Verdict == dscsa.Reject && in.With == nil {
		return out, nil
	}
	err = pgtenant.Tx(ctx, st.pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		if out.Verdict != dscsa.Reject {
			if out.Appended, err = st.take(ctx, tx, tenant, in, &record, skip); err != nil {
				return err
			}
		}
		if in.With == nil {
			return nil
		}
		return in.With(ctx, tx, &out)
	})
	return out, err
}

// ofHeader are the parties of a document's business header.
func ofHeader(_ context.Context, doc *epcis.Document) (sender, receiver string, err error) {
	if h := doc.Header; h != nil {
		if len(h.Sender) > 0 {
			sender = dscsa.PartyOf(h.Sender[0].ID)
		}
		if len(h.Receiver) > 0 {
			receiver = dscsa.PartyOf(h.Receiver[0].ID)
		}
	}
	return sender, receiver, nil
}

// examine reads a document once and says what is wrong with it. left counts the
// events that are taken, and skip says which are not.
func (st *Store) examine(ctx context.Context, tenant uuid.UUID, in Capture) (out Captured, doc *epcis.Document, skip func(event int) bool, err error) {
	whole := sha256.New()
	body := io.TeeReader(in.Body, whole)
	now := time.Now
	if in.Now != nil {
		now = in.Now
	}
	c := check.New(check.Options{Now: now()})
	known := &knowing{store: st, tenant: tenant, trade: in.Trade}
	left := 0
	doc, err = readEvents(body, in.Limits, in.Proceed, func(first int, events []*epcis.Event) error {
		hashes := make([]string, len(events))
		for i, e := range events {
			if in.Each != nil {
				in.Each(e)
			}
			c.Event(e)
			if !c.Rejects(first + i) {
				left++
			}
			hashes[i] = epcis.Hash(e)
		}
		return c.Against(ctx, known, first, events, hashes)
	}, c)
	if err != nil {
		return out, nil, nil, err
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return out, nil, nil, fmt.Errorf("read the document: %w", err)
	}
	out.SHA256 = [32]byte(whole.Sum(nil))
	if doc != nil {
		c.Document(doc)
	}
	out.Report = c.Report()
	out.Verdict = dscsa.Verdict(out.Report.Verdict)
	if in.Proceed && out.Verdict == dscsa.Reject && doc != nil && left > 0 && !c.Rejects(0) {
		out.Verdict = dscsa.Flag // a person looks at what was left out
	}
	return out, doc, c.Rejects, nil
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
func (st *Store) take(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, in Capture, d *dscsa.Document, skip func(event int) bool) (Appended, error) {
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
		var list []epcis.Event
		var ordinals []int32
		for i, e := range events {
			if skip(first + i) {
				continue
			}
			list, ordinals = append(list, *e), append(ordinals, int32(first+i))
			if e.BizStep == "shipping" && e.EventTime.After(last) {
				last = e.EventTime
			}
		}
		if err := part.add(list, ordinals); err != nil {
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
