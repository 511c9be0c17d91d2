package check

import (
	"fmt"
	"hash/maphash"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/gs1"
)

// The short way of reading an identifier and the long one know the same thing,
// and the same in every spelling.
func TestFastIsParse(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[0-9]{5,13}`).Draw(t, "prefix")
		serial := rapid.StringMatching(`[A-Za-z0-9_-]{0,22}|[!-~]{1,20}`).Draw(t, "serial")
		scheme, total := "sgtin", 13
		if rapid.Bool().Draw(t, "sscc") {
			scheme, total = "sscc", 17
		}
		reference := rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", max(0, total-len(prefix)+rapid.IntRange(-1, 1).Draw(t, "off")))).Draw(t, "reference")
		urn := "urn:epc:id:" + scheme + ":" + prefix + "." + reference
		if scheme == "sgtin" || rapid.IntRange(0, 9).Draw(t, "extra") == 0 {
			urn += "." + serial
		}
		short, ok := c.fast(urn, nil)
		id, err := gs1.Parse(urn)
		if !ok {
			return // the long way decides
		}
		require.NoError(t, err, urn)
		require.Equal(t, id.Kind, short.kind, urn)
		require.Equal(t, number(id.GTIN()), short.gtin, urn)
		long, err := c.parse(id.DigitalLink())
		require.NoError(t, err, urn)
		require.Equal(t, short, long, urn)
	})
}

func TestFastTakesWhatIsCommon(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	for _, s := range []string{
		"urn:epc:id:sgtin:0377777.012345.100000000001", "urn:epc:id:sgtin:030001.0012345.A-1", "urn:epc:id:sgtin:037777700123.0.1",
		"urn:epc:id:sscc:0377777.0000000001", "urn:epc:id:sscc:030001.41234567890",
	} {
		_, ok := c.fast(s, nil)
		require.True(t, ok, s)
	}
}

// What stays in memory of a document is told by the number of its serials.
func TestMemoryOfAUnit(t *testing.T) { //nolint:paralleltest // it measures the heap
	const n = 1_000_000
	seed := maphash.MakeSeed()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	units := newTable()
	for i := range uint64(n) {
		units.of(maphash.Comparable(seed, i) | 1)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(units)
	require.Less(t, (after.HeapAlloc-before.HeapAlloc)/n, uint64(52))
	t.Logf("%d bytes each", (after.HeapAlloc-before.HeapAlloc)/n)
}

func TestDEANumber(t *testing.T) {
	t.Parallel()
	require.True(t, validDEA("AB1234563"))
	for _, s := range []string{"AB1234567", "AB123456", "AB12345O3", "1B1234563x", ""} {
		require.False(t, validDEA(s), s)
	}
}

func TestNDCDigits(t *testing.T) {
	t.Parallel()
	for ndc, want := range map[string][]uint64{
		"0001-0123-45":  {1012345},
		"77777-123-45":  {7777712345},
		"77777-1234-5":  {7777712345},
		"05515494495":   {5515494495},
		"77777012345":   {7777712345},
		"21922004917":   {2192204917},
		"7777-7123-450": nil,
		"NDC 1":         nil,
	} {
		got, ok := ndcDigits(ndc)
		require.Equal(t, want, got, ndc)
		require.Equal(t, want != nil, ok, ndc)
	}
}
