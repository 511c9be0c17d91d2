package check

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The table finds what was put into it and nothing else, also where hashes
// share their slots and their tags and while it grows.
func TestTableFindsUnits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slots := rapid.SampledFrom([]uint64{8, 1 << 10, 1 << 20}).Draw(t, "slots")
		tags := rapid.SampledFrom([]uint64{4, 256}).Draw(t, "tags")
		// An index into all the hashes there can be: slot, tag, and eight more.
		picks := rapid.SliceOfN(rapid.Uint64Range(0, slots*tags*8-1), 1500, 3000).Draw(t, "hashes")
		table, want := newTable(), map[uint64]uint32{}
		for _, p := range picks {
			hash := p%slots<<32 | p/slots%tags<<24 | p/slots/tags<<1 | 1
			i, _ := table.find(hash)
			require.Equal(t, want[hash], i)
			i = table.of(hash)
			require.NotZero(t, i)
			if want[hash] == 0 {
				require.Equal(t, uint32(len(want)+1), i)
				want[hash] = i
			}
			require.Equal(t, want[hash], i)
		}
		for hash, n := range want {
			i, _ := table.find(hash)
			require.Equal(t, n, i)
			require.Equal(t, hash, table.at(i).hash)
		}
	})
}
