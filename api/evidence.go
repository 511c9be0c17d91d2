package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/recourse/recourse/dscsa"
)

const evidenceAction = "partner.evidence"

// The words for where a verification or a licence stands.
const (
	counts   = "approved"
	pending  = "pending_approval"
	verified = "verified"
	nobody   = "unverified"
)

// evidence is the payload of an approval about what lets a company trade.
// Schema custody holds what is then recorded against it.
type evidence struct {
	Partner  string            `json:"partner"`
	Verified bool              `json:"verified"`
	Role     string            `json:"role"`
	Licences []evidenceLicence `json:"licences"`
}

// evidenceLicence is a licence as it will be recorded. Replaces says when the
// record it takes the place of was checked; empty: there was none.
type evidenceLicence struct {
	Kind      string `json:"kind"`
	Number    string `json:"number"`
	State     string `json:"state"`
	ValidFrom string `json:"valid_from"`
	ExpiresOn string `json:"expires_on"`
	Source    string `json:"source"`
	Replaces  string `json:"replaces"`
}

// evidence records what keeps a company from trading, which one person says,
// and puts the rest to a second one: that it is verified in its role, and
// licences that hold. The register decides which is which.
func (s *server) evidence(ctx context.Context, tx Tx, p dscsa.Partner, subject string, verify bool, licences []dscsa.Licence) error {
	what := evidence{Partner: p.ID, Verified: verify, Role: string(p.Role), Licences: []evidenceLicence{}}
	reason := ""
	if verify {
		reason = p.Name + " is a " + string(p.Role) + "."
	}
	for _, l := range licences {
		err := tx.Try(ctx, func(ctx context.Context) error { return tx.AddLicence(ctx, p.ID, l) })
		if err != nil && !errors.Is(err, ErrTakesTwo) {
			return err
		}
		if err == nil {
			continue
		}
		one := evidenceLicence{
			Kind: string(l.Kind), Number: l.Number, State: l.State, ValidFrom: l.ValidFrom.Format(time.DateOnly), Source: l.Source,
			Replaces: checked(p, l),
		}
		if !l.ExpiresOn.IsZero() {
			one.ExpiresOn = l.ExpiresOn.Format(time.DateOnly)
		}
		what.Licences = append(what.Licences, one)
		reason += " " + string(l.Kind) + ": " + l.Source + "."
	}
	if !verify && len(what.Licences) == 0 {
		return nil
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("encode the payload: %w", err)
	}
	return tx.Propose(ctx, whereOf(ctx).who, Proposal{
		ID: newID("apr_", s.cfg.Now().UTC()), Action: evidenceAction, Subject: subject, Payload: raw, Reason: clip(reason, mostReason),
	})
}

// mostReason is how long the reason of a proposal can be.
const mostReason = 2000

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// checked says when the record of a licence that stands now was checked.
func checked(p dscsa.Partner, l dscsa.Licence) string {
	i := slices.IndexFunc(p.Licences, func(have dscsa.Licence) bool {
		return have.Kind == l.Kind && have.Number == l.Number && have.State == l.State
	})
	if i < 0 {
		return ""
	}
	return p.Licences[i].CheckedAt.UTC().Format(time.RFC3339Nano)
}

// licence is what an approval says about one, as its maker said it.
func (l evidenceLicence) licence(a ApprovalRecord) (dscsa.Licence, error) {
	out := dscsa.Licence{
		Kind: dscsa.LicenceKind(l.Kind), Number: l.Number, State: l.State, Source: l.Source, CheckedAt: a.MadeAt, CheckedBy: a.Maker, ApprovalID: a.ID,
	}
	var err error
	if out.ValidFrom, err = time.Parse(time.DateOnly, l.ValidFrom); err == nil && l.ExpiresOn != "" {
		out.ExpiresOn, err = time.Parse(time.DateOnly, l.ExpiresOn)
	}
	if err != nil {
		return out, fmt.Errorf("read the payload of %s: %w", a.ID, err)
	}
	return out, nil
}

// evidenced records what two people agreed on. What came to light about a
// licence after it was proposed goes before it.
func evidenced(ctx context.Context, tx Tx, _ uuid.UUID, a ApprovalRecord) (any, error) {
	var what evidence
	if err := json.Unmarshal(a.Payload, &what); err != nil {
		return nil, fmt.Errorf("read the payload: %w", err)
	}
	p, err := tx.Partner(ctx, what.Partner)
	if err != nil {
		return nil, err
	}
	for _, e := range what.Licences {
		l, err := e.licence(a)
		if err != nil {
			return nil, err
		}
		if checked(p.Partner, l) != e.Replaces {
			return nil, refuse("evidence_superseded")
		}
		if err := tx.AddLicence(ctx, p.ID, l); err != nil {
			return nil, err
		}
	}
	if !what.Verified {
		return nil, nil
	}
	return nil, tx.VerifyPartner(ctx, p.ID, dscsa.PartnerRole(what.Role), a.Maker, a.ID)
}

// propose shows what is proposed about a company, beside what counts.
func (v *partnerView) propose(proposals []ApprovalRecord) error {
	v.PendingApprovals, v.Verification = []string{}, nobody
	if v.Verified {
		v.Verification = verified
	}
	for _, a := range proposals {
		var what evidence
		if err := json.Unmarshal(a.Payload, &what); err != nil {
			return fmt.Errorf("read the payload of %s: %w", a.ID, err)
		}
		if what.Partner != v.ID {
			continue
		}
		v.PendingApprovals = append(v.PendingApprovals, a.ID)
		if what.Verified {
			v.Verification = pending
		}
		for _, e := range what.Licences {
			l, err := e.licence(a)
			if err != nil {
				return err
			}
			v.Licences = append(v.Licences, viewLicence(l, pending))
		}
	}
	return nil
}
