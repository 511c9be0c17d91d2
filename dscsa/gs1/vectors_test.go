package gs1

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shared finds a file of the test pack that lies beside the module, outside of
// it.
func shared(t testing.TB, elem ...string) string {
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

func readJSON(t testing.TB, path string, into any) {
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
func requireSame(t testing.TB, want ID, spellings ...string) {
	t.Helper()
	for _, s := range spellings {
		id := parseOK(t, s)
		require.Equal(t, want.Key(), id.Key(), s)
		id.Prefix = want.Prefix
		require.Equal(t, want, id, s)
	}
}

func parseOK(t testing.TB, s string) ID {
	t.Helper()
	id, err := Parse(s)
	require.NoError(t, err, s)
	return id
}

func requireURN(t testing.TB, want string, id ID) {
	t.Helper()
	urn, ok := id.URN()
	require.True(t, ok, "%+v has no URN", id)
	require.Equal(t, want, urn)
}

type engineVector struct {
	OK   bool
	Args []string
}

func engineVectors(t testing.TB, group string) []engineVector {
	t.Helper()
	var file struct{ Vectors map[string][]engineVector }
	readJSON(t, shared(t, "syntax-engine-vectors.json"), &file)
	require.NotEmpty(t, file.Vectors[group])
	return file.Vectors[group]
}

// notation writes elements the way the syntax engine does: ^ for FNC1, in
// front and behind every value that is not of predefined length.
func notation(els []Element) string {
	out := "^"
	for i, el := range els {
		out += el.AI + el.Value
		if i < len(els)-1 && table[el.AI].is&fixed == 0 {
			out += "^"
		}
	}
	return out
}

func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}

func TestEngineBracketed(t *testing.T) {
	t.Parallel()
	for _, v := range engineVectors(t, "parseAIdata") {
		els, e := splitBracketed(v.Args[0])
		if v.OK {
			require.NoError(t, asError(e), v.Args[0])
			require.Equal(t, v.Args[1], notation(els))
		} else if v.Args[0] != "" {
			require.Error(t, asError(e), v.Args[0])
		}
	}
}

func TestEngineMessages(t *testing.T) {
	t.Parallel()
	for _, v := range engineVectors(t, "processAIdata") {
		in := v.Args[0]
		if in == "buf" {
			continue // the name of a variable of the engine's test, filled with patterns there
		}
		message, fnc1 := strings.CutPrefix(in, "^")
		if !fnc1 {
			// The engine's notation must start with ^. Scanners often leave it
			// out, and so the package takes messages without it.
			require.False(t, v.OK, in)
			continue
		}
		els, e := parseMessage(strings.ReplaceAll(message, "^", "\x1d"))
		if !v.OK {
			require.Error(t, asError(e), in)
			continue
		}
		require.NoError(t, asError(e), in)
		require.NotEmpty(t, els)
	}
}

func TestEngineAssociations(t *testing.T) {
	t.Parallel()
	for _, v := range engineVectors(t, "validateAIs") {
		in := v.Args[1]
		if strings.Contains(in, "(89)") || strings.Contains(in, "(3338)") {
			// 89 and 3338 are no application identifiers; the engine is told to
			// let unknown ones pass. Nothing here does.
			_, e := splitBracketed(in)
			require.Error(t, asError(e), in)
			continue
		}
		els, e := splitBracketed(in)
		if e == nil {
			e = associate(els)
		}
		if v.OK {
			require.NoError(t, asError(e), in)
		} else {
			require.Error(t, asError(e), in)
		}
	}
}

func TestEngineLinks(t *testing.T) {
	t.Parallel()
	// The engine has three switches: names instead of numbers, GTINs without
	// their leading zeros, and unknown identifiers. Its vectors hold both
	// positions. Here the first two are always on (older links have both) and
	// the third is off.
	on := map[string]bool{}
	for _, v := range engineVectors(t, "parseDLuri") {
		if v.OK {
			on[v.Args[0]] = true
		}
	}
	for _, v := range engineVectors(t, "parseDLuri") {
		in := v.Args[0]
		els, e := parseLink(in)
		switch {
		case strings.Contains(in, "89="):
			require.Error(t, asError(e), in)
		case v.OK:
			require.NoError(t, asError(e), in)
			require.Equal(t, v.Args[1], notation(els), in)
		case !on[in]:
			require.Error(t, asError(e), in)
			_, err := Parse(in)
			t.Log(in, err)
		}
	}
}

func TestEngineGeneratedLinks(t *testing.T) {
	t.Parallel()
	for _, v := range engineVectors(t, "testGenerateDLuri") {
		stem := v.Args[0]
		if stem == "NULL" {
			stem = ""
		}
		els, e := splitBracketed(v.Args[1])
		if strings.Contains(v.Args[1], "(89)") {
			require.Error(t, asError(e)) // unknown, see TestEngineLinks
			continue
		}
		require.NoError(t, asError(e))
		link, err := LinkOf(stem, els)
		if !v.OK {
			require.Error(t, err, v.Args[1])
			continue
		}
		require.NoError(t, err, v.Args[1])
		require.Equal(t, v.Args[2], link)
	}
}

func TestEngineScans(t *testing.T) {
	t.Parallel()
	for _, v := range engineVectors(t, "testProcessScanData") {
		in, symbol, want := v.Args[0], v.Args[1], v.Args[2]
		els, e := parseScan(in)
		switch plain := !strings.HasPrefix(want, "^") && !strings.HasPrefix(strings.ToLower(want), "https://"); {
		case !v.OK:
			require.Error(t, asError(e), in)
		case symbol == "EAN13" || symbol == "EAN8":
			require.NoError(t, asError(e), in)
			number, _, _ := strings.Cut(want, "|")
			require.Equal(t, Element{"01", strings.Repeat("0", 14-len(number)) + number}, els[0])
			if _, composite, ok := strings.Cut(want, "|"); ok {
				require.Equal(t, composite, notation(els[1:]))
			}
		case plain, strings.HasPrefix(want, "HtTps"):
			// The engine hands on any text of a QR code; here that is refused,
			// because it holds no GS1 data. (A link's scheme is all of one case:
			// its own vectors of links say so.)
			require.Error(t, asError(e), in)
		case strings.HasPrefix(want, "^"):
			require.NoError(t, asError(e), in)
			require.Equal(t, want, notation(els), in)
		default:
			require.NoError(t, asError(e), in)
			require.Equal(t, "^011231231231233399TEST", notation(els))
		}
	}
}

// TestTable compares the table of application identifiers with the GS1 syntax
// dictionary.
func TestTable(t *testing.T) {
	t.Parallel()
	file, err := os.Open(shared(t, "gs1-syntax-dictionary.txt"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	named := map[string]string{"gcppos1": "prefix"}
	for _, c := range strings.Fields("csum csumalpha yymmd0 yymmdd yyyymmdd hhmi hh mi ss zero nozeroprefix pieceoftotal") {
		named[c] = c
	}
	seen := 0
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		r := row{ai: fields[0]}
		r.ai, r.last, _ = strings.Cut(fields[0], "-")
		if r.last == "" {
			r.last = r.ai
		}
		fields = fields[1:]
		if strings.Trim(fields[0], "*?") == "" {
			if strings.Contains(fields[0], "*") {
				r.is |= fixed
			}
			if strings.Contains(fields[0], "?") {
				r.is |= attribute
			}
			fields = fields[1:]
		}
		for _, f := range fields {
			name, value, _ := strings.Cut(f, "=")
			switch name {
			case "req":
				r.needs = value
			case "ex":
				r.bars = value
			case "dlpkey":
				r.is |= primary
				r.path = value
			default:
				parts := strings.Split(f, ",")
				r.format += " " + parts[0]
				for _, check := range parts[1:] {
					if named[check] != "" {
						r.format += "," + named[check]
					}
				}
			}
		}
		for code := r.ai; ; code = increment(code) {
			require.Equal(t, r.build(code), table[code], "(%s)", code)
			seen++
			if code == r.last {
				break
			}
		}
	}
	require.NoError(t, lines.Err())
	require.Len(t, table, seen)
}

func increment(code string) string {
	b := []byte(code)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] <= '9' {
			break
		}
		b[i] = '0'
	}
	return string(b)
}

func TestErrorsAreTyped(t *testing.T) {
	t.Parallel()
	_, err := Parse("urn:epc:id:sgtin:030777.043210.A1")
	var e *Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, RuleSGTINLength, e.Rule)
}
