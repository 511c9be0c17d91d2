package gs1

import "testing"

var sink int

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"sgtin", "urn:epc:id:sgtin:030116.0200116.10000083546563"},
		{"escaped", "urn:epc:id:sgtin:030777.0432109.K7%2F0003"},
		{"sscc", "urn:epc:id:sscc:030116.01001227967"},
		{"sgln", "urn:epc:id:sgln:030116.000000.0"},
		{"link", "https://id.gs1.org/01/00301162001165/21/10000083546563"},
		{"bracketed", "(01)00301162001165(21)10000083546563"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				id, err := Parse(c.in)
				if err != nil {
					b.Fatal(err)
				}
				sink += len(id.Number)
			}
		})
	}
}

func BenchmarkAppendKey(b *testing.B) {
	id, err := Parse("urn:epc:id:sgtin:030777.0432109.K7%2F0003")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = id.AppendKey(buf[:0])
	}
	sink += len(buf)
}

func BenchmarkKey(b *testing.B) {
	id, err := Parse("urn:epc:id:sgtin:030116.0200116.10000083546563")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sink += len(id.Key())
	}
}

func BenchmarkScan(b *testing.B) {
	raw := []byte("]d201003011620011652110000083546563\x1d1728073110608464T")
	b.ReportAllocs()
	for b.Loop() {
		els, err := ParseScan(raw)
		if err != nil {
			b.Fatal(err)
		}
		sink += len(els)
	}
}
