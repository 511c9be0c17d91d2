package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
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
	Body       io.ReadSeeker // the document's bytes; read three times
	SHA256     [32]byte      // of them, when whoever brings them knows it; zero: Capture computes it
	Credential string        // whose credential brings it
	Proceed    bool          // leave out events that cannot be read instead of refusing the document
	Limits     epcis.Limits
	Most       int              // events; more refuses the document with *TooManyError; 0: any number
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

// TooManyError refuses a document with more events than are taken in one.
type TooManyError struct{ Most int }

func (e *TooManyError) Error() string {
	return fmt.Sprintf("the document has more than %d events: split it", e.Most)
}

// Captured says what became of a document.
type Captured struct {
	Appended

	Verdict dscsa.Verdict
	Report  check.Report
	SHA256  [32]byte
}

// How many events are checked, and recorded, together, and how many names of
// items. What is recorded together is folded together: an item is written once
// for all that it says.
const (
	checkedTogether  = 2_000
	recordedTogether = 10_000
	namedTogether    = 50_000
)

// Capture reads, checks and records a document: whole, or (verdict reject) not
// at all. Its memory grows by 32 bytes an event, and by what the checks
// remember of serials. The same bytes again change nothing. An error is of the source or the store; what is wrong with
// the document is in the report.
func (st *Store) Capture(ctx context.Context, tenant uuid.UUID, in Capture) (Captured, error) {
	x := &examined{}
	if err := st.examine(ctx, tenant, in, x); err != nil {
		return x.Captured, err
	}
	out, doc := x.Captured, x.document
	record := dscsa.Document{
		Direction: dscsa.Received, Credential: in.Credential, Verdict: out.Verdict, SHA256: out.SHA256, Size: x.size,
	}
	if doc != nil {
		var err error
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
			if out.Appended, err = st.take(ctx, tx, tenant, in, record, x); err != nil {
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

// examined is a document that has been read once.
type examined struct {
	Captured

	document *epcis.Document // nil: nothing of it can be read
	size     int64
	hashes   [][32]byte           // of its events, by their places
	leaves   func(event int) bool // says which event is not taken
}

// examine reads a document once and says what is wrong with it.
func (st *Store) examine(ctx context.Context, tenant uuid.UUID, in Capture, x *examined) (err error) {
	whole := &counted{Reader: in.Body}
	if in.SHA256 == [32]byte{} {
		whole.sum = sha256.New()
		whole.Reader = io.TeeReader(in.Body, whole.sum)
	}
	now := time.Now
	if in.Now != nil {
		now = in.Now
	}
	c := check.New(check.Options{Now: now()})
	known := &knowing{store: st, tenant: tenant, trade: in.Trade}
	left := 0
	x.document, err = readEvents(whole, in, checkedTogether, func(first int, events []*epcis.Event) error {
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
		if err := x.remember(first, hashes); err != nil {
			return err
		}
		return c.Against(ctx, known, first, events, hashes)
	}, c)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, whole); err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	x.SHA256, x.size = in.SHA256, whole.n
	if whole.sum != nil {
		x.SHA256 = [32]byte(whole.sum.Sum(nil))
	}
	if x.document != nil {
		c.Document(x.document)
	}
	x.Report, x.leaves = c.Report(), c.Rejects
	x.Verdict = dscsa.Verdict(x.Report.Verdict)
	if in.Proceed && x.Verdict == dscsa.Reject && x.document != nil && left > 0 && !c.Rejects(0) {
		x.Verdict = dscsa.Flag // a person looks at what was left out
	}
	return nil
}

// remember keeps the hashes of events from a place on; what could not be read
// before them has none.
func (x *examined) remember(first int, uris []string) error {
	x.hashes = append(x.hashes, make([][32]byte, first-1-len(x.hashes))...)
	for _, uri := range uris {
		hash, err := eventHash(uri)
		if err != nil {
			return err
		}
		x.hashes = append(x.hashes, hash)
	}
	return nil
}

// counted counts what is read.
type counted struct {
	io.Reader

	sum hash.Hash
	n   int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err //nolint:wrapcheck // of the source, as it is
}

// readEvents hands a document's events on, in batches. What cannot be read is
// told to the checker; the document is nil when nothing of it could be.
func readEvents(body io.Reader, in Capture, together int, fn func(first int, events []*epcis.Event) error, c *check.Checker) (*epcis.Document, error) {
	r, err := epcis.NewReader(body, in.Limits)
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
		if n++; in.Most > 0 && n > in.Most {
			return nil, &TooManyError{Most: in.Most}
		}
		if err != nil {
			if c == nil && !in.Proceed {
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
		if size += len(e.EPCs) + len(e.InputEPCs) + len(e.OutputEPCs); len(batch) >= together || size >= namedTogether {
			if err := flush(); err != nil {
				return nil, err
			}
		}
	}
}

// take records a document that has been examined, reading it again: the events
// that follow while the server writes those before.
func (st *Store) take(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, in Capture, d dscsa.Document, x *examined) (out Appended, err error) {
	if _, err := in.Body.Seek(0, io.SeekStart); err != nil {
		return out, fmt.Errorf("read the document again: %w", err)
	}
	p := &prepared{body: in.Body, first: &part{}}
	if err := p.keep(d); err != nil {
		return out, err
	}
	s, err := lock(ctx, tx, tenant)
	if err != nil {
		return out, err
	}
	defer func() {
		if settled := s.settle(); err == nil {
			err = settled
		}
	}()
	out, w, err := s.begin(ctx, p)
	if err != nil || out.Known {
		return out, err
	}
	if _, err := in.Body.Seek(0, io.SeekStart); err != nil {
		return out, fmt.Errorf("read the document again: %w", err)
	}
	last := time.Time{}
	_, err = readEvents(in.Body, in, recordedTogether, func(first int, events []*epcis.Event) error {
		part := &prepared{within: w.doc, hold: w.hold, first: &part{}}
		var list []*epcis.Event
		var ordinals []int32
		var hashes [][32]byte
		for i, e := range events {
			at := first + i
			if x.leaves(at) {
				continue
			}
			if at > len(x.hashes) {
				return errors.New("the document has changed since it was checked")
			}
			list, ordinals, hashes = append(list, e), append(ordinals, int32(at)), append(hashes, x.hashes[at-1])
			if e.BizStep == "shipping" && e.EventTime.After(last) {
				last = e.EventTime
			}
		}
		if err := part.add(list, ordinals, hashes); err != nil {
			return err
		}
		more, _, err := s.begin(ctx, part)
		out.add(more)
		return err
	}, nil)
	if err != nil {
		return out, err
	}
	if err := s.settle(); err != nil {
		return out, err
	}
	if last.IsZero() {
		last = s.at
	}
	return out, s.retain(ctx, w.doc, "K1", last.UTC().Truncate(24*time.Hour))
}

func (a *Appended) add(more Appended) {
	if a.First == "" {
		a.First = more.First
	}
	a.Stored += more.Stored
	a.Resent += more.Resent
	a.Affected += more.Affected
	a.Reused = append(a.Reused, more.Reused...)
	a.Conflicts = append(a.Conflicts, more.Conflicts...)
}
