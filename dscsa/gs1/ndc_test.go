package gs1

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNDC(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0116-2001-16": "0116-2001-16", "0116200116": "0116-2001-16", "00116-2001-16": "0116-2001-16", "00116200116": "0116-2001-16",
		"21922-049-17": "21922-049-17", "21922-0049-17": "21922-049-17", "21922004917": "21922-049-17",
		"12345-6789-0": "12345-6789-0", "12345678900": "12345-6789-0",
		"021922-0049-17": "21922-049-17", "000116200116": "0116-2001-16", // the planned layout
	} {
		n, err := ParseNDC(in)
		require.NoError(t, err, in)
		require.Equal(t, want, n.String(), in)
	}
	for in, rule := range map[string]Rule{
		"":               RuleNDC,
		"0116-2001":      RuleNDC,
		"0116-200116":    RuleNDC,
		"016-2001-16":    RuleNDC,
		"0116-2001-1A":   RuleNDC,
		"011620011":      RuleNDC,
		"0116200116123":  RuleNDC,
		"21922-1049-17":  RuleNDC, // no zero to take away
		"121922-0049-17": RuleNDC, // a labeler of six digits: there is no form of ten
		"2192204917":     RuleNDCLayout,
		"21922004907":    RuleNDCLayout,
	} {
		_, err := ParseNDC(in)
		var e *Error
		require.ErrorAs(t, err, &e, in)
		require.Equal(t, rule, e.Rule, "%s: %v", in, err)
	}
}

func TestGTINOfNDC(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"0116-2001-16": "00301162001165", "2192204917": "00321922049176"} {
		gtin, err := GTINOf(in, '0')
		require.NoError(t, err)
		require.Equal(t, want, gtin)
	}
	_, err := GTINOf("21922004907", '0') // 21922-049-07 or 21922-0049-7
	require.ErrorContains(t, err, "21922-049-07 or 21922-0049-7")
	_, err = GTINOf("0116-2001-16", '9')
	require.ErrorContains(t, err, "indicator")
	_, err = GTINOf("0116-2001", '0')
	require.Error(t, err)
	_, err = NDC{Labeler: "123456", Product: "7890", Package: "12"}.GTIN('0')
	require.ErrorContains(t, err, "ten digits")

	require.Equal(t, []NDC{{"0116", "2001", "16"}}, NDCsOf("50301162001160"))
	require.Equal(t, []NDC{{"21922", "049", "17"}, {"21922", "0491", "7"}}, NDCsOf("00321922049176"))
	for _, gtin := range []string{"", "00401162001165", "90301162001165", "0030116200116X", "0301162001165"} {
		require.Empty(t, NDCsOf(gtin), gtin)
	}
}

// An NDC comes back from its GTIN and from every layout that can tell.
func TestNDCRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := drawNDC(t)
		indicator := byte(rapid.IntRange('0', '8').Draw(t, "indicator"))
		gtin, err := n.GTIN(indicator)
		require.NoError(t, err)
		require.True(t, ValidGTIN(gtin))
		require.Contains(t, NDCsOf(gtin), n)
		for _, spelling := range []string{n.String(), n.Digits(), n.Padded(NDC11), n.Padded(NDC12)} {
			again, err := ParseNDC(spelling)
			if err == nil {
				require.Equal(t, n, again)
				continue
			}
			require.ErrorContains(t, err, n.String(), "an ambiguity names what was meant")
		}
	})
}

func drawNDC(t *rapid.T) NDC {
	switch rapid.IntRange(0, 2).Draw(t, "layout") {
	case 0:
		return NDC{rapid.StringMatching(`0[0-9]{3}`).Draw(t, "labeler"), rapid.StringMatching(`[0-9]{4}`).Draw(t, "product"), rapid.StringMatching(`[0-9]{2}`).Draw(t, "package")}
	case 1:
		return NDC{rapid.StringMatching(`[1-9][0-9]{4}`).Draw(t, "labeler"), rapid.StringMatching(`[0-9]{3}`).Draw(t, "product"), rapid.StringMatching(`[0-9]{2}`).Draw(t, "package")}
	default:
		return NDC{rapid.StringMatching(`[1-9][0-9]{4}`).Draw(t, "labeler"), rapid.StringMatching(`[0-9]{4}`).Draw(t, "product"), rapid.StringMatching(`[0-9]`).Draw(t, "package")}
	}
}
