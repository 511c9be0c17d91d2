package check

// dscsaRules hold only for US prescription drugs; see isDSCSA.
var dscsaRules = us([]Rule{
	{Name: "lot-missing", Severity: Error, Verdict: Flag, Meaning: "product commissioned without a lot", Source: "21 USC 360eee(26)(F), 360eee(14)"},
	{Name: "expiry-missing", Severity: Error, Verdict: Flag, Meaning: "product commissioned without an expiry date", Source: "21 USC 360eee(14)"},
	{Name: "commissioning-missing", Severity: Warning, Verdict: Flag, Meaning: "things used without having been commissioned, in a document that commissions others of the kind", Source: "GS1 US guideline R1.3, choreography"},
	{Name: "case-mixed", Severity: Error, Verdict: Flag, Meaning: "a case with a GTIN that holds several products or lots", Source: "21 USC 360eee(7)"},
	{Name: "epc-repeated", Severity: Warning, Verdict: Flag, Meaning: "the same thing twice in one list", Source: "EPCIS 1.2 section 7.4.2; 21 USC 360eee(26)(E)"},
	{Name: "indicator-nine", Severity: Warning, Verdict: Flag, Meaning: "a drug with the indicator of goods of variable measure", Source: "GS1 General Specifications section 2.1.11"},
	{Name: "action-contradicts-step", Severity: Warning, Verdict: Flag, Meaning: "an action that cannot be meant with the business step", Source: "GS1 US guideline R1.3, event specifications"},
	{Name: "disposition-contradicts-step", Severity: Warning, Verdict: Flag, Meaning: "a disposition that the business step cannot leave things with", Source: "CBV 2.0 sections 7.1 and 7.2; GS1 US guideline R1.3, event specifications"},
	{Name: "us-step-unknown", Severity: Warning, Verdict: Flag, Meaning: "a step or disposition of no vocabulary on a drug", Source: "CBV 1.2 sections 7.1 and 7.2"},
	{Name: "ship-held", Severity: Error, Verdict: Flag, Meaning: "goods sold that are recalled, damaged, expired, stolen or otherwise not for sale", Source: "21 USC 360eee(27)(D), 360eee-1(b)(4), (c)(4)"},
	{Name: "ship-expired", Severity: Error, Verdict: Flag, Meaning: "goods shipped after their expiry date", Source: "21 USC 351, 360eee(21)"},
	{Name: "shipped-twice", Severity: Warning, Verdict: Flag, Meaning: "shipped again without having been received or voided", Source: "GS1 US guideline R1.3, choreography"},
	{Name: "packed-after-shipping", Severity: Warning, Verdict: Flag, Meaning: "things put into a container after it was shipped", Source: "GS1 US guideline R1.3, choreography"},
	{Name: "shipped-inside", Severity: Warning, Verdict: Flag, Meaning: "shipped on its own while inside a container that is not", Source: "GS1 US guideline R1.3, choreography; EPCIS 1.2 section 7.4.3"},
	{Name: "ship-lists-contents", Severity: Info, Verdict: Accept, Meaning: "a shipment that names contents beside the outermost container", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "packages-unknown", Severity: Error, Verdict: Flag, Meaning: "a logistic unit is sold and nothing says which packages are in it", Source: "21 USC 360eee-1(g)(1)(B), 360eee(26)(E)"},
	{Name: "packages-not-serialised", Severity: Error, Verdict: Flag, Meaning: "a sale by lot and quantity, without the identifier of each package", Source: "21 USC 360eee-1(g)(1)(B)"},
	{Name: "statement-missing", Severity: Error, Verdict: Flag, Meaning: "a change of ownership without transaction statement", Source: "21 USC 360eee(27), 360eee-1(c)(1)(A)(i), (d)(1)(A)(i)"},
	{Name: "statement-not-affirmed", Severity: Error, Verdict: Flag, Meaning: "a transaction statement that the seller does not affirm", Source: "21 USC 360eee(27)"},
	{Name: "legal-notice-missing", Severity: Warning, Verdict: Flag, Meaning: "a transaction statement that does not say what is affirmed", Source: "21 USC 360eee(27)"},
	{Name: "legal-notice-other", Severity: Warning, Verdict: Flag, Meaning: "a legal notice that does not cite what the law wants stated", Source: "21 USC 360eee(27) (FD&C Act section 581(27)); GS1 US guideline R1.3, document header"},
	{Name: "statement-without-sale", Severity: Info, Verdict: Accept, Meaning: "a transaction statement and no change of ownership", Source: "21 USC 360eee(27)"},
	{Name: "seller-missing", Severity: Error, Verdict: Flag, Meaning: "a sale that does not say who sells", Source: "21 USC 360eee(26)(I)"},
	{Name: "buyer-missing", Severity: Error, Verdict: Flag, Meaning: "a sale that does not say who buys", Source: "21 USC 360eee(26)(J)"},
	{Name: "owner-ambiguous", Severity: Error, Verdict: Flag, Meaning: "a sale that names two sellers or two buyers", Source: "21 USC 360eee(26)(I) and (J)"},
	{Name: "party-address-missing", Severity: Error, Verdict: Flag, Meaning: "a seller or buyer without name and address", Source: "21 USC 360eee(26)(I) and (J)"},
	{Name: "location-missing", Severity: Warning, Verdict: Flag, Meaning: "a sale by R1.3 without the locations the goods leave and go to", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "shipping-location", Severity: Info, Verdict: Accept, Meaning: "a business location on goods that are under way", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "order-missing", Severity: Info, Verdict: Accept, Meaning: "a sale without order, despatch advice or invoice", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "same-owner", Severity: Info, Verdict: Accept, Meaning: "goods move within one owner: no transaction", Source: "21 USC 360eee(24)(B)(i)"},
	{Name: "sender-missing", Severity: Warning, Verdict: Flag, Meaning: "a sale in a document that does not say who sends it", Source: "GS1 US guideline R1.3, document header"},
	{Name: "sender-not-seller", Severity: Warning, Verdict: Flag, Meaning: "a sale in a document of somebody who has no part in it", Source: "21 USC 360eee-1(c)(1)(A)(i), (d)(1)(A)(i); GS1 US guideline R1.3, document header"},
	{Name: "product-data-missing", Severity: Error, Verdict: Flag, Meaning: "a sale of a product without its name, strength, form, NDC and container size", Source: "21 USC 360eee(26)(A) to (D)"},
	{Name: "name-missing", Severity: Error, Verdict: Flag, Meaning: "a product without its proprietary or established name", Source: "21 USC 360eee(26)(A)"},
	{Name: "strength-missing", Severity: Error, Verdict: Flag, Meaning: "a product without strength", Source: "21 USC 360eee(26)(B)"},
	{Name: "dosage-form-missing", Severity: Error, Verdict: Flag, Meaning: "a product without dosage form", Source: "21 USC 360eee(26)(B)"},
	{Name: "ndc-missing", Severity: Error, Verdict: Flag, Meaning: "a product without National Drug Code", Source: "21 USC 360eee(26)(C)"},
	{Name: "container-size-missing", Severity: Error, Verdict: Flag, Meaning: "a product without container size", Source: "21 USC 360eee(26)(D)"},
	{Name: "ndc-form", Severity: Warning, Verdict: Flag, Meaning: "an NDC not written as its type code says", Source: "21 CFR 207.33; GS1 US guideline R1.2 and R1.3"},
	{Name: "ndc-gtin-mismatch", Severity: Error, Verdict: Flag, Meaning: "an NDC and a GTIN of different products", Source: "GS1 General Specifications section 1.4 (prefixes 030 to 039); 21 CFR 207.33"},
	{Name: "drop-shipment-missing", Severity: Warning, Verdict: Flag, Meaning: "a sale by R1.3 that does not say whether it is a drop shipment", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "drop-shipment-form", Severity: Warning, Verdict: Flag, Meaning: "dropShipment is neither true nor false", Source: "GS1 US guideline R1.3, shipping event"},
	{Name: "drop-shipment", Severity: Info, Verdict: Accept, Meaning: "a drop shipment", Source: "21 USC 360eee-1(c)(1)(A)(ii); GS1 US guideline R1.3"},
	{Name: "direct-purchase-form", Severity: Warning, Verdict: Flag, Meaning: "directPurchase has neither a value nor a qualifier that exists", Source: "GS1 US guideline R1.2 and R1.3"},
	{Name: "direct-purchase-statement-missing", Severity: Error, Verdict: Flag, Meaning: "a direct purchase claimed without its statement", Source: "21 USC 360eee-1(c)(1)(A)(ii)(I)(aa)(AA)"},
	{Name: "indirect-packages-missing", Severity: Warning, Verdict: Flag, Meaning: "partly direct purchase without saying which packages were not", Source: "GS1 US guideline R1.3, direct purchase"},
	{Name: "mixed-guidelines", Severity: Warning, Verdict: Flag, Meaning: "a document written by R1.2 and R1.3 at once", Source: "GS1 US guideline R1.2 and R1.3"},
})

func us(rules []Rule) []Rule {
	for i := range rules {
		rules[i].DSCSA = true
	}
	return rules
}

// knownRules are those of Against. They hold for any product.
var knownRules = []Rule{
	{Name: "serial-unknown", Severity: Info, Verdict: Accept, Meaning: "a package moves that was never commissioned, here or before: the document that makes it may come yet, and it is not sold until then", Source: "21 USC 360eee-1(g)(1)(B); GS1 US guideline R1.3, choreography"},
	{Name: "serial-recommissioned", Severity: Error, Verdict: Flag, Meaning: "a serial commissioned again, with another lot or expiry date or after it was decommissioned", Source: "GS1 General Specifications section 3.5.2"},
	{Name: "commissioning-resent", Severity: Info, Verdict: Accept, Meaning: "a commissioning that is known, sent again", Source: "EPCIS 1.2 section 7.4.1"},
	{Name: "sender-not-owner", Severity: Error, Verdict: Flag, Meaning: "goods sold by somebody who does not own them", Source: "21 USC 360eee(24), 360eee-1(b)(4), (c)(4), (d)(4)"},
	{Name: "unit-held", Severity: Error, Verdict: Flag, Meaning: "goods shipped that are in quarantine, recalled or suspect", Source: "21 USC 360eee-1(b)(4)(A), (c)(4)(A), (d)(4)(A); FDA guidance Verification Systems (2023) III.B"},
	{Name: "product-unknown", Severity: Info, Verdict: Accept, Meaning: "a product that nobody has registered: it is not sold until somebody does", Source: "21 USC 360eee(26)(A) to (D)"},
	{Name: "partner-unknown", Severity: Warning, Verdict: Flag, Meaning: "a seller or buyer that is no trading partner", Source: "21 USC 360eee-1(b)(3), (c)(3), (d)(3), (e)(3)"},
	{Name: "partner-not-authorized", Severity: Error, Verdict: Flag, Meaning: "a trading partner without valid registration or licence at the time", Source: "21 USC 360eee(2), 360eee-1(b)(3), (c)(3), (d)(3), (e)(3)"},
}
