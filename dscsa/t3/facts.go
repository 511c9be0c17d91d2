package t3

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/recourse/recourse/dscsa"
)

// Facts are what one transaction's documents are made from. Identifiers are
// EPC URIs; times are UTC.
type Facts struct {
	Transfer string    `json:"transfer"` // the saga's id, which names the document
	OrderRef string    `json:"order_ref"`
	At       time.Time `json:"at"` // of the transaction and the shipment
	Seller   Party     `json:"seller"`
	Buyer    Party     `json:"buyer"`
	ShipFrom string    `json:"ship_from"` // GLN
	ShipTo   string    `json:"ship_to"`   // GLN

	Products   []dscsa.Product `json:"products"`
	Shipped    []string        `json:"shipped"` // the outermost identifiers
	Units      []Unit          `json:"units"`   // every package, each once
	Containers []Container     `json:"containers,omitempty"`
	History    []Prior         `json:"history,omitempty"` // oldest first

	// WithHistory says whether the document carries the history (a "T3") or
	// leaves it out (a "T2").
	WithHistory bool `json:"with_history"`
	Return      bool `json:"return,omitempty"` // goods go back to who sold them
}

// Party is who gives or takes ownership (360eee(26)(I), (J)).
type Party struct {
	Name    string            `json:"name"`
	GLN     string            `json:"gln"`
	Role    dscsa.PartnerRole `json:"role,omitempty"`
	Address dscsa.Address     `json:"address"`
}

// Unit is one package with its product identifier (360eee(14)).
type Unit struct {
	EPC          string    `json:"epc"`
	GTIN         string    `json:"gtin"`
	Lot          string    `json:"lot"`
	Expiry       string    `json:"expiry"` // YYYY-MM-DD
	Parent       string    `json:"parent,omitempty"`
	Commissioned time.Time `json:"commissioned"`
	At           string    `json:"at,omitempty"` // GLN of where, "" when not known
}

// Container is a case, tote or pallet of the shipment.
type Container struct {
	EPC    string    `json:"epc"`
	Parent string    `json:"parent,omitempty"`
	Packed time.Time `json:"packed"`
	At     string    `json:"at,omitempty"` // GLN of where, "" when not known
}

// Prior is an earlier change of ownership of some of the units.
type Prior struct {
	At     time.Time `json:"at"`
	Seller Party     `json:"seller"`
	Buyer  Party     `json:"buyer"`
	EPCs   []string  `json:"epcs"` // units
}

// Missing lists what the law asks for and the facts do not have, each with its
// place in 21 USC 360eee(26). A document is made only when nothing is missing.
func (f *Facts) Missing() []string {
	var out []string
	need := func(ok bool, format string, args ...any) {
		if !ok {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	known := map[string]bool{}
	for _, p := range f.Products {
		known[p.GTIN] = true
		need(p.Name != "", "the name of product %s (26)(A)", p.GTIN)
		need(p.Strength != "" && p.DosageForm != "", "the strength and dosage form of product %s (26)(B)", p.GTIN)
		need(p.NDC != "", "the NDC of product %s (26)(C)", p.GTIN)
		need(p.ContainerSize != "", "the container size of product %s (26)(D)", p.GTIN)
	}
	need(len(f.Units) > 0, "the packages (26)(E)")
	for _, u := range f.Units {
		need(u.EPC != "", "the product identifier of a package (14)")
		need(known[u.GTIN], "the product data of %s (26)(A)", u.EPC)
		need(u.Lot != "", "the lot of %s (26)(F)", u.EPC)
		need(u.Expiry != "", "the expiry of %s (14)", u.EPC)
		need(!u.Commissioned.IsZero(), "the commissioning of %s, which says lot and expiry", u.EPC)
	}
	for _, c := range f.Containers {
		need(!c.Packed.IsZero(), "the packing of %s", c.EPC)
	}
	need(!f.At.IsZero(), "the date (26)(G)")
	for _, p := range []Party{f.Seller, f.Buyer} {
		need(p.Name != "" && p.Address.Street != "" && p.Address.City != "", "the name and address of %s (26)(I), (J)", p.GLN)
	}
	return out
}

// Quantities counts the packages of each product.
func (f *Facts) Quantities() map[string]int {
	out := map[string]int{}
	for _, u := range f.Units {
		out[u.GTIN]++
	}
	return out
}

// Direct says how a wholesaler came by what it sells (360eee-1(c)(1)(A)(ii)).
type Direct string

// The ways.
const (
	NotDirect      Direct = ""
	EntirelyDirect Direct = "ENTIRELY_DIRECT"
	PartlyDirect   Direct = "PARTIALLY_DIRECT"
)

// Direct tells whether the seller, a wholesaler, bought the units from their
// manufacturer or from a repackager, and which of them it did not. Only the
// history on record counts: a unit without one was not bought directly as far
// as anybody can prove.
func (f *Facts) Direct() (how Direct, indirect []string) {
	if f.Seller.Role != dscsa.Wholesaler || f.Return {
		return NotDirect, nil
	}
	from := map[string]dscsa.PartnerRole{}
	for _, h := range f.History {
		if h.Buyer.GLN != f.Seller.GLN {
			continue
		}
		for _, epc := range h.EPCs {
			from[epc] = h.Seller.Role
		}
	}
	for _, u := range f.Units {
		if r := from[u.EPC]; r != dscsa.Manufacturer && r != dscsa.Repackager {
			indirect = append(indirect, u.EPC)
		}
	}
	slices.Sort(indirect)
	switch len(indirect) {
	case 0:
		return EntirelyDirect, nil
	case len(f.Units):
		return NotDirect, nil
	default:
		return PartlyDirect, indirect
	}
}

// ToldDirect reports whether every unit came to the seller from a wholesaler
// that had bought it directly (360eee-1(c)(1)(A)(iv)).
func (f *Facts) ToldDirect() bool {
	if how, _ := f.Direct(); f.Seller.Role != dscsa.Wholesaler || how != NotDirect || f.Return {
		return false
	}
	bought := map[string]string{} // the wholesaler that bought a unit directly
	told := map[string]bool{}
	for _, h := range f.History {
		for _, epc := range h.EPCs {
			switch {
			case h.Seller.Role == dscsa.Manufacturer || h.Seller.Role == dscsa.Repackager:
				bought[epc] = h.Buyer.GLN
			case h.Buyer.GLN == f.Seller.GLN:
				told[epc] = h.Seller.Role == dscsa.Wholesaler && bought[epc] == h.Seller.GLN
			}
		}
	}
	for _, u := range f.Units {
		if !told[u.EPC] {
			return false
		}
	}
	return len(f.Units) > 0
}

// GTINs of the packages, each once, in order.
func (f *Facts) GTINs() []string { return slices.Sorted(maps.Keys(f.Quantities())) }
