package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
	custody "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/auth"
)

// A document is what was read of what was sent.
type document struct {
	bytes   []byte
	doc     *epcis.Document
	events  []*epcis.Event
	numbers []int // of events: their place in the document, from 1
	checked *check.Checker
}

// readDocument reads and checks as far as it goes. What is refused is a
// finding; the error is never the document's.
func readDocument(sent []byte, now time.Time) (*document, error) {
	d := &document{bytes: sent, doc: &epcis.Document{}, checked: check.New(check.Options{Now: now})}
	r, err := epcis.NewReader(bytes.NewReader(sent), epcis.Limits{Bytes: int64(len(sent)) + 1})
	if err != nil {
		_, err = d.checked.Refused(err)
		return d, err
	}
	for n := 1; ; n++ {
		d.doc = r.Document()
		d.checked.Document(d.doc)
		e, err := r.Next()
		switch {
		case err == nil:
			d.checked.Event(e)
			d.events, d.numbers = append(d.events, e), append(d.numbers, n)
			continue
		case errors.Is(err, io.EOF):
			return d, nil
		}
		goOn, err := d.checked.Refused(err)
		if err != nil || !goOn {
			return d, err
		}
	}
}

func (d *document) body() io.ReadSeeker { return bytes.NewReader(d.bytes) }

// examine holds the document against what is known and reports.
func (s *Service) examine(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, d *document) (check.Report, error) {
	known := &knowledge{s: s, tx: tx, tenant: tenant}
	for from := 0; from < len(d.events); {
		to := from + 1
		for to < len(d.events) && d.numbers[to] == d.numbers[to-1]+1 {
			to++
		}
		hashes := make([]string, 0, to-from)
		for _, e := range d.events[from:to] {
			h, err := custody.EventHash(e)
			if err != nil {
				return check.Report{}, err
			}
			hashes = append(hashes, h)
		}
		if err := d.checked.Against(ctx, known, d.numbers[from], d.events[from:to], hashes); err != nil {
			return check.Report{}, err
		}
		from = to
	}
	return d.checked.Report(), nil
}

// sound are the events that no finding rejects; none when the document as such
// is rejected.
func (d *document) sound(report check.Report) []*epcis.Event {
	bad := map[int]bool{}
	for _, f := range report.Findings {
		if f.Verdict == check.Reject {
			bad[f.Event] = true
		}
	}
	if bad[0] {
		return nil
	}
	var out []*epcis.Event
	for i, e := range d.events {
		if !bad[d.numbers[i]] {
			out = append(out, e)
		}
	}
	return out
}

// sender is who the document says sends it: its header, else the owner that
// its goods come from.
func (d *document) sender() string {
	if h := d.doc.Header; h != nil && len(h.Sender) > 0 {
		return partyOf(h.Sender[0].ID)
	}
	return d.party(func(e *epcis.Event) []epcis.Reference { return e.Sources })
}

func (d *document) receiver() string {
	if h := d.doc.Header; h != nil && len(h.Receiver) > 0 {
		return partyOf(h.Receiver[0].ID)
	}
	return d.party(func(e *epcis.Event) []epcis.Reference { return e.Destinations })
}

// party is the owner that shipments name.
func (d *document) party(of func(*epcis.Event) []epcis.Reference) string {
	for i := range d.events {
		if e := d.events[i]; e.BizStep == "shipping" {
			for _, r := range of(e) {
				if r.Type == "owning_party" {
					return partyOf(r.ID)
				}
			}
		}
	}
	return ""
}

// partyOf is a party's GLN, or its name as it is written.
func partyOf(s string) string {
	s = strings.TrimSpace(s)
	gln, err := gs1.GLNOf(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return s
	}
	return gln
}

// sender refuses a document that somebody else sends than it says, and puts
// down companies nobody has met.
func (s *Service) sender(ctx context.Context, tx pgx.Tx, who auth.Principal, d *document) error {
	partner, bound, err := s.partners.OfKeyTx(ctx, tx, who.Tenant, who.KeyID)
	if err != nil {
		return fmt.Errorf("find whose credential this is: %w", err)
	}
	if bound || who.Role != "operator" {
		if !bound {
			return epcisapi.ErrSender
		}
		for _, sender := range d.senders() {
			if !slices.Contains(partner.GLNs, sender) {
				return epcisapi.ErrSender
			}
		}
		return nil
	}
	return s.partners.MeetTx(ctx, tx, who.Tenant, who.KeyID, d.companies(), s.now())
}

// senders are the parties that the document says it is from: its header's, or
// the owner that the goods of its last shipment come from. Earlier shipments in
// it are history.
func (d *document) senders() []string {
	var out []string
	if h := d.doc.Header; h != nil && len(h.Sender) > 0 {
		for _, p := range h.Sender {
			out = append(out, partyOf(p.ID))
		}
		return out
	}
	var last *epcis.Event
	for i := range d.events {
		if e := d.events[i]; e.BizStep == "shipping" && (last == nil || e.EventTime.After(last.EventTime)) {
			last = e
		}
	}
	if last != nil {
		for _, r := range last.Sources {
			if r.Type == "owning_party" {
				out = append(out, partyOf(r.ID))
			}
		}
	}
	return out
}

// companies are the parties that goods go from and to, with what the
// document's master data say of them.
func (d *document) companies() []dscsa.Partner {
	var out []dscsa.Partner
	seen := map[string]bool{}
	for i := range d.events {
		for _, list := range [][]epcis.Reference{d.events[i].Sources, d.events[i].Destinations} {
			for _, r := range list {
				gln, err := gs1.GLNOf(r.ID)
				if r.Type != "owning_party" || err != nil || seen[gln] {
					continue
				}
				seen[gln] = true
				out = append(out, d.company(r.ID, gln))
			}
		}
	}
	return out
}

// company reads a party's master data (CBV 2.0 section 9, Location).
func (d *document) company(id, gln string) dscsa.Partner {
	p := dscsa.Partner{Name: gln, GLNs: []string{gln}}
	for _, v := range d.doc.MasterData {
		for _, e := range v.Elements {
			if e.ID != id {
				continue
			}
			for _, a := range e.Attributes {
				_, name, _ := strings.Cut(a.ID, "#")
				switch name {
				case "name":
					p.Name = a.Value
				case "streetAddressOne":
					p.Address.Street = a.Value
				case "city":
					p.Address.City = a.Value
				case "state":
					p.Address.State = a.Value
				case "postalCode":
					p.Address.PostalCode = a.Value
				case "countryCode":
					p.Address.Country = a.Value
				}
			}
		}
	}
	return p
}
