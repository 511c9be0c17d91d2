package epcis

import "strings"

// vocabulary is one of the vocabularies of the Core Business Vocabulary.
type vocabulary struct {
	urn string // urn:epcglobal:cbv:…: (CBV 1.2 section 7)
	web string // of https://ref.gs1.org/cbv/… (CBV 2.0 section 7)
}

var (
	bizSteps     = vocabulary{"urn:epcglobal:cbv:bizstep:", "BizStep-"}
	dispositions = vocabulary{"urn:epcglobal:cbv:disp:", "Disp-"}
	bizTypes     = vocabulary{"urn:epcglobal:cbv:btt:", "BTT-"}
	partyTypes   = vocabulary{"urn:epcglobal:cbv:sdt:", "SDT-"}
	errorReasons = vocabulary{"urn:epcglobal:cbv:er:", "ER-"}
)

const cbvWeb = "https://ref.gs1.org/cbv/"

// word gives the bare word of the vocabulary, or s itself when it is not of
// this vocabulary. The prefix cbv is the one of GS1's own JSON-LD context.
func (v vocabulary) word(s string) string {
	for _, prefix := range [...]string{v.urn, cbvWeb, "cbv:"} {
		rest, ok := strings.CutPrefix(s, prefix)
		if ok && prefix != v.urn {
			rest, ok = strings.CutPrefix(rest, v.web)
		}
		if ok && rest != "" {
			return rest
		}
	}
	return s
}
