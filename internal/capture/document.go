package capture

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/recourse/recourse/api/epcisapi"
	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtenant"
)

// seen is what a document says of who sends what to whom, noted while its
// events go by.
type seen struct {
	last      shipment
	companies []company // that own goods which are shipped
	known     map[string]bool
}

// shipment is the latest one, by event time: earlier ones are history.
type shipment struct {
	event    int64 // its time
	from, to string
}

type company struct{ id, gln string }

const manyCompanies = 1000

func (s *seen) event(e *epcis.Event) {
	from, to := s.owner(e.Sources), s.owner(e.Destinations)
	if at := e.EventTime.UnixNano(); e.BizStep == "shipping" && (s.last.event == 0 || at > s.last.event) {
		s.last = shipment{event: at, from: from, to: to}
	}
}

// owner is the owning party in a list, whose company is noted.
func (s *seen) owner(refs []epcis.Reference) string {
	for _, r := range refs {
		if r.Type != "owning_party" {
			continue
		}
		if gln, err := gs1.GLNOf(r.ID); err == nil && !s.known[gln] && len(s.companies) < manyCompanies {
			if s.known == nil {
				s.known = map[string]bool{}
			}
			s.known[gln] = true
			s.companies = append(s.companies, company{id: r.ID, gln: gln})
		}
		return dscsa.PartyOf(strings.TrimSpace(r.ID))
	}
	return ""
}

// parties are whom the document is from and to: its header says, else its last
// shipment.
func (s *seen) parties(doc *epcis.Document) (senders []string, receiver string) {
	if h := doc.Header; h != nil {
		for _, p := range h.Sender {
			senders = append(senders, dscsa.PartyOf(strings.TrimSpace(p.ID)))
		}
		if len(h.Receiver) > 0 {
			receiver = dscsa.PartyOf(strings.TrimSpace(h.Receiver[0].ID))
		}
	}
	if len(senders) == 0 && s.last.from != "" {
		senders = []string{s.last.from}
	}
	if receiver == "" {
		receiver = s.last.to
	}
	return senders, receiver
}

// sender refuses a document that somebody else sends than it says.
func (s *Service) sender(ctx context.Context, who auth.Principal, senders []string) error {
	var partner dscsa.Partner
	bound := false
	err := pgtenant.ReadTx(ctx, s.pool, who.Tenant, func(ctx context.Context, tx pgx.Tx) (err error) {
		partner, bound, err = s.partners.OfKeyTx(ctx, tx, who.Tenant, who.KeyID)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("find whose credential this is: %w", err)
	case !bound && who.Role == "operator":
		return nil // imports for anybody
	case !bound:
		return epcisapi.ErrSender
	}
	for _, sender := range senders {
		if !slices.Contains(partner.GLNs, sender) {
			return epcisapi.ErrSender
		}
	}
	return nil
}

// met are the companies of a document, with what its master data say of them
// (CBV 2.0 section 9, Location).
func (s *seen) met(doc *epcis.Document) []dscsa.Partner {
	out := make([]dscsa.Partner, len(s.companies))
	for i, c := range s.companies {
		out[i] = dscsa.Partner{Name: c.gln, GLNs: []string{c.gln}}
		for _, v := range doc.MasterData {
			for _, e := range v.Elements {
				if e.ID == c.id {
					describe(&out[i], e.Attributes)
				}
			}
		}
	}
	return out
}

func describe(p *dscsa.Partner, attributes []epcis.Attribute) {
	for _, a := range attributes {
		switch _, name, _ := strings.Cut(a.ID, "#"); name {
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
