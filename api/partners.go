package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/internal/tradebook"
)

type partnerView struct {
	ID         string        `json:"id"`
	Object     string        `json:"object"`
	Name       string        `json:"name"`
	Role       string        `json:"role"`
	Own        bool          `json:"own"`
	Verified   bool          `json:"verified"`
	GLNs       []string      `json:"glns"`
	Address    dscsa.Address `json:"address"`
	Licences   []licenceView `json:"licences"`
	T3Endpoint *string       `json:"t3_endpoint"`
	Authorized bool          `json:"authorized"`
	Reasons    []reasonView  `json:"reasons"`
	CreatedAt  stamp         `json:"created_at"`
}

type licenceView struct {
	Kind      string  `json:"kind"`
	Number    string  `json:"number"`
	State     string  `json:"state"`
	ValidFrom string  `json:"valid_from"`
	ExpiresOn *string `json:"expires_on"`
	Source    string  `json:"source"`
	CheckedAt stamp   `json:"checked_at"`
	CheckedBy string  `json:"checked_by"`
}

type reasonView struct {
	Code    string `json:"code"`
	Law     string `json:"law"`
	Message string `json:"message"`
}

// viewPartner is a company as it is on record, with what the law says of it
// today.
func (s *server) viewPartner(p tradebook.Partner) partnerView {
	v := partnerView{
		ID: p.ID, Object: "partner", Name: p.Name, Role: string(p.Role), Own: p.Own, Verified: p.Verified, GLNs: p.GLNs, Address: p.Address,
		Licences: []licenceView{}, Reasons: []reasonView{}, CreatedAt: stamp(p.CreatedAt),
	}
	if p.T3Endpoint != "" {
		v.T3Endpoint = &p.T3Endpoint
	}
	for _, l := range p.Licences {
		one := licenceView{
			Kind: string(l.Kind), Number: l.Number, State: l.State, ValidFrom: l.ValidFrom.Format(time.DateOnly), Source: l.Source,
			CheckedAt: stamp(l.CheckedAt), CheckedBy: l.CheckedBy,
		}
		if !l.ExpiresOn.IsZero() {
			day := l.ExpiresOn.Format(time.DateOnly)
			one.ExpiresOn = &day
		}
		v.Licences = append(v.Licences, one)
	}
	for _, r := range p.Unauthorised(s.cfg.Now()) {
		v.Reasons = append(v.Reasons, reasonView(r))
	}
	v.Authorized = len(v.Reasons) == 0
	return v
}

// CreatePartner adds a company to the register.
func (s *server) CreatePartner(ctx context.Context, request CreatePartnerRequestObject) (CreatePartnerResponseObject, error) {
	b := request.Body
	by := whereOf(ctx).who.KeyID
	p := dscsa.Partner{
		ID: newID("ptr_", s.cfg.Now()), Name: b.Name, Role: dscsa.PartnerRole(b.Role), GLNs: b.Glns,
		Address: dscsa.Address{Street: b.Address.Street, City: b.Address.City, State: b.Address.State, PostalCode: b.Address.PostalCode, Country: b.Address.Country},
	}
	var wrong []FieldError
	for i, gln := range b.Glns {
		wrong = append(wrong, glnWrong(gln, "/glns/"+itoa(i))...)
	}
	if b.Own != nil {
		p.Own = *b.Own
	}
	if b.Verified != nil {
		p.Verified = *b.Verified
	}
	if b.T3Endpoint != nil {
		p.T3Endpoint = *b.T3Endpoint
		if s.cfg.Live && !strings.HasPrefix(p.T3Endpoint, "https://") {
			wrong = append(wrong, FieldError{Pointer: "/t3_endpoint", Code: "invalid", Detail: "must be https: documents travel encrypted"})
		}
	}
	if b.Licences != nil {
		for i, l := range *b.Licences {
			one, no := s.licence(l, by, "/licences/"+itoa(i))
			p.Licences, wrong = append(p.Licences, one), append(wrong, no...)
		}
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		add := func(ctx context.Context) error { return tx.AddPartner(ctx, p, by, whereOf(ctx).once.At) }
		if err := tx.Try(ctx, add); err != nil {
			return s.stored(ctx, err)
		}
		return s.partnerAdded(ctx, tx, p.ID)
	})
}

func (s *server) partnerAdded(ctx context.Context, tx Tx, id string) (Answer, error) {
	p, err := tx.Partner(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	return jsonAnswer(http.StatusCreated, s.viewPartner(p), "Location", "/v1/partners/"+p.ID)
}

func (s *server) licence(l LicenceRequest, by, pointer string) (dscsa.Licence, []FieldError) {
	out := dscsa.Licence{
		Kind: dscsa.LicenceKind(l.Kind), Number: l.Number, ValidFrom: l.ValidFrom.Time, Source: l.Source, CheckedAt: s.cfg.Now(), CheckedBy: by,
	}
	if l.State != nil {
		out.State = *l.State
	}
	if l.ExpiresOn != nil {
		out.ExpiresOn = l.ExpiresOn.Time
		if out.ExpiresOn.Before(out.ValidFrom) {
			return out, []FieldError{{Pointer: pointer + "/expires_on", Code: "invalid", Detail: "is before valid_from"}}
		}
	}
	return out, nil
}

// ListPartners shows the register, newest first.
func (s *server) ListPartners(ctx context.Context, request ListPartnersRequestObject) (ListPartnersResponseObject, error) {
	after, n, err := s.after(ctx, request.Params.Limit, request.Params.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Trade.Partners(ctx, whereOf(ctx).who.Tenant, after, n+1)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, pageOf(s, ctx, found, n, s.viewPartner, func(p tradebook.Partner) (time.Time, string) { return p.CreatedAt, p.ID }))
}

// GetPartner shows one company.
func (s *server) GetPartner(ctx context.Context, request GetPartnerRequestObject) (GetPartnerResponseObject, error) {
	p, err := s.cfg.Store.Partner(ctx, whereOf(ctx).who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, s.viewPartner(p))
}

// AddLicence records a licence of a company.
func (s *server) AddLicence(ctx context.Context, request AddLicenceRequestObject) (AddLicenceResponseObject, error) {
	l, wrong := s.licence(*request.Body, whereOf(ctx).who.KeyID, "")
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		p, err := tx.Partner(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		if err := tx.AddLicence(ctx, p.ID, l); err != nil {
			return Answer{}, err
		}
		return s.partnerAdded(ctx, tx, p.ID)
	})
}

// BindPartnerKey says that a key speaks for a company.
func (s *server) BindPartnerKey(ctx context.Context, request BindPartnerKeyRequestObject) (BindPartnerKeyResponseObject, error) {
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		p, err := tx.Partner(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		bind := func(ctx context.Context) error {
			return tx.BindKey(ctx, p.ID, request.Body.KeyId, whereOf(ctx).who.KeyID)
		}
		if err := tx.Try(ctx, bind); err != nil {
			return s.stored(ctx, err)
		}
		return s.partnerAdded(ctx, tx, p.ID)
	})
}
