package gs1

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const all82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`

func drawSerial(t *rapid.T, chars string, most int) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune(chars)), 1, most, -1).Draw(t, "serial")
}

// drawID draws an ID of any kind with a key, sometimes with what its spelling
// told about the company prefix.
func drawID(t *rapid.T) ID {
	kind := Kind(rapid.IntRange(1, int(GSIN)).Draw(t, "kind"))
	spec := &specs[kind]
	id := ID{Kind: kind, Prefix: uint8(rapid.IntRange(6, 12).Draw(t, "prefix"))}
	if spec.shape == open {
		chars := all82
		if kind == CPI {
			chars = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		}
		id.Number = rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), 12, 12, -1).Draw(t, "prefix") + drawSerial(t, chars, spec.digits-12)
	} else {
		id.Number = rapid.StringOfN(rapid.RuneFrom([]rune("0123456789")), spec.digits, spec.digits, -1).Draw(t, "digits")
		id.Number = spec.lead + id.Number + string(rune(CheckDigit(id.Number)))
		if kind == ITIP || kind == ITIPLot {
			id.Number += rapid.SampledFrom([]string{"0101", "0199", "0204"}).Draw(t, "piece")
		}
	}
	needs := kind == SGTIN || kind == LGTIN || kind == UPUI || kind == ITIPLot
	if spec.serial > 0 && (needs || rapid.Bool().Draw(t, "has serial")) {
		switch kind {
		case CPI:
			id.Serial = rapid.StringMatching(`[1-9][0-9]{0,11}`).Draw(t, "serial")
		case GCN:
			id.Serial = drawSerial(t, "0123456789", spec.serial)
		default:
			id.Serial = drawSerial(t, all82, spec.serial)
		}
	}
	if kind == SGLN && id.Serial == "0" {
		id.Serial = ""
	}
	return id
}

// elementString writes an ID the way a label does, bracketed and as a scanner
// sends it.
func elementString(id ID) (label, scan string) {
	spec := &specs[id.Kind]
	els := []Element{{spec.ai, id.Number}}
	if id.Serial != "" {
		if spec.qual == "" {
			els[0].Value += id.Serial
		} else {
			els = append(els, Element{spec.qual, id.Serial})
		}
	}
	for i, el := range els {
		label += "(" + el.AI + ")" + strings.ReplaceAll(el.Value, "(", `\(`)
		scan += el.AI + el.Value
		if i < len(els)-1 && table[el.AI].is&fixed == 0 {
			scan += "\x1d"
		}
	}
	return label, scan
}

func TestEverySpellingIsTheSameID(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawID(t)
		key := want.Key()
		urn, ok := want.URN()
		require.Equal(t, want.Kind != ITIPLot, ok)
		if ok {
			id, err := Parse(urn)
			require.NoError(t, err, urn)
			require.Equal(t, want, id, urn)
		}
		want.Prefix = 0
		stem := rapid.SampledFrom([]string{"https://id.gs1.org/", "http://x.example/", "https://x.example:8080/a/01/b/"}).Draw(t, "stem")
		query := rapid.SampledFrom([]string{"", "?", "?99=x&linkType=y", "#f", "?11=280731#f"}).Draw(t, "query")
		label, scan := elementString(want)
		for _, s := range []string{want.DigitalLink(), stem + key + query, label} {
			id, err := Parse(s)
			require.NoError(t, err, s)
			require.Equal(t, want, id, s)
		}
		id, err := ParseKey(key)
		require.NoError(t, err, key)
		require.Equal(t, want, id)
		mark := rapid.SampledFrom([]string{"", "]d2", "]C1", "]Q3", "\x1d", "]e0"}).Draw(t, "symbology")
		els, err := ParseScan([]byte(mark + scan))
		require.NoError(t, err, scan)
		id, err = IDOf(els)
		require.NoError(t, err)
		require.Equal(t, want, id)
		link, err := LinkOf(stem, els)
		require.NoError(t, err)
		require.Equal(t, stem+key, link)
	})
}

// Two IDs have one key only when they are one.
func TestKeysTellApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawID(t), drawID(t)
		a.Prefix, b.Prefix = 0, 0
		require.Equal(t, a == b, a.Key() == b.Key())
	})
}

func TestOneWrongDigitIsSeen(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := drawID(t)
		spec := &specs[id.Kind]
		if spec.shape == open {
			return
		}
		at := rapid.IntRange(len(spec.lead), len(spec.lead)+spec.digits).Draw(t, "at")
		b := []byte(id.Number)
		b[at] = '0' + (b[at]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "off")))%10
		id.Number, id.Prefix = string(b), 0
		got, err := Parse(id.DigitalLink())
		require.True(t, IsCheckDigit(err), "%v", err)
		require.Equal(t, id, got, "as spelled")
	})
}
