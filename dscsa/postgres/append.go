package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"runtime"
	"sync"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
)

// AppendTx records a batch in the caller's transaction, which has the tenant
// set. The same bytes again change nothing.
func (s *Store) AppendTx(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, b Batch) (Appended, error) {
	p, err := prepare(b)
	if err != nil {
		return Appended{}, err
	}
	w, err := lock(ctx, tx, tenant)
	if err != nil {
		return Appended{}, err
	}
	out, _, err := w.append(ctx, p)
	return out, err
}

// prepared is a batch with its first part ready, and the events of those to
// come.
type prepared struct {
	document *dscsa.Document
	body     io.ReadSeeker
	within   int64 // the document's sequence when an earlier batch stored it
	hold     int64 // the hold that flags it, likewise
	decision *decision
	order    *dscsa.HoldOrder // it places
	holding  []string         // things the decision puts under a hold, by their keys
	events   []*epcis.Event
	ordinals []int32
	hashes   [][32]byte
	first    *part
}

// part is events that are ready to be recorded.
type part struct {
	records []*record
	things  things // that they name, or the decision
}

func prepare(b Batch) (*prepared, error) {
	p := &prepared{body: b.Body, first: &part{things: things{}}}
	if b.Document != nil {
		d := *b.Document
		if b.Body == nil {
			return nil, errors.New("a document is recorded with its bytes")
		}
		h := sha256.New()
		n, err := io.Copy(h, b.Body)
		if err == nil {
			_, err = b.Body.Seek(0, io.SeekStart)
		}
		if err != nil {
			return nil, fmt.Errorf("read the document: %w", err)
		}
		d.SHA256, d.Size = [32]byte(h.Sum(nil)), n
		if err := p.keep(d); err != nil {
			return nil, err
		}
	}
	events, ordinals := make([]*epcis.Event, len(b.Events)), make([]int32, len(b.Events))
	for i := range b.Events {
		events[i], ordinals[i] = &b.Events[i], int32(i+1)
	}
	return p, p.add(events, ordinals, nil)
}

// keep makes a document ready whose hash and size are known.
func (p *prepared) keep(d dscsa.Document) error {
	if d.Verdict != dscsa.Accept && d.Verdict != dscsa.Flag {
		return fmt.Errorf("a document with verdict %q is not recorded", d.Verdict)
	}
	if d.Findings == "" {
		d.Findings = "[]"
	}
	p.document = &d
	return nil
}

// How many events go through the door at once: so few that the server begins
// soon and the program makes the next ready meanwhile. And how many of them
// are worth a worker of their own.
const (
	appendedTogether = 1000
	madeTogether     = 256
)

// add gives the batch its events; ordinals are their places in the document,
// hashes their event hashes (nil: still to be computed).
func (p *prepared) add(events []*epcis.Event, ordinals []int32, hashes [][32]byte) error {
	p.events, p.ordinals, p.hashes = events, ordinals, hashes
	first, err := p.next()
	if first != nil {
		p.first = first
	}
	return err
}

// next makes the next events ready, side by side; nil: there are none.
func (p *prepared) next() (*part, error) {
	n := min(len(p.events), appendedTogether)
	if n == 0 {
		return nil, nil //nolint:nilnil // as it says
	}
	events, ordinals, hashes := p.events[:n], p.ordinals[:n], p.hashes
	p.events, p.ordinals = p.events[n:], p.ordinals[n:]
	if hashes != nil {
		hashes, p.hashes = hashes[:n], hashes[n:]
	}
	made := make([]record, n)
	out := &part{records: make([]*record, n), things: things{}}
	workers := max(1, min(runtime.GOMAXPROCS(0), n/madeTogether))
	seen, wrong := make([]things, workers), make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		seen[w] = things{}
		wg.Go(func() {
			for i := w * n / workers; i < (w+1)*n/workers; i++ {
				out.records[i] = &made[i]
				hash, err := hashOf(events, hashes, i)
				if err == nil {
					err = made[i].make(events[i], ordinals[i], hash, seen[w])
				}
				if err != nil {
					wrong[w] = fmt.Errorf("event %d: %w", ordinals[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, t := range seen {
		maps.Copy(out.things, t)
	}
	return out, errors.Join(wrong...)
}

func hashOf(events []*epcis.Event, hashes [][32]byte, i int) ([32]byte, error) {
	if hashes != nil {
		return hashes[i], nil
	}
	return eventHash(epcis.Hash(events[i]))
}

// work is what a batch turns into on the way to the doors.
type work struct {
	*session
	p       *prepared
	out     Appended
	part    *part     // that is being recorded
	start   int64     // where the chain was
	fresh   []*record // to be recorded, of those that are ready
	copies  []copied  // events that are there already
	told    int       // how many of the copies are recorded
	known   *knowledge
	doc     int64
	hold    int64          // that flags the document
	placed  int64          // the batch's own decision
	named   map[int64]bool // what that puts under a hold
	decided []decided
	facts   []dscsa.Fact
	items   map[string]*item // by key
	byID    map[int64]*item
	made    []*item // new ones, in the order of their numbers
	room    []item  // for those to come
	before  int64   // the last item's number before this batch
	full    bool    // what is known must be folded again
	book    *dscsa.Book
	cut     map[int64]bool // items whose hops are written anew
	only    map[int64]bool // nil, or the items to be written
}

// decided is a decision at its place in the batch, from 1.
type decided struct {
	place int32
	*decision
}

type copied struct {
	event   int64
	ordinal int32
}

// append records a batch; the session's head moves.
func (s *session) append(ctx context.Context, p *prepared) (Appended, *work, error) {
	out, w, err := s.begin(ctx, p)
	if settled := s.settle(); err == nil {
		err = settled
	}
	return out, w, err
}

// begin is append but for waiting for the doors: settle does.
func (s *session) begin(ctx context.Context, p *prepared) (Appended, *work, error) {
	if err := s.settle(); err != nil {
		return Appended{}, nil, err
	}
	w := &work{
		session: s, p: p, doc: p.within, hold: p.hold, start: s.seq, before: s.last,
		known: &knowledge{byID: map[string][2]known{}, byHash: map[[32]byte][]known{}},
		items: make(map[string]*item, len(p.first.things)), byID: map[int64]*item{},
	}
	if p.document != nil {
		err := s.tx.QueryRow(ctx, sqlDocumentKnown, s.id, p.document.SHA256[:]).Scan(&w.out.Document)
		if err == nil {
			w.out.Known = true
			return w.out, w, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return w.out, w, fmt.Errorf("look for the document: %w", err)
		}
	}
	err := w.parts(ctx)
	if err == nil {
		err = w.write(ctx)
	}
	return w.out, w, err
}

// parts records part after part. What is known of the next is asked before
// this one is sent, so that the server always has work and the program too.
func (w *work) parts(ctx context.Context) error {
	next := w.p.first
	err := w.ask(ctx, next)
	for first := true; next != nil && err == nil; first = false {
		w.part = next
		if err = w.learn(); err != nil {
			return err
		}
		if next, err = w.p.next(); err != nil {
			return err
		}
		if next != nil {
			if err = w.ask(ctx, next); err != nil {
				return err
			}
		}
		err = w.appendFacts(ctx, first)
	}
	return err
}

// appendFacts adds the events of a part to the chain, the first time with the
// document and decisions before them.
func (w *work) appendFacts(ctx context.Context, first bool) error {
	w.tellApart()
	e := w.number(first)
	w.load(first)
	n := len(e.kinds)
	if n == 0 && w.told == len(w.copies) {
		return nil
	}
	if err := w.send(ctx, doorAppend, w.appendArguments(e, first)...); err != nil {
		return err
	}
	if n > 0 {
		w.seq, w.hash = w.seq+int64(n), e.hashes[n-1]
	}
	w.told = len(w.copies)
	return nil
}

// number gives the new facts their places in the chain and makes its entries.
func (w *work) number(first bool) *entries {
	e := &entries{}
	next := w.seq
	decide := func(d *decision) int64 {
		next++
		w.decided = append(w.decided, decided{place: int32(next - w.seq), decision: d})
		e.add(kindDecision, decisionContent(d))
		return next
	}
	if d := w.p.document; d != nil && first {
		next++
		w.doc, w.out.Document = next, next
		e.add(kindDocument, documentContent(d))
		if d.Verdict == dscsa.Flag {
			w.hold = decide(w.flagging())
		}
	}
	if w.p.decision != nil && first {
		w.placed = decide(w.p.decision)
	}
	for _, r := range w.fresh {
		next++
		r.seq, r.fact.Seq = next, next
		if w.hold != 0 {
			r.fact.Holds = []int64{w.hold}
		}
		e.add(kindEvent, eventContent(w.doc, r.ordinal, r.fact.Hash, r.body))
	}
	e.chain(&w.head)
	return e
}

// flagging is the decision to hold what a flagged document concerns.
func (w *work) flagging() *decision {
	raw, err := json.Marshal(map[string]any{"class": dscsa.Flagged, "document": w.doc})
	if err != nil {
		raw = nil // of a text and a number: cannot be
	}
	return &decision{kind: "hold", actor: "checks", reason: "the document has findings a person has to look at", body: raw}
}
