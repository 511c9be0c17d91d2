package dscsa_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
)

func on(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func licence(kind dscsa.LicenceKind, from, to string) dscsa.Licence {
	l := dscsa.Licence{Kind: kind, Number: "4711", ValidFrom: on(from)}
	if to != "" {
		l.ExpiresOn = on(to)
	}
	return l
}

// One row a clause of 21 USC 360eee(2) and of 360eee-1(a)(6), (7).
func TestWhoIsAnAuthorizedTradingPartner(t *testing.T) {
	t.Parallel()
	const today = "2026-11-25"
	good := func(kinds ...dscsa.LicenceKind) (out []dscsa.Licence) {
		for _, k := range kinds {
			out = append(out, licence(k, "2020-01-01", "2027-12-31"))
		}
		return out
	}
	for name, tc := range map[string]struct {
		role     dscsa.PartnerRole
		licences []dscsa.Licence
		want     []string
	}{
		"360eee(2)(A): a manufacturer with a registration":               {dscsa.Manufacturer, good(dscsa.FDARegistration), nil},
		"360eee(2)(A): a manufacturer without one":                       {dscsa.Manufacturer, good(dscsa.StateLicence), []string{"registration_missing"}},
		"360eee(2)(A): a repackager whose registration ran out":          {dscsa.Repackager, []dscsa.Licence{licence(dscsa.FDARegistration, "2020-01-01", "2025-12-31")}, []string{"registration_expired"}},
		"360eee(2)(A): a repackager with a registration":                 {dscsa.Repackager, good(dscsa.FDARegistration), nil},
		"360eee(2)(B): a wholesaler with licence and report":             {dscsa.Wholesaler, good(dscsa.StateLicence, dscsa.Reporting503e), nil},
		"360eee-1(a)(6): a wholesaler with a federal licence":            {dscsa.Wholesaler, good(dscsa.FederalLicence, dscsa.Reporting503e), nil},
		"353(e)(2): a wholesaler that has not reported":                  {dscsa.Wholesaler, good(dscsa.StateLicence), []string{"reporting_missing"}},
		"353(e)(2): a wholesaler whose report is a year old":             {dscsa.Wholesaler, append(good(dscsa.StateLicence), licence(dscsa.Reporting503e, "2024-01-01", "2025-03-31")), []string{"reporting_expired"}},
		"360eee(2)(B): a wholesaler with a report alone":                 {dscsa.Wholesaler, good(dscsa.Reporting503e), []string{"licence_missing"}},
		"360eee(2)(B): a wholesaler with nothing":                        {dscsa.Wholesaler, nil, []string{"licence_missing", "reporting_missing"}},
		"360eee-1(a)(7): a 3PL counts as licensed":                       {dscsa.Logistics, good(dscsa.Reporting584b), nil},
		"360eee-3(b): a 3PL that has not reported":                       {dscsa.Logistics, good(dscsa.StateLicence), []string{"reporting_missing"}},
		"360eee-1(a)(7): a 3PL that FDA has found against":               {dscsa.Logistics, append(good(dscsa.Reporting584b), licence(dscsa.FDAFinding, "2026-01-01", "")), []string{"fda_finding"}},
		"360eee(2)(D): a dispenser with a state licence":                 {dscsa.Dispenser, good(dscsa.StateLicence), nil},
		"360eee(2)(D): a federal licence makes no dispenser":             {dscsa.Dispenser, good(dscsa.FederalLicence), []string{"licence_missing"}},
		"360eee(2)(D): a dispenser whose licence ran out":                {dscsa.Dispenser, []dscsa.Licence{licence(dscsa.StateLicence, "2020-01-01", "2026-11-24")}, []string{"licence_expired"}},
		"360eee(2)(D): the last day counts":                              {dscsa.Dispenser, []dscsa.Licence{licence(dscsa.StateLicence, "2020-01-01", today)}, nil},
		"360eee(2)(D): so does the first":                                {dscsa.Dispenser, []dscsa.Licence{licence(dscsa.StateLicence, today, "")}, nil},
		"360eee(2)(D): a licence of tomorrow":                            {dscsa.Dispenser, []dscsa.Licence{licence(dscsa.StateLicence, "2026-11-26", "")}, []string{"licence_missing"}},
		"360eee(2)(D): a renewed one holds beside the one that ran out":  {dscsa.Dispenser, append(good(dscsa.StateLicence), licence(dscsa.StateLicence, "2010-01-01", "2019-12-31")), nil},
		"360eee(23): a role that is none":                                {"broker", good(dscsa.StateLicence), []string{"role_unknown"}},
		"360eee-1(a)(7): a finding against somebody who is no 3PL is no": {dscsa.Dispenser, append(good(dscsa.StateLicence), licence(dscsa.FDAFinding, "2026-01-01", "")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := dscsa.Partner{Name: "Acme", Role: tc.role, Verified: true, Licences: tc.licences}
			var got []string
			for _, r := range p.Unauthorised(on(today).Add(23 * time.Hour)) {
				got = append(got, r.Code)
				require.Contains(t, r.Law, "21 USC")
				require.Contains(t, r.Message, "Acme ")
			}
			require.Equal(t, tc.want, got)
			p.Verified = false
			require.Equal(t, "partner_unverified", p.Unauthorised(on(today))[0].Code, "nobody unverified is authorized")
		})
	}
}
