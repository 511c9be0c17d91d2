package t3

import (
	"slices"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/gs1"
)

// Account is a receipt in which everything that was shipped is accounted for,
// and nothing else is received. Things are canonical keys, and a container
// stands for what is in it.
//
//	said of neither           a shortage
//	received and not shipped  an overage
//	received and short        a shortage
//
// What is not as it should be is kept from sale, so a buyer that says too
// little, or too much, never makes more saleable than came.
func (f *Facts) Account(r dscsa.Receipt) dscsa.Receipt {
	parent := map[string]string{}
	for _, u := range f.Units {
		parent[u.EPC] = u.Parent
	}
	for _, c := range f.Containers {
		parent[c.EPC] = c.Parent
	}
	said := map[string]bool{}
	short := map[string]bool{}
	for _, e := range r.Exceptions {
		said[EPC(e.Unit)] = true
		short[EPC(e.Unit)] = short[EPC(e.Unit)] || e.Kind == dscsa.Shortage
	}
	out := r
	out.Received, out.Exceptions = nil, slices.Clone(r.Exceptions)
	for _, key := range r.Received {
		epc := EPC(key)
		_, shipped := parent[epc]
		switch {
		case !shipped && !said[epc]:
			out.Exceptions = append(out.Exceptions, dscsa.Exception{Unit: key, Kind: dscsa.Overage, Note: "it was received and is not in the document"})
		case shipped && !short[epc]:
			out.Received = append(out.Received, key)
		}
		said[epc] = true
	}
	for _, u := range f.Units {
		covered := false
		for at := u.EPC; at != "" && !covered; at = parent[at] {
			covered = said[at]
		}
		if !covered {
			out.Exceptions = append(out.Exceptions, dscsa.Exception{Unit: keyOf(u.EPC), Kind: dscsa.Shortage, Note: "the receipt does not say that it came"})
		}
	}
	return out
}

// keyOf is the canonical key of an EPC URI.
func keyOf(epc string) string {
	id, err := gs1.Parse(epc)
	if err != nil {
		return epc
	}
	return id.Key()
}
