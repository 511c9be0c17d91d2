package t3_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/epcis"
	"github.com/recourse/recourse/dscsa/t3"
)

var formats = []epcis.Format{epcis.XML12, epcis.XML20, epcis.JSON20}

const (
	unit1 = "urn:epc:id:sgtin:0379999.010130.100000000001"
	unit2 = "urn:epc:id:sgtin:0379999.010130.100000000002"
	box   = "urn:epc:id:sgtin:0379999.510130.900000001"
	sscc  = "urn:epc:id:sscc:0379999.0000000001"
)

func party(name, gln string, role dscsa.PartnerRole) t3.Party {
	return t3.Party{Name: name, GLN: gln, Role: role, Address: dscsa.Address{Street: "1 Main St <Suite & Co>", City: "Dayton", State: "OH", PostalCode: "45402", Country: "US"}}
}

var (
	labs     = party("Example Labs Inc", "0379999000019", dscsa.Manufacturer)
	sale     = party("Example Wholesale Inc", "0810000001019", dscsa.Wholesaler)
	resale   = party("Second Wholesale Inc", "0810000005017", dscsa.Wholesaler)
	pharmacy = party("Example Pharmacy LLC", "0810000002016", dscsa.Dispenser)
)

func facts() *t3.Facts {
	made := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	product := dscsa.Product{
		GTIN: "00379999101303", NDC: "79999-101-30", Name: "Exampril", Strength: "10 mg", DosageForm: "TABLET", ContainerSize: "30 TABLET in 1 BOTTLE",
		Manufacturer: "Example Labs Inc",
	}
	return &t3.Facts{
		Transfer: "sg_01kabcdefghjkmnpqrstvwxyz0", OrderRef: "PO 1/2:3", At: made.AddDate(0, 0, 20), Seller: sale, Buyer: pharmacy,
		ShipFrom: "0810000001026", ShipTo: pharmacy.GLN, Products: []dscsa.Product{product}, Shipped: []string{sscc, unit2},
		Units: []t3.Unit{
			{EPC: unit1, GTIN: product.GTIN, Lot: "EX2601", Expiry: "2029-06-30", Parent: box, Commissioned: made, At: labs.GLN},
			{EPC: unit2, GTIN: product.GTIN, Lot: "EX2601", Expiry: "2029-06-30", Commissioned: made, At: labs.GLN},
		},
		Containers: []t3.Container{{EPC: sscc, Packed: made.Add(2 * time.Hour), At: labs.GLN}, {EPC: box, Parent: sscc, Packed: made.Add(time.Hour), At: labs.GLN}},
		History:    []t3.Prior{{At: made.AddDate(0, 0, 1), Seller: labs, Buyer: sale, EPCs: []string{unit1, unit2}}}, WithHistory: true,
	}
}

func write(t *testing.T, f *t3.Facts, format epcis.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, f.Write(&b, format))
	return b.Bytes()
}

// events reads a document back.
func events(t *testing.T, raw []byte) (*epcis.Document, []*epcis.Event) {
	t.Helper()
	r, err := epcis.NewReader(bytes.NewReader(raw), epcis.Limits{})
	require.NoError(t, err)
	var out []*epcis.Event
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return r.Document(), out
		}
		require.NoError(t, err)
		require.Empty(t, e.Faults)
		out = append(out, e)
	}
}

// Facts that went through the database give the same bytes.
func TestTheSameFactsGiveTheSameBytes(t *testing.T) {
	t.Parallel()
	f := facts()
	raw, err := json.Marshal(f)
	require.NoError(t, err)
	var stored t3.Facts
	require.NoError(t, json.Unmarshal(raw, &stored))
	for _, format := range formats {
		first := write(t, f, format)
		for range 5 {
			require.Equal(t, string(first), string(write(t, &stored, format)), format)
		}
	}
}

// Each row of the statute is in the document (21 USC 360eee(26)(A) to (J), (27)).
func TestEverythingTheLawAsksForIsInTheDocument(t *testing.T) {
	t.Parallel()
	require.Empty(t, facts().Missing())
	for _, format := range formats {
		text := string(write(t, facts(), format))
		for row, word := range map[string]string{
			"TI-A": "Exampril", "TI-B": "10 mg", "TI-B form": "TABLET", "TI-C": "79999-101-30", "TI-C code": "US_FDA_NDC", "TI-D": "30 TABLET in 1 BOTTLE",
			"TI-F": "EX2601", "TI-G": "2026-11-22T08:00:00", "TI-I": "Example Wholesale Inc", "TI-J": "Example Pharmacy LLC", "TI-+": "2029-06-30",
			"TI-+ serial": unit1, "TS": "581(27)(A)-(G)", "TS-DP": "ENTIRELY_DIRECT", "DROP": "dropShipment", "R1.3": "GS1 US DSCSA R1.3", "TH": "Example Labs Inc",
		} {
			require.Contains(t, text, word, "%s in %s", row, format)
		}
	}
}

// TH is left out on request: it has had no force since 2023-11-27.
func TestATwoLeavesTheHistoryOut(t *testing.T) {
	t.Parallel()
	f := facts()
	f.WithHistory = false
	_, with := events(t, write(t, facts(), epcis.XML12))
	_, without := events(t, write(t, f, epcis.XML12))
	require.Len(t, without, len(with)-1)
	require.NotContains(t, string(write(t, f, epcis.XML12)), "urn:epc:id:sgln:037999900001..0</source>")
	require.Contains(t, string(write(t, f, epcis.XML12)), "ENTIRELY_DIRECT", "what the statement says of the purchase stays")
}

// The order is that of GS1 US: commissioned, packed from the inside out, sold
// before, shipped; the shipping event names the outermost things only.
func TestTheChoreographyOfTheGuideline(t *testing.T) {
	t.Parallel()
	var first [][]string
	for _, format := range formats {
		doc, all := events(t, write(t, facts(), format))
		var got [][]string
		for _, e := range all {
			got = append(got, append([]string{e.BizStep, e.Parent}, e.EPCs...))
		}
		want := [][]string{
			{"commissioning", "", unit1, unit2},
			{"commissioning", "", box},
			{"commissioning", "", sscc},
			{"packing", box, unit1},
			{"packing", sscc, box},
			{"shipping", "", unit1, unit2},
			{"shipping", "", sscc, unit2},
		}
		require.Empty(t, cmp.Diff(want, got), format)
		last := all[len(all)-1]
		require.Empty(t, last.BizLocation.ID, "shipping leaves it out")
		require.Equal(t, "urn:epcglobal:cbv:bt:0810000002016:PO%201%2F2%3A3", last.BizTransactions[0].ID)
		if first != nil {
			require.Equal(t, first, got)
		}
		first = got
		if format != epcis.JSON20 {
			require.Len(t, doc.MasterData, 2)
		}
	}
}

func TestWhatTheSellerSaysOfItsPurchase(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC) }
	both := []string{unit1, unit2}
	for name, tc := range map[string]struct {
		seller   t3.Party
		history  []t3.Prior
		back     bool
		how      t3.Direct
		indirect []string
		told     bool
	}{
		"from the manufacturer":               {seller: sale, history: []t3.Prior{{At: day(1), Seller: labs, Buyer: sale, EPCs: both}}, how: t3.EntirelyDirect},
		"one of two from the manufacturer":    {seller: sale, history: []t3.Prior{{At: day(1), Seller: labs, Buyer: sale, EPCs: both[:1]}}, how: t3.PartlyDirect, indirect: both[1:]},
		"from somebody nobody can name":       {seller: sale},
		"a manufacturer says nothing of it":   {seller: labs},
		"a return says nothing of it":         {seller: sale, back: true, history: []t3.Prior{{At: day(1), Seller: labs, Buyer: sale, EPCs: both}}},
		"from a wholesaler that bought so":    {seller: resale, history: []t3.Prior{{At: day(1), Seller: labs, Buyer: sale, EPCs: both}, {At: day(2), Seller: sale, Buyer: resale, EPCs: both}}, told: true},
		"one of two from such a wholesaler":   {seller: resale, history: []t3.Prior{{At: day(1), Seller: labs, Buyer: sale, EPCs: both[:1]}, {At: day(2), Seller: sale, Buyer: resale, EPCs: both}}},
		"from a wholesaler that bought where": {seller: resale, history: []t3.Prior{{At: day(2), Seller: sale, Buyer: resale, EPCs: both}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := facts()
			f.Seller, f.History, f.Return = tc.seller, tc.history, tc.back
			how, indirect := f.Direct()
			require.Equal(t, tc.how, how)
			if how == t3.PartlyDirect {
				require.Equal(t, tc.indirect, indirect)
			}
			require.Equal(t, tc.told, f.ToldDirect())
		})
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	f := facts()
	f.Units[0].Lot, f.Units[1].Expiry, f.Products[0].NDC, f.Buyer.Address.Street = "", "", "", ""
	require.Equal(t, []string{
		"the NDC of product 00379999101303 (26)(C)", "the lot of " + unit1 + " (26)(F)", "the expiry of " + unit2 + " (14)",
		"the name and address of 0810000002016 (26)(I), (J)",
	}, f.Missing())
	require.NotEmpty(t, (&t3.Facts{}).Missing())
}

// What is sent is valid against the standard's schema.
func TestTheDocumentIsValid(t *testing.T) {
	t.Parallel()
	root := ""
	for dir, err := os.Getwd(); err == nil && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "..", "shared", "dscsa", "schemas")); err == nil {
			root = filepath.Join(dir, "..", "shared", "dscsa", "schemas")
			break
		}
	}
	if root == "" {
		t.Skip("the standard's schemas are not beside this repository: ../shared/dscsa/schemas")
	}
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	back, part := facts(), facts()
	back.Return, back.Seller, back.Buyer = true, pharmacy, sale
	part.History[0].EPCs = part.History[0].EPCs[:1]
	for name, f := range map[string]*t3.Facts{"sale": facts(), "return": back, "partly direct": part} {
		for format, schema := range map[epcis.Format]string{epcis.XML12: "xsd-1.2/EPCglobal-epcis-1_2.xsd", epcis.XML20: "xsd-2.0/EPCglobal-epcis-2_0.xsd"} {
			path := filepath.Join(t.TempDir(), "t3.xml")
			require.NoError(t, os.WriteFile(path, write(t, f, format), 0o600))
			out, err := exec.Command(xmllint, "--noout", "--nonet", "--schema", filepath.Join(root, schema), path).CombinedOutput()
			require.NoError(t, err, "%s as %s: %s", name, format, out)
		}
	}
}
