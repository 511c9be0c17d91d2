package ledger

import (
	"strconv"
	"strings"
)

// minorDigits holds the currencies of ISO 4217 (active codes, 2025) with the
// number of digits of their minor unit. Codes without a minor unit of account
// (metals, funds, test codes) are left out: nobody is paid in them.
var minorDigits = func() map[string]int {
	m := map[string]int{}
	for digits, codes := range map[int]string{
		0: "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf",
		2: "aed afn all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf cny cop crc cup cve " +
			"czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs " +
			"khr kpw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr " +
			"nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs " +
			"tmt top try ttd twd tzs uah usd uyu uzs ves wst xcd xcg yer zar zmw zwg",
		3: "bhd iqd jod kwd lyd omr tnd",
		4: "uyw",
	} {
		for _, code := range strings.Fields(codes) {
			m[code] = digits
		}
	}
	return m
}()

// KnownCurrency reports whether code is an ISO 4217 currency in lower case.
func KnownCurrency(code string) bool {
	_, ok := minorDigits[code]
	return ok
}

// MinorDigits is the number of decimal digits of a currency's minor unit, and
// 2 for a currency that is not known.
func MinorDigits(code string) int {
	if n, ok := minorDigits[code]; ok {
		return n
	}
	return 2
}

// FormatAmount writes minor units as a plain decimal with the currency's own
// digits and no separators: 150000 usd is 1500.00, 150000 jpy is 150000.
func FormatAmount(minor int64, currency string) string {
	digits := MinorDigits(currency)
	s := strconv.FormatInt(minor, 10)
	if digits == 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for len(s) <= digits {
		s = "0" + s
	}
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}
