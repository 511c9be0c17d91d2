package gs1

// associate checks whether elements may stand together (General
// Specifications section 4.14): what repeats repeats its value, what needs
// another has it, what excludes another does not meet it.
func associate(els []Element) *Error {
	for i, el := range els {
		a := lookup(el.AI)
		for _, other := range els[:i] {
			if other.AI == el.AI && other.Value != el.Value {
				return fault(RuleAssociation, "("+el.AI+") stands there twice with different values")
			}
		}
		for _, bar := range a.bars {
			for _, other := range els {
				if other.AI != el.AI && matches(bar, other.AI) {
					return fault(RuleAssociation, "("+el.AI+") must not stand together with ("+other.AI+")")
				}
			}
		}
		if !satisfied(a.needs, els) {
			return fault(RuleAssociation, "("+el.AI+") needs "+a.needsText()+" beside it")
		}
		if el.AI == "8030" {
			if e := signed(els); e != nil {
				return e
			}
		}
	}
	return nil
}

func satisfied(needs [][]string, els []Element) bool {
	for _, all := range needs {
		found := 0
		for _, pattern := range all {
			for _, el := range els {
				if matches(pattern, el.AI) {
					found++
					break
				}
			}
		}
		if found == len(all) {
			return true
		}
	}
	return len(needs) == 0
}

// signed checks that a digital signature is of one thing: keys that carry
// their serial at their end must have it.
func signed(els []Element) *Error {
	for _, el := range els {
		bare := map[string]int{"253": 13, "255": 13, "8003": 14}[el.AI]
		if bare != 0 && len(el.Value) == bare {
			return fault(RuleAssociation, "(8030) signs one thing: ("+el.AI+") needs its serial")
		}
	}
	return nil
}

// matches compares an application identifier with a pattern, in which n is any
// digit.
func matches(pattern, ai string) bool {
	if len(pattern) != len(ai) {
		return false
	}
	for i := range len(ai) {
		if pattern[i] != 'n' && pattern[i] != ai[i] {
			return false
		}
	}
	return true
}

func (a *identifier) needsText() string {
	text := ""
	for i, all := range a.needs {
		if i > 0 {
			text += " or "
		}
		for j, ai := range all {
			if j > 0 {
				text += " with "
			}
			text += "(" + ai + ")"
		}
	}
	return text
}
