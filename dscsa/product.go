package dscsa

// Product is the master data of a drug: what transaction information says of
// it (21 USC 360eee(26)(A) to (D)).
type Product struct {
	GTIN          string // GTIN-14
	NDC           string // with hyphens, as on the label: 0116-2001-16
	Name          string // proprietary or established name
	Strength      string
	DosageForm    string
	ContainerSize string
	Manufacturer  string
	// Schedule is that of the Controlled Substances Act, "CII" to "CV"; "" for
	// a drug that is not controlled (21 USC 812).
	Schedule string
}
