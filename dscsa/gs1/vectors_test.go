package gs1

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shared finds a file of the test pack that lies beside the module, outside of
// it.
func shared(t *testing.T, elem ...string) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	require.NoError(t, err)
	for !exists(filepath.Join(dir, "go.mod")) {
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the package")
		dir = parent
	}
	path := filepath.Join(append([]string{dir, "..", "shared", "dscsa", "gs1"}, elem...)...)
	if !exists(path) {
		t.Skipf("the vectors are not here: put the DSCSA test pack at %s", filepath.Join("..", "shared", "dscsa"))
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, into))
}

type pharmaVectors struct {
	NDC []struct {
		NDC, Format, NDC10, NDC11, Indicator, GTIN14, GS1CompanyPrefix, SgtinURN, IDPat string
	}
	SGTIN []struct{ URN, GTIN14, Serial, DigitalLink, ElementString string }
	SSCC  []struct{ URN, SSCC18, DigitalLink string }
	SGLN  []struct {
		URN, GLN string
		Ext      *string
	}
	LGTIN    []struct{ URN, GTIN14, Lot, DigitalLink string }
	GLN      []struct{ GLN string }
	Barcodes []struct {
		Carrier, Raw, GTIN14, Serial, Expiry, Lot, SSCC, SgtinURN, Why string
		OK, Ambiguous                                                  bool
	}
	BadURNs []string
}

func TestPharmaVectors(t *testing.T) {
	t.Parallel()
	var v pharmaVectors
	readJSON(t, shared(t, "epc-ndc-vectors.json"), &v)
	require.NotEmpty(t, v.NDC)
	for _, n := range v.NDC {
		parsed, err := ParseNDC(n.NDC)
		require.NoError(t, err)
		require.Equal(t, n.NDC10, parsed.Digits())
		require.Equal(t, n.NDC11, parsed.Padded(NDC11))
		require.Equal(t, n.Format, Layout{len(parsed.Labeler), len(parsed.Product), len(parsed.Package)}.String())
		for _, spelling := range []string{n.NDC, n.NDC10, n.NDC11} {
			gtin, err := GTINOf(spelling, n.Indicator[0])
			require.NoError(t, err, spelling)
			require.Equal(t, n.GTIN14, gtin, spelling)
		}
		again, err := ParseNDC(n.NDC11)
		require.NoError(t, err)
		require.Equal(t, parsed, again)
		require.Contains(t, NDCsOf(n.GTIN14), parsed)

		id := parseOK(t, n.SgtinURN)
		require.Equal(t, ID{SGTIN, n.GTIN14, "12345", uint8(len(n.GS1CompanyPrefix))}, id)
		id.Prefix = 0 // the prefix of a drug follows from the labeler
		requireURN(t, n.SgtinURN, id)
		class := parseOK(t, n.IDPat)
		require.Equal(t, "01/"+n.GTIN14, class.Key())
		requireURN(t, n.IDPat, ID{Kind: GTIN, Number: n.GTIN14})
	}
	for _, s := range v.SGTIN {
		requireSame(t, ID{Kind: SGTIN, Number: s.GTIN14, Serial: s.Serial}, s.URN, s.DigitalLink, "("+s.ElementString[:2]+")"+s.ElementString[2:16]+"(21)"+s.ElementString[18:])
		els, err := ParseScan([]byte(s.ElementString))
		require.NoError(t, err)
		require.Equal(t, []Element{{"01", s.GTIN14}, {"21", s.Serial}}, els)
		requireURN(t, s.URN, parseOK(t, s.URN))
		require.Equal(t, s.DigitalLink, parseOK(t, s.URN).DigitalLink())
	}
	for _, s := range v.SSCC {
		requireSame(t, ID{Kind: SSCC, Number: s.SSCC18}, s.URN, s.DigitalLink, "(00)"+s.SSCC18)
		requireURN(t, s.URN, parseOK(t, s.URN))
	}
	for _, s := range v.SGLN {
		want := ID{Kind: SGLN, Number: s.GLN}
		if s.Ext != nil {
			want.Serial = *s.Ext
		}
		requireSame(t, want, s.URN, want.DigitalLink())
		requireURN(t, s.URN, parseOK(t, s.URN))
		gln, err := GLNOf(s.URN)
		require.NoError(t, err)
		require.Equal(t, s.GLN, gln)
	}
	for _, l := range v.LGTIN {
		requireSame(t, ID{Kind: LGTIN, Number: l.GTIN14, Serial: l.Lot}, l.URN, l.DigitalLink, "(01)"+l.GTIN14+"(10)"+l.Lot)
		requireURN(t, l.URN, parseOK(t, l.URN))
	}
	for _, g := range v.GLN {
		require.True(t, ValidGLN(g.GLN), g.GLN)
	}
	for _, urn := range v.BadURNs {
		_, err := Parse(urn)
		var e *Error
		require.ErrorAs(t, err, &e, urn)
		require.False(t, IsCheckDigit(err), urn)
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, b := range v.Barcodes {
		els, err := ParseScan([]byte(b.Raw))
		switch {
		case b.Ambiguous:
			// Nothing in the data tells that a separator is missing. The serial
			// must be the whole of it, and never what was meant.
			require.NoError(t, err)
			serial, _ := Value(els, "21")
			require.Equal(t, "A117280731", serial)
			continue
		case !b.OK:
			var e *Error
			require.ErrorAs(t, err, &e, "%s: %q", b.Why, b.Raw)
			continue
		}
		require.NoError(t, err, b.Raw)
		id, err := IDOf(els)
		require.NoError(t, err)
		if b.SSCC != "" {
			require.Equal(t, "00/"+b.SSCC, id.Key())
			require.Equal(t, parseOK(t, b.SgtinURN).Key(), id.Key())
			continue
		}
		require.Equal(t, ID{Kind: SGTIN, Number: b.GTIN14, Serial: b.Serial}, id, b.Raw)
		lot, _ := Value(els, "10")
		require.Equal(t, b.Lot, lot)
		if b.Expiry != "" {
			exp, _ := Value(els, "17")
			day, err := Date(exp, now)
			require.NoError(t, err)
			require.Equal(t, b.Expiry, day.Format(time.DateOnly))
		}
	}
}

// requireSame wants each spelling to be the same thing.
func requireSame(t *testing.T, want ID, spellings ...string) {
	t.Helper()
	for _, s := range spellings {
		id := parseOK(t, s)
		require.Equal(t, want.Key(), id.Key(), s)
		id.Prefix = want.Prefix
		require.Equal(t, want, id, s)
	}
}

func parseOK(t *testing.T, s string) ID {
	t.Helper()
	id, err := Parse(s)
	require.NoError(t, err, s)
	return id
}

func requireURN(t *testing.T, want string, id ID) {
	t.Helper()
	urn, ok := id.URN()
	require.True(t, ok, "%+v has no URN", id)
	require.Equal(t, want, urn)
}
