package gs1

import (
	"testing"
	"unicode/utf8"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"urn:epc:id:sgtin:030116.0200116.10000083546563", "urn:epc:id:sgtin:030777.0432109.K7%2F0003", "urn:epc:id:sscc:030116.01001227967",
		"urn:epc:id:sgln:120014419287..0", "urn:epc:class:lgtin:030777.0432109.77B%2FC", "urn:epc:idpat:sgtin:030001.0012345.*",
		"urn:epc:id:cpi:0614141.A%23%2F.1234", "urn:epc:id:itip:4012345.011111.01.02.987", "urn:epc:id:gid:95100000.12345.400",
		"https://x.example/a/01/00307774321097/22/2A/10/L/21/A%2FB?17=280731#x", "https://x.example/gtin/00307774321097/lot/L/ser/A?exp=280731",
		"(01)00301162001165(21)A\\(1)/B(17)280700", "DEA:AB1234567", "http://epcis.gs1us.org/hc/dea/loc/512333444", "urn:x:ö", "http://x.example/00/1",
		"https://x.example/8006/040123451234560102/10/X", "https://id.gs1.org/8003/0401234500022", "(253)4012345000092PO(8030)A",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse(s)
		if err != nil && !IsCheckDigit(err) {
			if id != (ID{}) {
				t.Fatalf("%q: an error and %+v", s, id)
			}
			return
		}
		key := id.Key()
		if !utf8.ValidString(key) || len(key) > maxPrivate+len(deaKey) {
			t.Fatalf("%q has the key %q", s, key)
		}
		back, err := ParseKey(key)
		if err != nil {
			t.Fatalf("%q: key %q: %v", s, key, err)
		}
		back.Prefix = id.Prefix
		if back != id {
			t.Fatalf("%q: %+v came back as %+v", s, id, back)
		}
		if again, err := Parse(id.DigitalLink()); err != nil && !IsCheckDigit(err) || again.Key() != key {
			t.Fatalf("%q: %q is %+v, %v", s, id.DigitalLink(), again, err)
		}
		if urn, ok := id.URN(); ok {
			if again, err := Parse(urn); err != nil || again.Key() != key {
				t.Fatalf("%q: %q is %+v, %v", s, urn, again, err)
			}
		}
	})
}

func FuzzParseScan(f *testing.F) {
	for _, s := range []string{
		"]d201003011620011652110000083546563\x1d1728073110608464T", "]C100003011610012279676", "]E02112345678900|]e099COMPOSITE\x1d98XYZ",
		"\x1d0100301162001165\x1d21A", "]Q1https://x.example/01/00307774321097/21/A?17=280731", "(01)00301162001165(21)A", "]d1x", "]I000301162001165",
		"]d2010030116200116521A\x1d423528528\x1d7007211225\x1d3925125\x1d3100123456", "8008210101235959\x1d80137", "4326999999",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		els, err := ParseScan(raw)
		if err != nil {
			if els != nil && !IsCheckDigit(err) {
				t.Fatalf("%q: an error and %v", raw, els)
			}
			return
		}
		if len(els) == 0 {
			t.Fatalf("%q: nothing", raw)
		}
		// What was cut can be put together again, with every separator.
		message := "]d2"
		for _, el := range els {
			message += el.AI + el.Value + "\x1d"
		}
		again, err := ParseScan([]byte(message))
		if err != nil || len(again) != len(els) {
			t.Fatalf("%q: %q is %v, %v", raw, message, again, err)
		}
		for i := range els {
			if els[i] != again[i] {
				t.Fatalf("%q: %v is not %v", raw, again[i], els[i])
			}
		}
		if id, err := IDOf(els); err == nil {
			if back, err := ParseKey(id.Key()); err != nil || back != id {
				t.Fatalf("%q: %+v came back as %+v, %v", raw, id, back, err)
			}
		}
	})
}
