package check

import (
	"slices"
	"strings"
)

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // wrong by the source of the rule
	Warning Severity = "warning" // wrong by practice, or likely to hide something wrong
	Info    Severity = "info"    // worth knowing, changes nothing
)

// Verdict is what is done with a document.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Accept Verdict = "accept"
	Flag   Verdict = "flag"
	Reject Verdict = "reject"
)

// Worse returns the worse of two verdicts. "" is accept.
func (v Verdict) Worse(w Verdict) Verdict {
	if v.rank() < w.rank() {
		return w
	}
	return v
}

func (v Verdict) rank() int {
	switch v {
	case Reject:
		return 3
	case Flag:
		return 2
	case Accept:
		return 1
	default:
		return 0
	}
}

// Rule is one row of the catalogue.
type Rule struct {
	Name     string // stable, kebab-case
	Severity Severity
	Verdict  Verdict // of a document that breaks it
	Meaning  string
	Source   string // the section of the law, standard or guideline

	// DSCSA: the rule holds only in documents about US prescription drugs.
	DSCSA bool
}

// Rules returns the catalogue, in the order of docs/checks.md.
func Rules() []Rule { return slices.Clone(catalogue) }

// RuleNamed finds a rule.
func RuleNamed(name string) (Rule, bool) {
	i, ok := byName[name]
	if !ok {
		return Rule{}, false
	}
	return catalogue[i], true
}

var (
	catalogue = slices.Concat(formRules, identifierRules, valueRules, choreographyRules, dscsaRules, knownRules)
	byName    = index(catalogue)
)

func index(rules []Rule) map[string]int {
	m := make(map[string]int, len(rules))
	for i, r := range rules {
		if _, twice := m[r.Name]; twice {
			panic("check: two rules are named " + r.Name)
		}
		m[r.Name] = i
	}
	return m
}

// Markdown is the catalogue as docs/checks.md shows it.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# Checks of EPCIS documents

Every finding names one of these rules. The verdict of a document is that of
the worst rule it breaks: **accept** nothing that matters, **flag** stored with
its findings and its units held until a person releases them, **reject** not
stored. Rules marked US hold only in documents about US prescription drugs:
those with an NDC in their master data, a GTIN in the range of US drugs
(indicator, then 03), or elements of the GS1 US healthcare namespace.

    recourse epcis validate shipment.xml other.json

prints one JSON line for each file, with its verdict and findings, and needs no
server. It leaves with 0 when every file is accepted and with 1 when one is
flagged, rejected or cannot be read. Places count from 1: "event 3 epcList[2]"
is the second EPC of the third event. Of each rule the first 20 breaches are
described (-findings changes that) and the others counted. The rules under
"Against what is known" need what earlier documents told, so only the running
product checks them.
`)
	group := func(title string, rules []Rule) {
		b.WriteString("\n## " + title + "\n\n| rule | severity | verdict | what is wrong | source |\n| --- | --- | --- | --- | --- |\n")
		for _, r := range rules {
			us := ""
			if r.DSCSA {
				us = " (US)"
			}
			b.WriteString("| `" + r.Name + "`" + us + " | " + string(r.Severity) + " | " + string(r.Verdict) + " | " + r.Meaning + " | " + r.Source + " |\n")
		}
	}
	group("Form", formRules)
	group("Identifiers", identifierRules)
	group("Values", valueRules)
	group("Choreography", choreographyRules)
	group("DSCSA", dscsaRules)
	group("Against what is known", knownRules)
	return b.String()
}
