package dscsa

import "time"

// PartnerRole is what a company does in the supply chain (21 USC 360eee(3),
// (10), (16), (22), (29)).
type PartnerRole string

// The roles.
const (
	Manufacturer PartnerRole = "manufacturer"
	Repackager   PartnerRole = "repackager"
	Wholesaler   PartnerRole = "wholesaler"
	Logistics    PartnerRole = "3pl"
	Dispenser    PartnerRole = "dispenser"
	NotKnown     PartnerRole = "unknown" // met in a document only
)

// Partner is a company of the supply chain as a tenant knows it.
type Partner struct {
	ID       string
	Name     string
	Role     PartnerRole
	Own      bool // one of the tenant's own companies
	Verified bool // a person has looked at the evidence; what only sent a document is not
	Address  Address
	GLNs     []string // 13 digits; the first names the company where one is asked for
	Licences []Licence
	// T3Endpoint is where transaction data is sent; "" means that the partner
	// fetches it.
	T3Endpoint string
}

// Address is a postal address as transaction information names it
// (21 USC 360eee(26)(I), (J)).
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	State      string `json:"state"` // two letters in the US
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"` // ISO 3166-1 alpha-2
}

// LicenceKind is one of the things that make a company authorized.
type LicenceKind string

// The kinds of licence.
const (
	FDARegistration LicenceKind = "fda_registration" // FD&C Act section 510
	StateLicence    LicenceKind = "state_licence"
	FederalLicence  LicenceKind = "federal_licence" // FD&C Act sections 583, 584
	Reporting503e   LicenceKind = "reporting_503e"  // wholesale distributor: section 503(e)(2)
	Reporting584b   LicenceKind = "reporting_584b"  // third-party logistics provider: section 584(b)
	FDAFinding      LicenceKind = "fda_finding"     // against a third-party logistics provider: section 582(a)(7)
)

// Licence is a licence, registration or report, and the evidence for it. It
// holds on every day from ValidFrom to ExpiresOn, both included; a zero
// ExpiresOn means until further notice.
type Licence struct {
	Kind      LicenceKind
	Number    string
	State     string // who gave it; "" when it is federal
	ValidFrom time.Time
	ExpiresOn time.Time
	Source    string // where it was checked
	CheckedAt time.Time
	CheckedBy string
	// ApprovalID is by which a second person agreed; "" where it takes one.
	ApprovalID string
}

func (l Licence) holds(on time.Time) bool {
	return !day(on).Before(day(l.ValidFrom)) && !l.expired(on)
}

func (l Licence) expired(on time.Time) bool {
	return !l.ExpiresOn.IsZero() && day(on).After(day(l.ExpiresOn))
}

func day(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// Reason is why a company is not an authorized trading partner. Code is
// stable and snake_case, Law the provision that asks for what is missing.
type Reason struct {
	Code    string
	Law     string
	Message string
}

// A requirement is met by any one of its kinds.
type requirement struct {
	name    string // of the codes: licence_missing, licence_expired, …
	kinds   []LicenceKind
	law     string
	missing string
	expired string
}

var (
	registration = requirement{
		"registration",
		[]LicenceKind{FDARegistration},
		"21 USC 360eee(2)(A)",
		"has no establishment registration with FDA on record", "has an establishment registration that has expired",
	}
	distribution = requirement{
		"licence",
		[]LicenceKind{StateLicence, FederalLicence},
		"21 USC 360eee(2)(B), 360eee-1(a)(6)",
		"has no wholesale distribution licence on record", "has a wholesale distribution licence that has expired",
	}
	distributionReport = requirement{
		"reporting",
		[]LicenceKind{Reporting503e},
		"21 USC 360eee(2)(B), 353(e)(2)",
		"has no licensure report to FDA on record", "has not renewed its yearly licensure report to FDA",
	}
	logisticsReport = requirement{
		"reporting",
		[]LicenceKind{Reporting584b},
		"21 USC 360eee(2)(C), 360eee-3(b)",
		"has no licensure report to FDA on record", "has not renewed its yearly licensure report to FDA",
	}
	dispensing = requirement{
		"licence",
		[]LicenceKind{StateLicence},
		"21 USC 360eee(2)(D)",
		"has no state licence on record", "has a state licence that has expired",
	}
)

// requirements of a role (21 USC 360eee(2)). A third-party logistics provider
// counts as licensed until the federal rules are in force, unless FDA has
// found against it (360eee-1(a)(7)).
func requirements(role PartnerRole) []requirement {
	switch role {
	case Manufacturer, Repackager:
		return []requirement{registration}
	case Wholesaler:
		return []requirement{distribution, distributionReport}
	case Logistics:
		return []requirement{logisticsReport}
	case Dispenser:
		return []requirement{dispensing}
	default:
		return nil
	}
}

// Unauthorised says everything that keeps a company from being an authorized
// trading partner on a day; nothing means that it is one. Trading partners "may
// be only authorized trading partners" (21 USC 360eee-1(b)(3), (c)(3), (d)(3),
// (e)(3)).
func (p Partner) Unauthorised(on time.Time) []Reason {
	var out []Reason
	say := func(code, law, what string) {
		out = append(out, Reason{Code: code, Law: law, Message: p.Name + " " + what + "."})
	}
	if !p.Verified {
		say("partner_unverified", "21 USC 360eee-1(b)(3), (c)(3), (d)(3), (e)(3)", "has not been verified as an authorized trading partner")
	}
	needed := requirements(p.Role)
	if needed == nil {
		say("role_unknown", "21 USC 360eee(23)", "has a role that no trading partner has")
	}
	for _, r := range needed {
		switch had, holds := p.has(r.kinds, on); {
		case holds:
		case had:
			say(r.name+"_expired", r.law, r.expired)
		default:
			say(r.name+"_missing", r.law, r.missing)
		}
	}
	if _, against := p.has([]LicenceKind{FDAFinding}, on); against && p.Role == Logistics {
		say("fda_finding", "21 USC 360eee-1(a)(7)", "is not considered licensed: FDA has found against it")
	}
	return out
}

// has reports whether the partner had such a licence that has run out, and
// whether it has one that holds.
func (p Partner) has(kinds []LicenceKind, on time.Time) (had, holds bool) {
	for _, l := range p.Licences {
		for _, k := range kinds {
			if l.Kind == k {
				had = had || l.expired(on)
				holds = holds || l.holds(on)
			}
		}
	}
	return had, holds
}
