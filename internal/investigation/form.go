package investigation

import (
	"slices"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa"
)

// Form is what Form FDA 3911 asks, by its item numbers of 2015. The draft of 2025
// adds the place of the incident as item 3. Items 1, 2, 3 and 4 follow from the
// notification and are not part of it.
type Form struct {
	Location        string   `json:"location"`            // 3 (2025)
	Classification  string   `json:"classification"`      // 5
	Name            string   `json:"name"`                // 6
	Ingredients     string   `json:"ingredients"`         // 7, if known
	DrugUse         string   `json:"drug_use"`            // 8: human_use, other
	DrugDescription string   `json:"drug_description"`    // 9
	Strength        string   `json:"strength"`            // 10
	DosageForm      string   `json:"dosage_form"`         // 11
	Quantity        int64    `json:"quantity"`            // 12, in
	Unit            string   `json:"unit"`                // 12
	NDC             []string `json:"ndc"`                 // 13, if applicable
	Serials         []string `json:"serial_numbers"`      // 14, if applicable
	MoreSerials     int64    `json:"more_serial_numbers"` // that are not listed
	Lots            []string `json:"lot_numbers"`         // 15
	Expiries        []string `json:"expiration_dates"`    // 16, YYYY-MM-DD
	Description     string   `json:"description"`         // 17, of a notification
	Termination     string   `json:"termination_reason"`  // 18, of a request for termination
	OtherReports    []string `json:"other_reports"`       // 19: none, bpdr, medwatch_3500, medwatch_3500a, far, other
	OtherReport     string   `json:"other_report"`        // which other
	Company         Company  `json:"company"`             // 20
	CompanyCategory string   `json:"company_category"`    // 21
	FacilityID      string   `json:"facility_identifier"` // 22
	Contact         Contact  `json:"contact"`             // 23
}

// Company is who notifies.
type Company struct {
	Name       string `json:"name"`
	Street     string `json:"street"`
	Street2    string `json:"street2"`
	City       string `json:"city"`
	State      string `json:"state"`
	PostalCode string `json:"postal_code"`
	Country    string `json:"country"`
}

// Contact is who gets FDA's acknowledgement with the incident number.
type Contact struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
	Email string `json:"email"`
}

// Type of a notification: item 1.
type Type string

// The types.
const (
	Initial     Type = "initial"
	FollowUp    Type = "follow_up"
	Termination Type = "termination"
)

const (
	unknown     = "unknown"
	multiple    = "Multiple" // what FDA wants for several drugs in one form
	listSerials = 1000       // are listed; a form is for people
)

// pack is packages of an investigation that are of one product, lot and expiry.
type pack struct {
	lot                                            string
	expiry                                         *time.Time
	packages                                       int64
	serials                                        []string // those that are listed
	name, strength, dosageForm, ndc, containerSize string
}

// prefill is what custody and master data know of the packages. classification
// is the suspicion that was confirmed.
func prefill(v *Investigation, company dscsa.Partner, packs []pack, evidence string) Form {
	f := Form{
		Classification: string(v.Suspicion), DrugUse: "human_use", Unit: "packages", Description: evidence,
		NDC: []string{}, Serials: []string{}, Lots: []string{}, Expiries: []string{}, OtherReports: []string{},
		Company: Company{
			Name: company.Name, Street: company.Address.Street, City: company.Address.City, State: company.Address.State,
			PostalCode: company.Address.PostalCode, Country: company.Address.Country,
		},
		CompanyCategory: string(v.Role),
	}
	if v.Lot != "" {
		f.Lots = []string{v.Lot}
	}
	add := func(list *[]string, s string) {
		if s != "" && !slices.Contains(*list, s) {
			*list = append(*list, s)
		}
	}
	var names, strengths, forms []string
	for i := range packs {
		p := &packs[i]
		add(&names, p.name)
		add(&strengths, p.strength)
		add(&forms, p.dosageForm)
		add(&f.NDC, p.ndc)
		add(&f.Lots, p.lot)
		if p.expiry != nil {
			add(&f.Expiries, p.expiry.Format(time.DateOnly))
		}
		f.Quantity += p.packages
		f.Serials = append(f.Serials, p.serials...)
	}
	f.MoreSerials = f.Quantity - int64(len(f.Serials))
	one := func(list []string) string {
		switch len(list) {
		case 0:
			return ""
		case 1:
			return list[0]
		}
		return multiple
	}
	f.Name, f.Strength, f.DosageForm = one(names), one(strengths), one(forms)
	if f.Name == multiple {
		f.Ingredients = multiple
	}
	return f
}

// missing is what the form still lacks to be submitted: everything but what it
// asks for only if known or applicable.
func (f *Form) missing(t Type, incident string) (out []Field) {
	need := func(pointer, value, what string) {
		if strings.TrimSpace(value) == "" {
			out = append(out, Field{pointer, "required", what})
		}
	}
	if t != Initial {
		need("/incident_number", incident, "item 2: FDA's number of the incident, from the acknowledgement of the initial notification")
	}
	need("/form/classification", f.Classification, "item 5: classification of the notification")
	need("/form/name", f.Name, `item 6: name of the product as on the label, or "Multiple"`)
	need("/form/drug_use", f.DrugUse, "item 8: drug use")
	need("/form/drug_description", f.DrugDescription, "item 9: drug description, as in FDA's list")
	need("/form/strength", f.Strength, `item 10: strength, or "Multiple"`)
	need("/form/dosage_form", f.DosageForm, `item 11: dosage form, or "Multiple"`)
	if f.Quantity <= 0 {
		out = append(out, Field{"/form/quantity", "required", "item 12: quantity"})
	}
	need("/form/unit", f.Unit, "item 12: unit of the quantity")
	need("/form/lot_numbers", strings.Join(f.Lots, ""), `item 15: lot numbers; "unknown" if they are`)
	need("/form/expiration_dates", strings.Join(f.Expiries, ""), `item 16: expiration dates; "unknown" if they are`)
	if t == Termination {
		need("/form/termination_reason", f.Termination, "item 18: why the notification is no longer necessary")
	} else {
		need("/form/description", f.Description, "item 17: description of the event")
	}
	need("/form/other_reports", strings.Join(f.OtherReports, ""), `item 19: other reports to FDA, or "none"`)
	if slices.Contains(f.OtherReports, "other") {
		need("/form/other_report", f.OtherReport, "item 19: which other report")
	}
	need("/form/company/name", f.Company.Name, "item 20: company")
	need("/form/company/street", f.Company.Street, "item 20: street")
	need("/form/company/city", f.Company.City, "item 20: city")
	need("/form/company/state", f.Company.State, "item 20: state")
	need("/form/company/postal_code", f.Company.PostalCode, "item 20: postal code")
	need("/form/company/country", f.Company.Country, "item 20: country")
	need("/form/company_category", f.CompanyCategory, "item 21: category of the company")
	need("/form/contact/name", f.Contact.Name, "item 23: contact")
	need("/form/contact/phone", f.Contact.Phone, "item 23: telephone of the contact")
	need("/form/contact/email", f.Contact.Email, "item 23: e-mail of the contact, which gets the acknowledgement")
	return out
}

// wrong is what of the form cannot be, whoever wrote it.
func (f *Form) wrong() (out []Field) {
	for i, on := range f.Expiries {
		if _, err := time.Parse(time.DateOnly, on); err != nil && on != unknown {
			out = append(out, Field{"/expiration_dates/" + itoa(i), "invalid", `is neither a day, YYYY-MM-DD, nor "unknown"`})
		}
	}
	if slices.Contains(f.OtherReports, "none") && len(f.OtherReports) > 1 {
		out = append(out, Field{"/other_reports", "invalid", `"none" stands alone`})
	}
	return out
}
