package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/gs1"
)

// isDSCSA decides whether the document is about US prescription drugs: by a
// GTIN of the range that holds NDCs, an NDC in the master data, or an element
// of the GS1 US namespace that is used, not only declared.
func (c *Checker) isDSCSA() bool { return c.drug || c.usElements }

// transactions checks the transaction information and the transaction
// statement of documents with which ownership changes.
func (c *Checker) transactions() {
	products := c.products()
	if !c.isDSCSA() {
		return
	}
	if c.doc.Root == "EPCISQueryDocument" {
		c.transfers = 0 // it tells of sales, it does not make one
	}
	c.statement()
	c.dialect()
	if c.transfers == 0 {
		return
	}
	first := at{event: c.firstSale}
	if c.doc.Format != epcis.JSON20 && (c.doc.Header == nil || len(c.doc.Header.Sender) == 0) { // JSON has no place for it
		c.find("sender-missing", at{list: "header"}, "nothing says who sends the document: fill in the Standard Business Document Header")
	} else if c.doc.Header != nil && len(c.doc.Header.Sender) > 0 && !c.senderSells {
		c.find("sender-not-seller", first, "the document is sent by %s, who neither sells nor holds the goods", brief(c.doc.Header.Sender[0].ID))
	}
	c.addresses()
	for i := 1; i < len(c.classes); i++ {
		class := &c.classes[i]
		if !isDrug(class.gtin) {
			continue
		}
		p := products[item(class.gtin)]
		if p == nil {
			c.find("product-data-missing", first, "no master data say what GTIN %014d is: name, strength, dosage form, NDC and container size", class.gtin)
			products[item(class.gtin)] = &product{}
			continue
		}
		if p.element == nil || p.checked {
			continue
		}
		p.checked = true
		for _, want := range [...]struct{ rule, what, attribute string }{
			{"name-missing", "name", "regulatedProductName"},
			{"strength-missing", "strength", "strengthDescription"},
			{"dosage-form-missing", "dosage form", "dosageFormType"},
			{"container-size-missing", "container size", "netContentDescription"},
		} {
			if attributeText(p.element, want.attribute) == "" {
				c.find(want.rule, at{list: "master data"}, "%s has no %s (%s)", brief(p.element.ID), want.what, want.attribute)
			}
		}
		if p.ndc == "" {
			c.find("ndc-missing", at{list: "master data"}, "%s has no NDC (additionalTradeItemIdentification)", brief(p.element.ID))
		}
	}
}

// product is what the master data say of one NDC.
type product struct {
	element *epcis.Element
	ndc     string
	checked bool
}

// products reads the master data of trade items.
func (c *Checker) products() map[uint64]*product {
	all := map[uint64]*product{}
	for i := range c.doc.MasterData {
		v := &c.doc.MasterData[i]
		if localName(v.Type) != "EPCClass" {
			continue
		}
		for j := range v.Elements {
			e := &v.Elements[j]
			id, err := gs1.Parse(e.ID)
			gtin := number(id.GTIN())
			code := attributeText(e, "additionalTradeItemIdentificationTypeCode")
			ndc := attributeText(e, "additionalTradeItemIdentification")
			if isNDC(code) {
				c.drug = true
			} else if code != "" {
				ndc = ""
			}
			if (err != nil && !gs1.IsCheckDigit(err)) || gtin == 0 {
				continue
			}
			p := all[item(gtin)]
			if p == nil {
				p = &product{element: e}
				all[item(gtin)] = p
			}
			if ndc != "" {
				p.ndc = ndc
				c.ndc(ndc, code, gtin, e.ID)
			}
		}
	}
	return all
}

func isNDC(code string) bool {
	return code == "US_FDA_NDC" || code == "FDA_NDC_11" || code == "FDA_NDC_10"
}

// ndc checks an NDC and whether the GTIN is made of it: 03 and the ten digits,
// which 11 digits have with one zero too many.
func (c *Checker) ndc(ndc, code string, gtin uint64, id string) {
	where := at{list: "master data"}
	ten, ok := ndcDigits(ndc)
	switch {
	case code == "FDA_NDC_11" && (len(ndc) != 11 || strings.Trim(ndc, "0123456789") != ""):
		ok = false
	case code == "US_FDA_NDC" && !strings.Contains(ndc, "-"):
		ok = false
	}
	if !ok {
		c.find("ndc-form", where, "%q is no %s: 11 digits in R1.2, the hyphenated 10 digits in R1.3", brief(ndc), cmp.Or(code, "NDC"))
	}
	if len(ten) > 0 && isDrug(gtin) && !slices.Contains(ten, item(gtin)%1e10) {
		c.find("ndc-gtin-mismatch", where, "the NDC %s and the GTIN %014d of %s are of different products", brief(ndc), gtin, brief(id))
	}
}

// ndcDigits gives the ten digits that an NDC may stand for.
func ndcDigits(ndc string) (ten []uint64, ok bool) {
	parts := strings.Split(ndc, "-")
	plain := strings.ReplaceAll(ndc, "-", "")
	if strings.Trim(plain, "0123456789") != "" {
		return nil, false
	}
	switch {
	case len(parts) == 1 && len(plain) == 10:
		return []uint64{number(plain)}, true
	case len(parts) == 3 && len(plain) == 10:
		l := [3]int{len(parts[0]), len(parts[1]), len(parts[2])}
		return []uint64{number(plain)}, l == [3]int{4, 4, 2} || l == [3]int{5, 3, 2} || l == [3]int{5, 4, 1}
	case len(plain) == 11 && (len(parts) == 1 || len(parts) == 3):
		for _, zero := range [...]int{0, 5, 9} {
			if plain[zero] == '0' {
				ten = append(ten, number(plain[:zero]+plain[zero+1:]))
			}
		}
		return ten, len(parts) == 1
	}
	return nil, false
}

// statement checks the transaction statement (21 USC 360eee(27)). A document
// without a change of ownership needs none, but what it states is to be whole.
func (c *Checker) statement() {
	where := at{list: "header"}
	s := usField(c.doc.HeaderFields, "dscsaTransactionStatement")
	if s == nil {
		s = usField(c.doc.Extensions, "dscsaTransactionStatement")
	}
	if s == nil {
		if c.transfers > 0 {
			c.find("statement-missing", where, "ownership changes without a transaction statement: send gs1ushc:dscsaTransactionStatement")
		}
		return
	}
	switch f := field(s.Children, "affirmTransactionStatement"); {
	case f == nil:
		c.find("statement-not-affirmed", where, "the transaction statement has no affirmTransactionStatement")
	case !isTrue(value(f)):
		c.find("statement-not-affirmed", where, "the seller does not affirm the transaction statement: affirmTransactionStatement is %q", brief(value(f)))
	}
	switch notice := strings.ReplaceAll(value(field(s.Children, "legalNotice")), " ", ""); {
	case notice == "":
		c.find("legal-notice-missing", where, "the transaction statement has no legalNotice, so it does not say what is affirmed")
	case !strings.Contains(notice, "581(27)") && !strings.Contains(notice, "360eee(27)"):
		c.find("legal-notice-other", where, "the legalNotice does not cite section 581(27) of the FD&C Act")
	}
	if c.transfers == 0 {
		c.find("statement-without-sale", where, "a transaction statement, but no shipping event that changes the owner")
	}
}

// dialect tells releases 1.2 and 1.3 of the GS1 US guideline apart and reports
// a document that is written in both.
func (c *Checker) dialect() {
	where := at{list: "header"}
	version := value(usField(c.doc.HeaderFields, "guidelineVersion"))
	if version == "" {
		version = value(usField(c.doc.Extensions, "guidelineVersion"))
	}
	r13 := strings.Contains(version, "1.3")
	codes := map[string]bool{}
	for i := range c.doc.MasterData {
		for j := range c.doc.MasterData[i].Elements {
			codes[attributeText(&c.doc.MasterData[i].Elements[j], "additionalTradeItemIdentificationTypeCode")] = true
		}
	}
	switch {
	case codes["US_FDA_NDC"] && codes["FDA_NDC_11"]:
		c.find("mixed-guidelines", where, "NDCs come as FDA_NDC_11 (R1.2) and as US_FDA_NDC (R1.3): use one release")
	case c.r12 && c.r13:
		c.find("mixed-guidelines", where, "shipping events are written by R1.2 and by R1.3: use one release")
	case r13 && codes["FDA_NDC_11"]:
		c.find("mixed-guidelines", where, "the header says R1.3, but NDCs come as FDA_NDC_11 (R1.2)")
	case r13 && c.r12:
		c.find("mixed-guidelines", where, "the header says R1.3, but directPurchase is true or false (R1.2)")
	}
	if !r13 {
		c.forget("drop-shipment-missing")
		c.forget("location-missing")
	}
}

// forget drops the findings of a rule that turns out not to hold.
func (c *Checker) forget(rule string) {
	delete(c.tallies, rule)
	c.found = slices.DeleteFunc(c.found, func(f found) bool { return f.Rule == rule })
}

// addresses checks that name and address of seller and buyer are there.
func (c *Checker) addresses() {
	known := map[string]*epcis.Element{}
	for i := range c.doc.MasterData {
		v := &c.doc.MasterData[i]
		if localName(v.Type) == "EPCClass" {
			continue
		}
		for j := range v.Elements {
			known[placeKey(v.Elements[j].ID)] = &v.Elements[j]
		}
	}
	parties := make([]string, 0, len(c.parties))
	for p := range c.parties {
		parties = append(parties, p)
	}
	slices.SortFunc(parties, func(a, b string) int { return cmp.Or(cmp.Compare(c.parties[a], c.parties[b]), cmp.Compare(a, b)) })
	for _, p := range parties {
		where := at{event: c.parties[p]}
		e := known[placeKey(p)]
		if e == nil {
			c.find("party-address-missing", where, "no master data give name and address of %s", brief(p))
			continue
		}
		var missing []string
		for _, a := range [...]string{"name", "streetAddressOne", "city", "state", "postalCode"} {
			if attributeText(e, a) == "" && (a != "state" || attributeText(e, "countryCode") == "US") {
				missing = append(missing, a)
			}
		}
		if len(missing) > 0 {
			c.find("party-address-missing", where, "the master data of %s lack %s", brief(p), strings.Join(missing, ", "))
		}
	}
}

// placeKey is the GLN of a place or party, or its key: the same party comes as
// SGLN here and as PGLN there.
func placeKey(s string) string {
	id, err := gs1.Parse(s)
	if err != nil && !gs1.IsCheckDigit(err) {
		return s
	}
	if gln := id.GLN(); gln != "" {
		return gln
	}
	return id.Key()
}
