package gs1

import (
	"strconv"
	"strings"
)

// identifier is one application identifier, ready for use.
type identifier struct {
	code  string
	is    int
	parts []part
	paths [][]string // sequences of qualifiers that may follow in a Digital Link
	needs [][]string // alternatives; each is a list of patterns that go together
	bars  []string
}

// part is one part of a value.
type part struct {
	chars    *charset
	min, max int
	optional bool
	checks   []string
}

var table = buildTable()

func buildTable() map[string]*identifier {
	t := make(map[string]*identifier, 600)
	add := func(r row) {
		last := r.last
		if last == "" {
			last = r.ai
		}
		from, _ := strconv.Atoi(r.ai)
		to, _ := strconv.Atoi(last)
		for n := from; n <= to; n++ {
			code := strconv.Itoa(n)
			code = strings.Repeat("0", len(r.ai)-len(code)) + code
			t[code] = r.build(code)
		}
	}
	for _, r := range rows {
		add(r)
	}
	for _, m := range measures {
		for _, ai := range strings.Fields(m.ai) {
			add(row{ai: ai + "0", last: ai + "5", is: fixed | attribute, format: "N6", needs: m.needs, bars: ai + "n"})
		}
	}
	return t
}

// lookup finds an application identifier. Those of two digits, which are on
// nearly every package, need no hashing.
func lookup(code string) *identifier {
	if len(code) == 2 && code[0]-'0' <= 9 && code[1]-'0' <= 9 {
		return twoDigits[(code[0]-'0')*10+code[1]-'0']
	}
	return table[code]
}

var twoDigits = func() (short [100]*identifier) {
	for code, a := range table {
		if len(code) == 2 {
			short[number(code)] = a
		}
	}
	return short
}()

func (r *row) build(code string) *identifier {
	a := &identifier{code: code, is: r.is}
	for _, f := range strings.Fields(r.format) {
		p := part{}
		if f[0] == '[' {
			p.optional, f = true, strings.Trim(f, "[]")
		}
		f = strings.ReplaceAll(f, "]", "")
		fields := strings.Split(f, ",")
		p.checks = fields[1:]
		p.chars = map[byte]*charset{'N': &digits, 'X': &cset82, 'Y': &cset39, 'Z': &cset64}[f[0]]
		length, most := strings.CutPrefix(fields[0][1:], "..")
		p.max, _ = strconv.Atoi(length)
		p.min = p.max
		if most {
			p.min = 1
		}
		a.parts = append(a.parts, p)
	}
	for _, path := range split(r.path, "|") {
		a.paths = append(a.paths, split(path, ","))
	}
	for _, need := range split(r.needs, ",") {
		a.needs = append(a.needs, split(need, "+"))
	}
	a.bars = split(r.bars, ",")
	return a
}

func split(s, sep string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, sep)
}

// maxLen is the longest value.
func (a *identifier) maxLen() int {
	n := 0
	for i := range a.parts {
		n += a.parts[i].max
	}
	return n
}

// leading finds the application identifier that s starts with. No code is the
// start of another.
func leading(s string) *identifier {
	for n := 2; n <= 4 && n <= len(s); n++ {
		if a := lookup(s[:n]); a != nil {
			return a
		}
	}
	return nil
}

// verify checks a value: first its shape, then what it says. On a wrong check
// digit alone the fault says so and nothing else is wrong.
func (a *identifier) verify(value string) *Error {
	rest := value
	var wrongDigit *Error
	for i := range a.parts {
		p := &a.parts[i]
		if rest == "" && p.optional {
			break
		}
		n := min(p.max, len(rest))
		if n < p.min {
			return a.misfit(value)
		}
		if !p.chars.all(rest[:n]) {
			if p.chars == &digits {
				return a.misfit(value)
			}
			return fault(RuleSerial, "("+a.code+") holds a character that GS1 does not allow: "+quote(value))
		}
		for _, c := range p.checks {
			if e := a.check(c, rest[:n]); e != nil && !e.isCheckDigit() {
				return e
			} else if e != nil {
				wrongDigit = e
			}
		}
		rest = rest[n:]
	}
	if rest != "" {
		return a.misfit(value)
	}
	return wrongDigit
}

// misfit says what shape the value of a should have.
func (a *identifier) misfit(value string) *Error {
	rule := RuleValue
	switch a.code {
	case "00":
		rule = RuleSSCCLength
	case "01", "02", "03":
		rule = RuleGTINLength
	case "410", "411", "412", "413", "414", "415", "416", "417":
		rule = RuleGLNLength
	case "21", "10", "254", "235":
		rule = RuleSerialLen
	}
	shape := make([]string, len(a.parts))
	for i, p := range a.parts {
		kind := " characters"
		if p.chars == &digits {
			kind = " digits"
		}
		if p.min != p.max {
			shape[i] = "up to "
		}
		shape[i] += strconv.Itoa(p.max) + kind
		if p.optional {
			shape[i] = "optionally " + shape[i]
		}
	}
	return fault(rule, "the value of ("+a.code+") is "+strings.Join(shape, ", then ")+": "+quote(value))
}

// check applies one named check to a part of a value.
func (a *identifier) check(name, v string) *Error {
	ok := true
	switch name {
	case "csum":
		if !checked(v) {
			return wrongDigit(a.checkRule(), "("+a.code+")", v)
		}
	case "csumalpha":
		if !checkedAlpha(v) {
			return fault(RuleKeyCheck, "the last two characters of ("+a.code+") do not match the rest: "+quote(v))
		}
	case "yymmd0", "yymmdd", "yyyymmdd":
		if !realDay(v, name == "yymmd0") {
			return fault(RuleDate, "("+a.code+") is no day, write YYMMDD: "+quote(v))
		}
	case "hhmi":
		ok = v[:2] < "24" && v[2:] < "60"
	case "hh":
		ok = v < "24"
	case "mi", "ss":
		ok = v < "60"
	case "zero":
		ok = v == "0"
	case "nozeroprefix":
		ok = v[0] != '0' || v == "0"
	case "pieceoftotal":
		ok = pieceOfTotal(v)
	case "prefix": // company prefixes are 4 digits at least
		ok = len(v) >= 4 && allDigits(v[:4])
	}
	if !ok {
		return fault(RuleValue, "("+a.code+") does not allow this value ("+name+"): "+quote(v))
	}
	return nil
}

func (a *identifier) checkRule() Rule {
	switch a.code {
	case "00":
		return RuleSSCCCheck
	case "01", "02", "03", "8006", "8026":
		return RuleGTINCheck
	case "410", "411", "412", "413", "414", "415", "416", "417":
		return RuleGLNCheck
	}
	return RuleKeyCheck
}

// pieceOfTotal checks the piece and total of an ITIP, two digits each.
func pieceOfTotal(v string) bool {
	return v[:2] != "00" && v[2:] != "00" && v[:2] <= v[2:]
}
