package gs1

// Kind says what sort of thing an identifier names. Names are those of the EPC
// Tag Data Standard, or of the General Specifications where it has none.
type Kind uint8

// The kinds. An ID of a kind that takes a serial and has none is the class of
// all such things: a GRAI, GDTI, GCN, CPI or ITIP.
const (
	Other   Kind = iota // a private URI, a DEA location, an EPC scheme without a GS1 key
	SGTIN               // one serialised trade item: (01)+(21)
	GTIN                // a class of trade items: (01)
	LGTIN               // a lot of trade items: (01)+(10)
	UPUI                // a unique unit packet: (01)+(235)
	SSCC                // a logistic unit: (00)
	SGLN                // a location: (414), with its extension (254)
	PGLN                // a party: (417)
	GRAI                // a returnable asset: (8003)
	GIAI                // an individual asset: (8004)
	GSRN                // a service recipient: (8018)
	GSRNP               // a service provider: (8017)
	GDTI                // a document: (253)
	GCN                 // a coupon: (255), sgcn in URNs
	CPI                 // a component or part: (8010)+(8011)
	ITIP                // a piece of a trade item: (8006)+(21)
	ITIPLot             // a lot of pieces: (8006)+(10); has no URN
	GINC                // a consignment: (401)
	GSIN                // a shipment: (402)
	GMN                 // a product model: (8013); has no URN
	kinds
)

// shape says how the digits of a URN become those of the key.
type shape uint8

const (
	plain  shape = iota // prefix and reference, then a check digit
	lifted              // the first digit of the reference moves in front of the prefix
	open                // prefix and reference are letters and digits with no check digit
)

// spec is one row of the table of kinds.
type spec struct {
	name   string
	ai     string // of the key
	qual   string // application identifier of the serial; "": appended to the key
	scheme string // in urn:epc:id:, "": the kind has no URN
	shape  shape
	lead   string // filler in front of the key's digits
	digits int    // of prefix and reference in a URN; open: the most characters
	serial int    // the most characters of the serial, 0: takes none
	chars  *charset
	length Rule
	check  Rule
}

var specs = [kinds]spec{
	Other:   {name: "other"},
	SGTIN:   {name: "sgtin", ai: "01", qual: "21", scheme: "sgtin", shape: lifted, digits: 13, serial: 20, chars: &cset82, length: RuleSGTINLength, check: RuleGTINCheck},
	GTIN:    {name: "gtin", ai: "01", shape: lifted, digits: 13, length: RuleGTINLength, check: RuleGTINCheck},
	LGTIN:   {name: "lgtin", ai: "01", qual: "10", scheme: "lgtin", shape: lifted, digits: 13, serial: 20, chars: &cset82, length: RuleGTINLength, check: RuleGTINCheck},
	UPUI:    {name: "upui", ai: "01", qual: "235", scheme: "upui", shape: lifted, digits: 13, serial: 28, chars: &cset82, length: RuleGTINLength, check: RuleGTINCheck},
	SSCC:    {name: "sscc", ai: "00", scheme: "sscc", shape: lifted, digits: 17, length: RuleSSCCLength, check: RuleSSCCCheck},
	SGLN:    {name: "sgln", ai: "414", qual: "254", scheme: "sgln", digits: 12, serial: 20, chars: &cset82, length: RuleGLNLength, check: RuleGLNCheck},
	PGLN:    {name: "pgln", ai: "417", scheme: "pgln", digits: 12, length: RuleGLNLength, check: RuleGLNCheck},
	GRAI:    {name: "grai", ai: "8003", scheme: "grai", lead: "0", digits: 12, serial: 16, chars: &cset82, length: RuleKeyLength, check: RuleKeyCheck},
	GIAI:    {name: "giai", ai: "8004", scheme: "giai", shape: open, digits: 30, chars: &cset82, length: RuleKeyLength},
	GSRN:    {name: "gsrn", ai: "8018", scheme: "gsrn", digits: 17, length: RuleKeyLength, check: RuleKeyCheck},
	GSRNP:   {name: "gsrnp", ai: "8017", scheme: "gsrnp", digits: 17, length: RuleKeyLength, check: RuleKeyCheck},
	GDTI:    {name: "gdti", ai: "253", scheme: "gdti", digits: 12, serial: 17, chars: &cset82, length: RuleKeyLength, check: RuleKeyCheck},
	GCN:     {name: "gcn", ai: "255", scheme: "sgcn", digits: 12, serial: 12, chars: &digits, length: RuleKeyLength, check: RuleKeyCheck},
	CPI:     {name: "cpi", ai: "8010", qual: "8011", scheme: "cpi", shape: open, digits: 30, serial: 12, chars: &cset39, length: RuleKeyLength},
	ITIP:    {name: "itip", ai: "8006", qual: "21", scheme: "itip", shape: lifted, digits: 13, serial: 20, chars: &cset82, length: RuleGTINLength, check: RuleGTINCheck},
	ITIPLot: {name: "itip-lot", ai: "8006", qual: "10", shape: lifted, digits: 13, serial: 20, chars: &cset82, length: RuleGTINLength, check: RuleGTINCheck},
	GINC:    {name: "ginc", ai: "401", scheme: "ginc", shape: open, digits: 30, chars: &cset82, length: RuleKeyLength},
	GSIN:    {name: "gsin", ai: "402", scheme: "gsin", digits: 16, length: RuleKeyLength, check: RuleKeyCheck},
	GMN:     {name: "gmn", ai: "8013", shape: open, digits: 25, chars: &cset82, length: RuleKeyLength, check: RuleKeyCheck},
}

// String is the kind's name in lower case, "sgtin".
func (k Kind) String() string {
	if k >= kinds {
		return "unknown"
	}
	return specs[k].name
}

// keyLen is the length of a key of digits, with filler and check digit.
func (s *spec) keyLen() int {
	n := len(s.lead) + s.digits + 1
	if s.ai == "8006" {
		n += 4 // which piece, of how many
	}
	return n
}

// serialChars are the characters of the serial.
func (s *spec) serialChars() *charset {
	if s.ai == "8010" {
		return &digits
	}
	return s.chars
}

// byScheme finds the kind of urn:epc:id:scheme:.
func byScheme(scheme string) Kind {
	switch scheme { // the common ones first: this is on the way of every event
	case "sgtin":
		return SGTIN
	case "sscc":
		return SSCC
	case "sgln":
		return SGLN
	case "pgln":
		return PGLN
	}
	for k := range kinds {
		if k != LGTIN && specs[k].scheme == scheme && scheme != "" {
			return k
		}
	}
	return Other
}
