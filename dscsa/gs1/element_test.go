package gs1

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScans(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]Element{
		"]d20100301162001165\x1d21A\x1d":                 {{"01", "00301162001165"}, {"21", "A"}}, // separators where none need be
		"0100301162001165\r\n":                           {{"01", "00301162001165"}},
		"]E00301162001165":                               {{"01", "00301162001165"}},
		"]I100301162001165":                              {{"01", "00301162001165"}},
		"]E0" + "0301162001165" + "|]e017280731":         {{"01", "00301162001165"}, {"17", "280731"}},
		"(01)00301162001165(21)A(1)":                     {{"01", "00301162001165"}, {"21", "A(1)"}},
		`(01)00301162001165(21)A\(10)`:                   {{"01", "00301162001165"}, {"21", "A(10)"}},
		"https://x.example/gtin/00301162001165?exp=2807": nil,
		"]Q1https://x.example/01/00301162001165/21/A?17=280731&expdt=2807311200&a=b": {
			{"01", "00301162001165"}, {"21", "A"}, {"17", "280731"}, {"7003", "2807311200"},
		},
		"https://x.example/01/00301162001165?02=307774321097&37=1": nil, // 01 and 02 exclude each other
	} {
		els, err := ParseScan([]byte(raw))
		require.Equal(t, want == nil, err != nil, "%q: %v", raw, err)
		require.Equal(t, want, els, raw)
	}
}

func TestScansRefused(t *testing.T) {
	t.Parallel()
	for raw, rule := range map[string]Rule{
		"":                                    RuleElement,
		"\x1d":                                RuleElement,
		"]d2":                                 RuleElement,
		"]d20100301162001165\x1d\x1d21A":      RuleElement,
		"]d1010030116200116521A":              RuleSymbology,
		"]X0010030116200116521A":              RuleSymbology,
		"]E0030116200116":                     RuleGTINLength,
		"]E00301162001165|]e0":                RuleElement,
		"]d2010030116200116521A~":             RuleSerial,
		"]d2010030116200116521":               RuleSerialLen,
		"]d2010030116200116":                  RuleGTINLength,
		"]d20100301162001165890":              RuleElement,
		"]d2010030116200116517280731x":        RuleElement,
		"]d20100301162001165\x1d4324991231":   RuleValue,
		"]d2010030116200116580082312310160":   RuleValue,
		"]d200003011610012279676432499023012": RuleDate,
		"]d200003011610012279676" + "4324991231" + "2460": RuleValue,
		"]d28003105012345678901A":                         RuleValue,
		"]d201003011620011657003991231246":                RuleValue,
		"]d28004ABCD":                                     RuleValue,
		"]d2410030777100002":                              RuleGLNLength,
		"https://x.example/":                              RuleLink,
		"https://x.example/01/ABC":                        RuleGTINLength,
		"https://x.example/01/00301162001165?10=%zz":      RuleLink,
		"https://x.example/01/00301162001165?99=%zz":      RuleEscape,
		"https://x.example/01/00301162001165?17=280732":   RuleDate,
	} {
		els, err := ParseScan([]byte(raw))
		var e *Error
		require.ErrorAs(t, err, &e, raw)
		require.Equal(t, rule, e.Rule, "%q: %v", raw, err)
		require.Nil(t, els)
	}
}

func TestScanWithWrongCheckDigit(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"]d2010030116200116621A":                          "01/00301162001166/21/A",
		"]E00301162001166":                                "01/00301162001166",
		"(00)003011610012279675":                          "00/003011610012279675",
		"https://x.example/01/00301162001166/21/A":        "01/00301162001166/21/A",
		"https://x.example/8004/4012345A?01=301162001166": "8004/4012345A",
	} {
		els, err := ParseScan([]byte(raw))
		require.True(t, IsCheckDigit(err), "%q: %v", raw, err)
		id, err := IDOf(els)
		require.True(t, IsCheckDigit(err), "%q: %v", raw, err)
		require.Equal(t, want, id.Key())
	}
}

func TestIDOf(t *testing.T) {
	t.Parallel()
	// What stands on the label of a logistic unit is about the unit.
	id, err := IDOf([]Element{{"02", "00301162001165"}, {"37", "12"}, {"10", "L"}, {"00", "003011610012279676"}})
	require.NoError(t, err)
	require.Equal(t, "00/003011610012279676", id.Key())
	for rule, els := range map[Rule][]Element{
		RuleForm:       {{"10", "L"}},
		RuleElement:    {{"1", "L"}},
		RuleGTINLength: {{"01", "1"}},
		RuleSerialLen:  {{"01", "00301162001165"}, {"21", ""}},
		RuleValue:      {{"253", "12345"}},
	} {
		_, err := IDOf(els)
		var e *Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, rule, e.Rule, "%v", err)
	}
}

func TestLinkOf(t *testing.T) {
	t.Parallel()
	link, err := LinkOf("https://verify.example/api/", []Element{{"17", "280731"}, {"21", "A/1"}, {"01", "00301162001165"}, {"10", "L"}})
	require.NoError(t, err)
	require.Equal(t, "https://verify.example/api/01/00301162001165/10/L/21/A%2F1?17=280731", link)
	for _, els := range [][]Element{nil, {{"10", "L"}}, {{"89", "x"}}, {{"01", "00301162001165"}, {"254", "x"}}} {
		_, err := LinkOf("", els)
		var e *Error
		require.ErrorAs(t, err, &e)
	}
}
