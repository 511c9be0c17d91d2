package gs1

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSpellingsOfOneThing(t *testing.T) {
	t.Parallel()
	for key, spellings := range map[string][]string{
		"01/00307774321097/21/A%2FB%22%25%26%3C%3E%3F": {
			`urn:epc:id:sgtin:030777.0432109.A%2FB%22%25%26%3C%3E%3F`,
			`urn:epc:id:sgtin:030777.0432109.A%2fB%22%25%26%3c%3e%3f`,
			`urn:epc:id:sgtin:030777.0432109.%41/B"%25&<>?`,
			`URN:EPC:id:sgtin:030777.0432109.A%2FB%22%25%26%3C%3E%3F`,
			`https://x.example/a/b/01/00307774321097/21/A%2FB%22%25%26%3C%3E%3F?17=280731#x`,
			`http://x.example:8080/gtin/00307774321097/lot/L/ser/A%2FB%22%25%26%3C%3E%3F?exp=280731&linkType=verificationService`,
			`https://x.example/01/307774321097/22/2A/10/L/21/A%2FB%22%25%26%3C%3E%3F`,
			`(01)00307774321097(21)A/B"%&<>?`,
			`(21)A/B"%&<>?(10)L(17)280700(01)00307774321097`,
		},
		// Where the prefix ends is no part of the identity.
		"01/00307774321097/21/a": {"urn:epc:id:sgtin:030777.0432109.a", "urn:epc:id:sgtin:0307774.032109.a", "urn:epc:id:sgtin:030777432109.0.a"},
		// Case and leading zeros are.
		"01/00307774321097/21/A":  {"urn:epc:id:sgtin:030777.0432109.A"},
		"01/00307774321097/21/0A": {"urn:epc:id:sgtin:030777.0432109.0A"},
		"01/00307774321097": {
			"urn:epc:idpat:sgtin:030777.0432109.*", "https://id.gs1.org/01/00307774321097", "(01)00307774321097",
			"https://id.gs1.org/gtin/00307774321097/cpv/2A", "urn:epc:idpat:upui:030777.0432109.*",
		},
		"01/00307774321097/10/L-1":             {"urn:epc:class:lgtin:030777.0432109.L-1", "(10)L-1(01)00307774321097", "https://x.example/01/00307774321097/10/L-1"},
		"01/00307774321097/235/T%2A":           {"urn:epc:id:upui:030777.0432109.T*", "(01)00307774321097(235)T*", "https://x.example/01/00307774321097/235/T%2A"},
		"00/003011610012279676":                {"urn:epc:id:sscc:030116.01001227967", "(00)003011610012279676", "https://x.example/sscc/003011610012279676"},
		"414/0307771000025":                    {"urn:epc:id:sgln:030777.100002.0", "(414)0307771000025", "https://x.example/414/0307771000025/254/0", "https://x.example/gln/0307771000025"},
		"414/0307771000025/254/DOCK%2F4":       {"urn:epc:id:sgln:030777.100002.DOCK%2F4", "(254)DOCK/4(414)0307771000025"},
		"414/1200144192879":                    {"urn:epc:id:sgln:120014419287..0"},
		"414/0307771000025/254/00":             {"urn:epc:id:sgln:030777.100002.00"},
		"417/0307771000025":                    {"urn:epc:id:pgln:030777.100002", "(417)0307771000025", "https://x.example/partygln/0307771000025"},
		"8003/04012345000221334455":            {"urn:epc:id:grai:4012345.00022.334455", "(8003)04012345000221334455", "https://x.example/8003/04012345000221334455"},
		"8003/04012345000221":                  {"urn:epc:idpat:grai:4012345.00022.*", "https://x.example/8003/04012345000221"},
		"8004/4012345ABC345":                   {"urn:epc:id:giai:4012345.ABC345", "(8004)4012345ABC345", "https://x.example/giai/4012345ABC345"},
		"8018/401234500000067657":              {"urn:epc:id:gsrn:4012345.0000006765", "(8018)401234500000067657", "https://x.example/8018/401234500000067657/8019/7"},
		"8017/401234500000000074":              {"urn:epc:id:gsrnp:4012345.0000000007", "(8017)401234500000000074"},
		"253/4012345000092PO-4711":             {"urn:epc:id:gdti:4012345.00009.PO-4711", "(253)4012345000092PO-4711"},
		"253/98765999999929":                   {"urn:epc:id:gdti:987659999999..9"},
		"255/4012345222227":                    {"urn:epc:idpat:sgcn:4012345.22222.*", "(255)4012345222227"},
		"255/401234522222704711":               {"urn:epc:id:sgcn:4012345.22222.04711", "https://x.example/gcn/401234522222704711"},
		"8010/0614141A%23%2F/8011/1234":        {"urn:epc:id:cpi:0614141.A%23%2F.1234", "(8010)0614141A#/(8011)1234"},
		"8010/4012345AB12":                     {"urn:epc:idpat:cpi:4012345.AB12.*"},
		"8006/040123451111180102/21/987":       {"urn:epc:id:itip:4012345.011111.01.02.987", "(8006)040123451111180102(21)987"},
		"8006/040123451234560102":              {"urn:epc:idpat:itip:4012345.012345.01.02.*"},
		"8006/040123451234560102/10/XYZ":       {"https://x.example/itip/040123451234560102/22/ABCD/lot/XYZ"},
		"401/0614141xyz47%2F11":                {"urn:epc:id:ginc:0614141.xyz47%2F11", "(401)0614141xyz47/11"},
		"402/40123452223334442":                {"urn:epc:id:gsin:4012345.222333444", "(402)40123452223334442"},
		"8013/1987654Ad4X4bL5ttr2310c2K":       {"(8013)1987654Ad4X4bL5ttr2310c2K"},
		"dea/512333444":                        {"http://epcis.gs1us.org/hc/dea/loc/512333444", "DEA:512333444"},
		"dea/AB1234567":                        {"DEA:AB1234567", "dea: ab1234567"},
		"urn:epc:id:gid:95100000.12345.400":    {"urn:epc:id:gid:95100000.12345.400"},
		"urn:uuid:1b4e28ba-2fa1-11d2-883f":     {"urn:uuid:1b4e28ba-2fa1-11d2-883f"},
		"http://example.com/dock/4?x=1":        {"http://example.com/dock/4?x=1"},
		"https://example.com/01/2024":          {"https://example.com/01/2024"},
		"https://example.com/401/unauthorised": {"https://example.com/401/unauthorised"},
		"urn:epcglobal:cbv:bt:1:2":             {"urn:epcglobal:cbv:bt:1:2"},
		"urn:örtlich:Straße":                   {"urn:örtlich:Straße"},
	} {
		for _, s := range spellings {
			id, err := Parse(s)
			require.NoError(t, err, s)
			require.Equal(t, key, id.Key(), s)
			again, err := ParseKey(key)
			require.NoError(t, err, key)
			again.Prefix = id.Prefix
			require.Equal(t, id, again)
			require.Equal(t, id.Key(), parseOK(t, id.DigitalLink()).Key())
			if urn, ok := id.URN(); ok {
				require.Equal(t, key, parseOK(t, urn).Key(), urn)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for s, rule := range map[string]Rule{
		"":                                       RuleForm,
		"00301162001165":                         RuleForm, // which identifier is it?
		"not a uri":                              RuleForm,
		"a:b":                                    RuleForm,
		"urn:":                                   RuleForm,
		"urn:x:a b":                              RuleForm,
		"urn:x:a\x00b":                           RuleForm,
		"urn:x:\xff":                             RuleForm,
		"9rn:x:y":                                RuleForm,
		"u_n:x:y":                                RuleForm,
		"DEA:":                                   RuleForm,
		"DEA:AB-1234567":                         RuleForm,
		"DEA:AB1234567890123456789":              RuleForm,
		"urn:epc:":                               RuleScheme,
		"urn:epc:id:sgtin":                       RuleScheme,
		"urn:epc:id:sgtim:030777.0432109.1":      RuleScheme,
		"urn:epc:class:sgtin:030777.0432109.1":   RuleScheme,
		"urn:epc:id:lgtin:030777.0432109.1":      RuleScheme,
		"urn:epc:tag:sgtin-96:3.030777.1.1":      RuleScheme,
		"urn:epc:id:sgtin:030777":                RuleFields,
		"urn:epc:id:sgtin:030777.0432109":        RuleFields,
		"urn:epc:id:sscc:030777.50000000012.1":   RuleFields,
		"urn:epc:id:sgln:030777.100002":          RuleFields,
		"urn:epc:id:pgln:030777.100002.0":        RuleFields,
		"urn:epc:id:itip:030777.0432109.1":       RuleFields,
		"urn:epc:id:itip:030777.0432109.03.02.1": RuleValue,
		"urn:epc:id:cpi:030777.AB":               RuleFields,
		"urn:epc:id:cpi:030777.AB.012":           RuleSerial,
		"urn:epc:id:cpi:030777.ab.12":            RuleSerial,
		"urn:epc:id:cpi:030777..12":              RuleKeyLength,
		"urn:epc:id:giai:030777.":                RuleKeyLength,
		"urn:epc:id:giai:030777.1234567890123456789012345":      RuleKeyLength,
		"urn:epc:id:sgcn:4012345.22222.A":                       RuleSerial,
		"urn:epc:idpat:sgtin:030777.*.*":                        RuleSGTINLength,
		"urn:epc:idpat:sgtin:030777.0432109.1":                  RulePattern,
		"urn:epc:idpat:sscc:030777.*":                           RulePattern,
		"urn:epc:idpat:sgln:030777.100002.*":                    RulePattern,
		"urn:epc:idpat:nope:030777.100002.*":                    RulePattern,
		"urn:epc:id:sgtin:03077.70432109.1":                     RulePrefix,
		"urn:epc:id:sgtin:0307770432109..1":                     RulePrefix,
		"urn:epc:id:sgtin:03O777.0432109.1":                     RulePrefix,
		"urn:epc:id:sgtin:030777.043210X.1":                     RuleNumber,
		"urn:epc:id:sgtin:030777.043210.1":                      RuleSGTINLength,
		"urn:epc:id:sgtin:030777.04321099.1":                    RuleSGTINLength,
		"urn:epc:class:lgtin:030777.04321.1":                    RuleGTINLength,
		"urn:epc:id:sscc:030777.5000000001":                     RuleSSCCLength,
		"urn:epc:id:sgln:030378.6.0":                            RuleGLNLength,
		"urn:epc:id:pgln:030378.6":                              RuleGLNLength,
		"urn:epc:id:sgtin:030777.0432109.":                      RuleSerialLen,
		"urn:epc:id:sgln:030777.100002.":                        RuleSerialLen,
		"urn:epc:id:sgtin:030777.0432109.123456789012345678901": RuleSerialLen,
		"urn:epc:id:sgtin:030777.0432109.A B":                   RuleSerial,
		"urn:epc:id:sgtin:030777.0432109.A%20B":                 RuleSerial,
		"urn:epc:id:sgtin:030777.0432109.A#B":                   RuleSerial,
		"urn:epc:id:sgtin:030777.0432109.é":                     RuleSerial,
		"urn:epc:id:sgtin:030777.0432109.A%":                    RuleEscape,
		"urn:epc:id:sgtin:030777.0432109.A%2":                   RuleEscape,
		"urn:epc:id:giai:030777.A%zz":                           RuleEscape,
		"https://id.gs1.org/8004/4012345%zz":                    RuleEscape,
		"urn:epc:id:sgtin:030777.0432109.A%zz":                  RuleEscape,
		"(01)00307774321090(21)A":                               RuleGTINCheck,
		"https://x.example/00/003011610012279675":               RuleSSCCCheck,
		"https://x.example/414/0307771000024":                   RuleGLNCheck,
		"https://x.example/8018/401234500000067650":             RuleKeyCheck,
		"(8013)1987654Ad4X4bL5ttr2310c2L":                       RuleKeyCheck,
		"https://x.example/01/0030777432109":                    RuleGTINCheck, // 13 digits are a GTIN-13
		"https://x.example/01/00307774321/21/A":                 RuleGTINLength,
		"https://x.example/01/003077743210971/21/A":             RuleGTINLength,
		"https://id.gs1.org/01/ABC":                             RuleGTINLength,
		"https://x.example/00/00301161001227967":                RuleSSCCLength,
		"https://x.example/01/00307774321097/21/":               RuleSerialLen,
		"https://x.example/01/00307774321097/21/A%20":           RuleSerial,
		"https://x.example/01/00307774321097/21/A%2":            RuleEscape,
		"https://x.example/01/00307774321097/21/A/10/L":         RuleLink, // wrong order
		"https://x.example/01/00307774321097/21/A/":             RuleLink,
		"https://x.example/a b/01/00307774321097":               RuleLink,
		"https://x.example/01/00307774321097?x=<y>":             RuleLink,
		"https://x.example/01/00307774321097?21=A":              RuleLink,
		"https://x.example/01/00307774321097?ser=A":             RuleLink,
		"https://id.gs1.org/":                                   RuleLink,
		"https://id.gs1.org/payTo/0307771000025/refno/7":        RuleLink,
		"https://id.gs1.org/payTo/0307771000025/8020/7":         RuleForm, // a payment slip
		"https:/x.example/01/00307774321097":                    RuleLink,
		"(01)00307774321097(21)A(17)280732":                     RuleDate,
		"(01)00307774321097(17)280230":                          RuleDate,
		"(01)00307774321097(17)280031":                          RuleDate,
		"(21)A":                                                 RuleAssociation,
		"(01)00307774321097(01)00301162001165":                  RuleAssociation,
		"(01)00307774321097(21)A(99)x(89)y":                     RuleElement,
		"(90)A":                                                 RuleForm,
		"(01)0030777432109":                                     RuleGTINLength,
		"(01)0030777432109X":                                    RuleGTINLength,
	} {
		id, err := Parse(s)
		var e *Error
		require.ErrorAs(t, err, &e, s)
		require.Equal(t, rule, e.Rule, "%s: %v", s, err)
		require.NotEmpty(t, e.Detail)
		if IsCheckDigit(err) {
			require.NotEmpty(t, id.Number, "as spelled: %s", s)
			again, err := ParseKey(id.Key())
			require.NoError(t, err)
			require.Equal(t, id, again)
			_, ok := id.URN()
			require.False(t, ok, "a URN would right the check digit of %s", s)
		} else {
			require.Zero(t, id, s)
		}
	}
}

func TestFaultsAreShort(t *testing.T) {
	t.Parallel()
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'x'
	}
	for _, s := range []string{"urn:x:" + string(long), "urn:epc:id:sgtin:" + string(long), "https://x.example/01/00307774321097/21/" + string(long), "(01)" + string(long)} {
		_, err := Parse(s)
		require.Error(t, err)
		require.Less(t, len(err.Error()), 300)
	}
}

func TestNotKeys(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "01", "01/", "01/00307774321097/", "01/307774321097", "01/00307774321097/10/L/21/A", "01/00307774321097?17=280731",
		"x/01/00307774321097", "414/0307771000025/254/0", "01/00307774321097/21/%41", "01/00307774321097/21/A/B", "dea/ab1", "dea/",
		"urn:epc:id:sgtin:030777.0432109.A", "(01)00307774321097", "https://id.gs1.org/01/00307774321097", "DEA:A1",
		"gtin/00307774321097", "01/00307774321097#x",
	} {
		_, err := ParseKey(s)
		require.Error(t, err, s)
	}
}

func TestURN(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"https://x.example/01/00301162001165/21/A%28%29": "urn:epc:id:sgtin:030116.0200116.A()",
		"(01)50369999123455(10)L":                        "urn:epc:class:lgtin:0369999.512345.L",
		"(01)50369999123455":                             "urn:epc:idpat:sgtin:0369999.512345.*",
		"(01)04012345123456(21)A":                        "", // where does 4012345 end?
		"(00)003011610012279676":                         "",
		"http://example.com/dock/4":                      "http://example.com/dock/4",
		"DEA:AB1234567":                                  "http://epcis.gs1us.org/hc/dea/loc/AB1234567",
		"urn:epc:id:sgtin:030777.0432109.%41%2f":         "urn:epc:id:sgtin:030777.0432109.A%2F",
	} {
		urn, ok := parseOK(t, s).URN()
		require.Equal(t, want != "", ok, s)
		require.Equal(t, want, urn, s)
	}
}

func TestClassesAndParts(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]struct {
		class     bool
		gtin, gln string
	}{
		"urn:epc:id:sgtin:030777.0432109.A":         {false, "00307774321097", ""},
		"urn:epc:idpat:sgtin:030777.0432109.*":      {true, "00307774321097", ""},
		"urn:epc:class:lgtin:030777.0432109.L":      {true, "00307774321097", ""},
		"urn:epc:id:itip:4012345.011111.01.02.987":  {false, "04012345111118", ""},
		"urn:epc:idpat:itip:4012345.011111.01.02.*": {true, "04012345111118", ""},
		"urn:epc:idpat:grai:4012345.00022.*":        {true, "", ""},
		"urn:epc:id:grai:4012345.00022.1":           {false, "", ""},
		"urn:epc:id:sgln:030777.100002.0":           {false, "", "0307771000025"},
		"urn:epc:id:pgln:030777.100002":             {false, "", "0307771000025"},
		"urn:epc:id:sscc:030116.01001227967":        {false, "", ""},
		"http://example.com/dock/4":                 {false, "", ""},
	} {
		id := parseOK(t, s)
		require.Equal(t, want.class, id.IsClass(), s)
		require.Equal(t, want.gtin, id.GTIN(), s)
		require.Equal(t, want.gln, id.GLN(), s)
	}
	number, ok := parseOK(t, "DEA:AB1234567").IsDEA()
	require.True(t, ok)
	require.Equal(t, "AB1234567", number)
	for _, s := range []string{"http://example.com/dea/4", "urn:epc:id:sscc:030116.01001227967"} {
		_, ok = parseOK(t, s).IsDEA()
		require.False(t, ok)
	}
	require.Equal(t, "sgtin", SGTIN.String())
	require.Equal(t, "unknown", Kind(200).String())
}

func TestCheckDigit(t *testing.T) {
	t.Parallel()
	require.Equal(t, byte('5'), CheckDigit("0030116200116"))
	require.Equal(t, byte('6'), CheckDigit("00301161001227967"))
	require.Equal(t, byte('0'), CheckDigit(""))
	require.Zero(t, CheckDigit("12A"))
	require.True(t, ValidGTIN("00301162001165"))
	require.False(t, ValidGTIN("0301162001165"))
	require.True(t, ValidSSCC("003011610012279676"))
	require.False(t, ValidSSCC("00301161001227967X"))
	require.True(t, ValidGLN("0307771000018"))
	require.False(t, ValidGLN("0307771000019"))
	require.False(t, ValidGLN("030777100001"))
}

func TestGLNOf(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"0307771000025":                       "0307771000025",
		" 0307771000025\n":                    "0307771000025",
		"urn:epc:id:sgln:030777.100002.X":     "0307771000025",
		"urn:epc:id:pgln:030777.100002":       "0307771000025",
		"https://x.example/414/0307771000025": "0307771000025",
		"https://x.example/417/0307771000025": "0307771000025",
		"(414)0307771000025":                  "0307771000025",
	} {
		gln, err := GLNOf(s)
		require.NoError(t, err, s)
		require.Equal(t, want, gln)
	}
	for _, s := range []string{"0307771000024", "https://x.example/414/0307771000024", "(417)0307771000024"} {
		gln, err := GLNOf(s)
		require.True(t, IsCheckDigit(err), s)
		require.Equal(t, "0307771000024", gln)
		require.ErrorContains(t, err, "should be 5")
	}
	for s, rule := range map[string]Rule{
		"":                                  RuleForm,
		"030777100002":                      RuleGLNLength,
		"03077710000255":                    RuleGLNLength,
		"030777100002X":                     RuleForm,
		"urn:epc:id:sgln:030777.10000.0":    RuleGLNLength,
		"urn:epc:id:sgtin:030777.0432109.A": RuleForm,
		"(01)00307774321090":                RuleForm,
	} {
		gln, err := GLNOf(s)
		var e *Error
		require.ErrorAs(t, err, &e, s)
		require.Equal(t, rule, e.Rule, s)
		require.Empty(t, gln)
		require.False(t, IsCheckDigit(err))
	}
	require.False(t, IsCheckDigit(nil))
}

func TestDate(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"280731": "2028-07-31", "280700": "2028-07-31", "280200": "2028-02-29", "290200": "2029-02-28", "281200": "2028-12-31",
		"760101": "2076-01-01", "770101": "1977-01-01", "000229": "2000-02-29", "261125": "2026-11-25", "991231": "1999-12-31",
	} {
		day, err := Date(in, now)
		require.NoError(t, err, in)
		require.Equal(t, want, day.Format(time.DateOnly), in)
	}
	late := time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	for in, want := range map[string]int{"110301": 2011, "100301": 2110, "000301": 2100, "990301": 2099} {
		day, err := Date(in, late)
		require.NoError(t, err)
		require.Equal(t, want, day.Year(), in)
	}
	_, err := Date("000229", late) // 2100 is no leap year
	require.Error(t, err)
	for _, in := range []string{"", "28073", "2807311", "280732", "281301", "280001", "290229", "2a0101", "-10101"} {
		_, err := Date(in, now)
		var e *Error
		require.ErrorAs(t, err, &e, in)
		require.Equal(t, RuleDate, e.Rule)
	}
}
