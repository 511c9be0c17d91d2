package investigation

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/recourse/recourse/dscsa"
)

// A row is one item of the form as it is typed into FDA's platform.
type row struct{ Item, Label, Value string }

// us is how the form writes days.
const us = "01/02/2006"

// words are the choices of the form's lists, as they are written there.
var words = map[string]string{
	"initial": "Initial Notification", "follow_up": "Follow-up Notification", "termination": "Request for Termination",
	"counterfeit": "Counterfeit", "diverted": "Diverted", "stolen": "Stolen", "intentionally_adulterated": "Intentional adulteration",
	"fraudulent_transaction": "Fraudulent transaction", "unfit": "Unfit for distribution",
	"human_use": "Human use", "other": "Other",
	"manufacturer": "Manufacturer", "wholesaler": "Wholesale distributor", "dispenser": "Dispenser (Pharmacy)", "repackager": "Repackager",
	"none": "None", "bpdr": "BPDR", "medwatch_3500": "MedWatch 3500", "medwatch_3500a": "MedWatch 3500A", "far": "FAR",
}

func word(s string) string {
	if w, ok := words[s]; ok {
		return w
	}
	return s
}

func dayOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(us)
}

// rows are the items of the form, in its order.
func (n *Notification) rows() []row {
	f := &n.Form
	quantity, serials := "", strings.Join(f.Serials, ", ")
	if f.Quantity > 0 {
		quantity = strconv.FormatInt(f.Quantity, 10) + " " + f.Unit
	}
	if f.MoreSerials > 0 {
		serials += fmt.Sprintf(" and %d more", f.MoreSerials)
	}
	var expiries, others []string
	for _, on := range f.Expiries {
		if t, err := time.Parse(time.DateOnly, on); err == nil {
			on = t.Format(us)
		}
		expiries = append(expiries, on)
	}
	for _, o := range f.OtherReports {
		if o == "other" {
			o = "Other: " + f.OtherReport
		}
		others = append(others, word(o))
	}
	determined := n.DeterminedAt
	return []row{
		{"1", "Type of report", word(string(n.Type))},
		{"2", "Incident number (assigned by FDA; blank on the initial notification)", n.Incident},
		{"3", "Date of initial notification", dayOf(n.FirstSentAt)},
		{"3 (2025)", "Geographic location of incident", f.Location},
		{"4", "Date company determined product was illegitimate", dayOf(&determined)},
		{"5", "Classification of notification", word(f.Classification)},
		{"6", "Name of product as it appears on label", f.Name},
		{"7", "Primary ingredient(s), if known", f.Ingredients},
		{"8", "Drug use", word(f.DrugUse)},
		{"9", "Drug description", f.DrugDescription},
		{"10", "Strength of drug", f.Strength},
		{"11", "Dosage form", f.DosageForm},
		{"12", "Quantity of drug (number and unit)", quantity},
		{"13", "NDC number, if applicable", strings.Join(f.NDC, ", ")},
		{"14", "Serial number, if applicable", serials},
		{"15", "Lot number(s)", strings.Join(f.Lots, ", ")},
		{"16", "Expiration date(s)", strings.Join(expiries, ", ")},
		{"17", "For notification: description of event/issue", f.Description},
		{"18", "For request for termination: why notification is no longer necessary", f.Termination},
		{"19", "Submitted to FDA through an alternative mechanism", strings.Join(others, ", ")},
		{"20", "Company name and address", address(&f.Company)},
		{"21", "Company category", word(f.CompanyCategory)},
		{"22", "Unique facility identifier of the company", f.FacilityID},
		{"23", "Contact: name, telephone, e-mail", strings.Join(slices.DeleteFunc([]string{f.Contact.Name, f.Contact.Phone, f.Contact.Email}, blank), ", ")},
	}
}

func blank(s string) bool { return s == "" }

func address(c *Company) string {
	place := strings.TrimSpace(strings.Join(slices.DeleteFunc([]string{c.State, c.PostalCode}, blank), " "))
	return strings.Join(slices.DeleteFunc([]string{c.Name, c.Street, c.Street2, c.City, place, c.Country}, blank), ", ")
}

const notSent = "Type this into the 3911 platform of CDER NextGen, or mail the form to drugnotifications@fda.hhs.gov. Recourse does not send it."

// Text is the notification for a person to type into FDA's platform.
func (n *Notification) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "FORM FDA 3911 - DRUG NOTIFICATION\n%s of investigation %s\n%s\n", n.ID, n.Investigation, notSent)
	if n.DueAt != nil {
		fmt.Fprintf(&b, "Due %s UTC\n", n.DueAt.UTC().Format(time.DateTime))
	}
	b.WriteString("\n")
	for _, r := range n.rows() {
		fmt.Fprintf(&b, "%-9s %s\n          %s\n", r.Item, r.Label, strings.ReplaceAll(r.Value, "\n", "\n          "))
	}
	if len(n.Missing) > 0 {
		b.WriteString("\nSTILL MISSING\n")
		for _, m := range n.Missing {
			fmt.Fprintf(&b, "- %s\n", m.Detail)
		}
	}
	return b.String()
}

var page = template.Must(template.New("3911").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Form FDA 3911 - {{.N.ID}}</title></head><body>
<h1>Form FDA 3911 - Drug Notification</h1>
<p>{{.N.ID}} of investigation {{.N.Investigation}}.{{with .Due}} Due {{.}} UTC.{{end}} {{.NotSent}}</p>
<table border="1"><thead><tr><th>Item</th><th>Field</th><th>Value</th></tr></thead><tbody>
{{range .Rows}}<tr><td>{{.Item}}</td><td>{{.Label}}</td><td>{{.Value}}</td></tr>
{{end}}</tbody></table>
{{with .N.Missing}}<h2>Still missing</h2><ul>{{range .}}<li>{{.Detail}}</li>{{end}}</ul>
{{end}}</body></html>
`))

// HTML is Text as a page.
func (n *Notification) HTML() (string, error) {
	due := ""
	if n.DueAt != nil {
		due = n.DueAt.UTC().Format(time.DateTime)
	}
	var b bytes.Buffer
	err := page.Execute(&b, map[string]any{"N": n, "Rows": n.rows(), "Due": due, "NotSent": notSent})
	if err != nil {
		return "", fmt.Errorf("write the form of %s: %w", n.ID, err)
	}
	return b.String(), nil
}

// clearedNotice has the contents of FDA's Verification Systems Under DSCSA,
// III.C.2.
func clearedNotice(v *Investigation, packs []pack, today time.Time) string {
	f := prefill(v, dscsa.Partner{}, packs, "")
	sizes, summary, cleared := []string{}, "(to be written)", today
	person, position := "(to be written)", "(to be written)"
	if v.End != nil {
		summary, cleared, person, position = v.End.Summary, v.End.At, v.End.Person, v.End.Position
	}
	for i := range packs {
		if s := packs[i].containerSize; s != "" && !slices.Contains(sizes, s) {
			sizes = append(sizes, s)
		}
	}
	serials := strings.Join(f.Serials, ", ")
	if f.MoreSerials > 0 {
		serials += fmt.Sprintf(" and %d more", f.MoreSerials)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "To: drugnotifications@fda.hhs.gov\nSubject: Cleared Product Notification.\n\nInvestigation %s of %s\n\n", v.ID, v.CompanyName)
	for _, r := range []row{
		{"", "Name of the product", f.Name},
		{"", "Strength", f.Strength},
		{"", "Dosage form", f.DosageForm},
		{"", "NDC", strings.Join(f.NDC, ", ")},
		{"", "Lot number", strings.Join(f.Lots, ", ")},
		{"", "Expiration date", strings.Join(f.Expiries, ", ")},
		{"", "Serial numbers", serials},
		{"", "Container size", strings.Join(sizes, ", ")},
		{"", "Number of containers", strconv.FormatInt(f.Quantity, 10)},
		{"", "Date of FDA's request for verification", v.FDAAskedOn.Format(time.DateOnly)},
		{"", "FDA office or employee who made it", v.FDAOffice},
		{"", "Why the product was suspect", word(string(v.Suspicion)) + ": " + v.Summary},
		{"", "Summary of the investigation", summary},
		{"", "Date the product was cleared", cleared.UTC().Format(time.DateOnly)},
		{"", "Cleared by", person + ", " + position},
	} {
		fmt.Fprintf(&b, "%s: %s\n", r.Label, r.Value)
	}
	return b.String()
}
