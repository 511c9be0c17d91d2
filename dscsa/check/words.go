package check

import (
	"strings"

	"github.com/recourse/recourse/dscsa/epcis"
)

// The words of the Core Business Vocabulary 2.0, sections 7.1 (business steps)
// and 7.2 (dispositions), with those of 1.0 to 1.2 that 2.0 dropped.
var (
	bizSteps = words(`accepting arriving assembling collecting commissioning consigning creating_class_instance
		cycle_counting decommissioning departing destroying disassembling dispensing encoding entering_exiting holding
		inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing
		reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing
		transporting unloading unpacking void_shipping`)
	dispositions = words(`active available completeness_inferred completeness_verified conformant container_closed
		container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit inactive
		mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
		non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown
		non_sellable_expired non_sellable_damaged non_sellable_disposed non_sellable_no_pedigree_match non_sellable_recalled`)
	transactionTypes = words(`bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt`)
	partyTypes       = words(`owning_party possessing_party location`)
)

func words(s string) map[string]struct{} {
	m := map[string]struct{}{}
	for _, w := range strings.Fields(s) {
		m[w] = struct{}{}
	}
	return m
}

// bare tells a word of the Core Business Vocabulary from a URI: readers take
// the prefix off the former.
func bare(s string) bool { return strings.IndexByte(s, ':') < 0 }

// inCBV takes the prefix off a word that only claims to be of the vocabulary.
func inCBV(s string) (string, bool) {
	if rest, ok := strings.CutPrefix(s, "urn:epcglobal:cbv:"); ok {
		return rest[strings.LastIndexByte(rest, ':')+1:], true
	}
	if rest, ok := strings.CutPrefix(s, "https://ref.gs1.org/cbv/"); ok {
		return rest[strings.LastIndexByte(rest, '-')+1:], true
	}
	return s, bare(s)
}

func (c *Checker) words(e *epcis.Event) {
	c.word(e.BizStep, bizSteps, "bizStep", true)
	c.word(e.Disposition, dispositions, "disposition", true)
	for i := range e.BizTransactions {
		c.word(e.BizTransactions[i].Type, transactionTypes, "bizTransactionList", false)
	}
	for i := range e.Sources {
		c.word(e.Sources[i].Type, partyTypes, "sourceList", false)
	}
	for i := range e.Destinations {
		c.word(e.Destinations[i].Type, partyTypes, "destinationList", false)
	}
	if p := e.Persistent; p != nil {
		for _, w := range p.Set {
			c.word(w, dispositions, "persistentDisposition", true)
		}
		for _, w := range p.Unset {
			c.word(w, dispositions, "persistentDisposition", true)
		}
	}
}

// word checks that a bare word is one of the vocabulary. In JSON a bare word
// can be nothing else; in XML it came with a CBV prefix, in 1.x files often of
// a draft. step tells what custody depends on.
func (c *Checker) word(w string, known map[string]struct{}, list string, step bool) {
	if w == "" {
		return
	}
	if _, ok := known[w]; ok {
		return
	}
	where := c.here(list)
	word, ours := inCBV(w)
	if !ours {
		c.text(w, where)
		return
	}
	_, spelled := known[strings.ToLower(word)]
	format := epcis.Format("")
	if c.doc != nil {
		format = c.doc.Format
	}
	switch {
	case !step:
		c.find("reference-type-unknown", where, "%q is no type of the Core Business Vocabulary", brief(w))
	case spelled:
		c.find("cbv-word-draft", where, "%q is not how the Core Business Vocabulary spells it", brief(w))
	case format == epcis.JSON20:
		c.find("unknown-word", where, "%q is not in the Core Business Vocabulary; a word of your own is a URI", brief(w))
		return
	case format == epcis.XML20:
		c.find("cbv-word-unknown", where, "%q is not in the Core Business Vocabulary; a word of your own does not start with its prefix", brief(w))
	default:
		c.find("cbv-word-draft", where, "%q is not in the Core Business Vocabulary", brief(w))
	}
	if step {
		c.find("us-step-unknown", where, "%q is not in the Core Business Vocabulary, so what happened to the product is not known", brief(w))
	}
}
