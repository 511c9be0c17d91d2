package gs1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type engineVector struct {
	OK   bool
	Args []string
}

func engineVectors(t *testing.T, group string) []engineVector {
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
