package epcis

// Word is the bare word of the Core Business Vocabulary that s stands for,
// whichever vocabulary it is of and however it is written, and s itself when it
// is none.
func Word(s string) string {
	for _, v := range []vocabulary{bizSteps, dispositions, bizTypes, partyTypes, errorReasons} {
		if w, known := v.bare(s); known {
			return w
		}
	}
	return s
}
