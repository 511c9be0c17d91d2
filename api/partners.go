package api

import (
	"context"
	"errors"
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

	// What a second person has not decided about yet.
	Verification     string   `json:"verification"`
	PendingApprovals []string `json:"pending_approvals"`
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
	Status    string  `json:"status"`
	Approval  *string `json:"approval_id"`
}

type reasonView struct {
	Code    string `json:"code"`
	Law     string `json:"law"`
	Message string `json:"message"`
}

// viewPartner is a company as it is on record, with what the law says of it
// today and what is proposed about it.
func (s *server) viewPartner(p tradebook.Partner, pending []ApprovalRecord) (partnerView, error) {
	v := partnerView{
		ID: p.ID, Object: "partner", Name: p.Name, Role: string(p.Role), Own: p.Own, Verified: p.Verified, GLNs: p.GLNs, Address: p.Address,
		Licences: []licenceView{}, Reasons: []reasonView{}, CreatedAt: stamp(p.CreatedAt),
	}
	if p.T3Endpoint != "" {
		v.T3Endpoint = &p.T3Endpoint
	}
	for _, l := range p.Licences {
		v.Licences = append(v.Licences, viewLicence(l, counts))
	}
	for _, r := range p.Unauthorised(s.cfg.Now()) {
		v.Reasons = append(v.Reasons, reasonView(r))
	}
	v.Authorized = len(v.Reasons) == 0
	return v, v.propose(pending)
}

func viewLicence(l dscsa.Licence, status string) licenceView {
	v := licenceView{
		Kind: string(l.Kind), Number: l.Number, State: l.State, ValidFrom: l.ValidFrom.Format(time.DateOnly), Source: l.Source,
		CheckedAt: stamp(l.CheckedAt), CheckedBy: l.CheckedBy, Status: status,
	}
	if !l.ExpiresOn.IsZero() {
		day := l.ExpiresOn.Format(time.DateOnly)
		v.ExpiresOn = &day
	}
	if l.ApprovalID != "" {
		v.Approval = &l.ApprovalID
	}
	return v
}

// CreatePartner adds a company to the register. What would let it trade is put
// to a second person.
func (s *server) CreatePartner(ctx context.Context, request CreatePartnerRequestObject) (CreatePartnerResponseObject, error) {
	b := request.Body
	by := whereOf(ctx).who.KeyID
	p := dscsa.Partner{
		ID: newID("ptr_", s.cfg.Now()), Name: b.Name, Role: dscsa.PartnerRole(b.Role), GLNs: b.Glns,
		Address: dscsa.Address{Street: b.Address.Street, City: b.Address.City, State: b.Address.State, PostalCode: b.Address.PostalCode, Country: b.Address.Country},
	}
	var licences []dscsa.Licence
	var wrong []FieldError
	for i, gln := range b.Glns {
		wrong = append(wrong, glnWrong(gln, "/glns/"+itoa(i))...)
	}
	if b.Own != nil {
		p.Own = *b.Own
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
			licences, wrong = append(licences, one), append(wrong, no...)
		}
	}
	if len(wrong) > 0 {
		return nil, &refusal{code: "validation_failed", fields: wrong}
	}
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		err := tx.Try(ctx, func(ctx context.Context) error {
			if err := tx.AddPartner(ctx, p, by, whereOf(ctx).once.At); err != nil {
				return err
			}
			return s.evidence(ctx, tx, p, p.ID, b.Verified != nil && *b.Verified, licences)
		})
		if err != nil {
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
	pending, err := tx.PendingEvidence(ctx, []string{p.ID})
	if err != nil {
		return Answer{}, err
	}
	v, err := s.viewPartner(p, pending)
	if err != nil {
		return Answer{}, err
	}
	return jsonAnswer(http.StatusCreated, v, "Location", "/v1/partners/"+p.ID)
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
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.ID
	}
	pending, err := s.cfg.Store.PendingEvidence(ctx, whereOf(ctx).who.Tenant, ids)
	if err != nil {
		return nil, err
	}
	var broken error
	view := func(p tradebook.Partner) partnerView {
		v, err := s.viewPartner(p, pending)
		broken = errors.Join(broken, err)
		return v
	}
	page := pageOf(s, ctx, found, n, view, func(p tradebook.Partner) (time.Time, string) { return p.CreatedAt, p.ID })
	if broken != nil {
		return nil, broken
	}
	return jsonAnswer(http.StatusOK, page)
}

// GetPartner shows one company.
func (s *server) GetPartner(ctx context.Context, request GetPartnerRequestObject) (GetPartnerResponseObject, error) {
	p, err := s.cfg.Store.Partner(ctx, whereOf(ctx).who.Tenant, request.Id)
	if err != nil {
		return nil, err
	}
	pending, err := s.cfg.Store.PendingEvidence(ctx, whereOf(ctx).who.Tenant, []string{p.ID})
	if err != nil {
		return nil, err
	}
	v, err := s.viewPartner(p, pending)
	if err != nil {
		return nil, err
	}
	return jsonAnswer(http.StatusOK, v)
}

// AddLicence records a licence of a company, or puts it to a second person.
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
		subject := strings.Join([]string{p.ID, string(l.Kind), l.Number, l.State}, " ")
		if err := tx.Try(ctx, func(ctx context.Context) error {
			return s.evidence(ctx, tx, p.Partner, subject, false, []dscsa.Licence{l})
		}); err != nil {
			return s.stored(ctx, err)
		}
		return s.partnerAdded(ctx, tx, p.ID)
	})
}

// VerifyPartner puts it to a second person that a company is verified, and what
// it does: one that was met in a document has no role yet.
func (s *server) VerifyPartner(ctx context.Context, request VerifyPartnerRequestObject) (VerifyPartnerResponseObject, error) {
	return s.once(ctx, func(ctx context.Context, tx Tx) (Answer, error) {
		p, err := tx.Partner(ctx, request.Id)
		if err != nil {
			return Answer{}, err
		}
		if p.Verified && string(p.Role) == string(request.Body.Role) {
			return s.problem(ctx, refuse("already_verified")), nil
		}
		p.Role = dscsa.PartnerRole(request.Body.Role)
		if err := tx.Try(ctx, func(ctx context.Context) error { return s.evidence(ctx, tx, p.Partner, p.ID, true, nil) }); err != nil {
			return s.stored(ctx, err)
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
