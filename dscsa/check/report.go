package check

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/recourse/recourse/dscsa/epcis"
)

// Finding is one breach of a rule.
type Finding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Where    string   `json:"where"` // "event 3 epcList[2]", counted from 1, or "header"
	Message  string   `json:"message"`

	Event   int     `json:"-"` // the event it is about, from 1; 0: the document
	Verdict Verdict `json:"-"` // what it does to the document
}

// Report is what was found in a document.
type Report struct {
	Verdict  Verdict
	Findings []Finding    // by place; at most Options.PerRule of a rule, then one that says how many more
	Format   epcis.Format // "" when that could not be told
	DSCSA    bool         // whether it is about US prescription drugs
	Events   int
	ByType   map[string]int
}

// at is a place in the document; text is made only of findings that are kept.
type at struct {
	event int    // from 1; 0: none
	list  string // "epcList", "header", …
	index int    // from 1; 0: none
}

func (p at) String() string {
	var b []byte
	if p.event > 0 {
		b = strconv.AppendInt(append(b, "event "...), int64(p.event), 10)
	}
	if p.list != "" {
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(b, p.list...)
	}
	if p.index > 0 {
		b = append(strconv.AppendInt(append(b, '['), int64(p.index), 10), ']')
	}
	return string(b)
}

// found is a finding before Report.
type found struct {
	Finding
	event, seq int
}

// tally counts the breaches of one rule.
type tally struct{ n int }

// find records a breach, or only counts it when there are enough of its rule.
func (c *Checker) find(rule string, where at, format string, args ...any) {
	if !c.more(rule) {
		return
	}
	message := format
	if len(args) > 0 {
		message = fmt.Sprintf(format, args...)
	}
	c.keep(rule, where.event, where.String(), message)
}

// more counts a breach and says whether it is still to be described.
func (c *Checker) more(rule string) bool {
	t := c.tallies[rule]
	if t == nil {
		if _, ok := byName[rule]; !ok {
			panic("check: no rule " + rule)
		}
		t = new(tally)
		c.tallies[rule] = t
	}
	t.n++
	return t.n <= c.perRule
}

func (c *Checker) keep(rule string, event int, where, message string) {
	r := catalogue[byName[rule]]
	c.found = append(c.found, found{Finding{rule, r.Severity, where, message, event, r.Verdict}, event, len(c.found)})
}

// Report ends the document. It may be called again; nothing is checked twice.
func (c *Checker) Report() Report {
	if !c.ended {
		c.ended = true
		c.end()
	}
	us := c.isDSCSA()
	r := Report{Verdict: Accept, Format: c.doc.Format, DSCSA: us, Events: c.n, ByType: map[string]int{}}
	for t, n := range c.byType {
		r.ByType[string(t)] = n
	}
	for rule, t := range c.tallies {
		row := catalogue[byName[rule]]
		if row.DSCSA && !us {
			continue
		}
		r.Verdict = r.Verdict.Worse(row.Verdict)
		if more := t.n - c.perRule; more > 0 {
			r.Findings = append(r.Findings, Finding{rule, row.Severity, "document", fmt.Sprintf("%d more of this rule", more), 0, row.Verdict})
		}
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int { return cmp.Compare(a.Rule, b.Rule) })
	slices.SortFunc(c.found, func(a, b found) int {
		return cmp.Or(cmp.Compare(a.event, b.event), cmp.Compare(a.seq, b.seq))
	})
	kept := make([]Finding, 0, len(c.found)+len(r.Findings))
	for _, f := range c.found {
		if us || !catalogue[byName[f.Rule]].DSCSA {
			kept = append(kept, f.Finding)
		}
	}
	r.Findings = append(kept, r.Findings...)
	return r
}
