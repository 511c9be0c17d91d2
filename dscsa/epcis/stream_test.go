package epcis_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// TestMemoryDoesNotGrowWithTheDocument reads a document of 20 MB, or of 500 MB
// with RECOURSE_LONG=1, that is made as it is read.
//
//nolint:paralleltest // measures the heap, which nobody else may fill
func TestMemoryDoesNotGrowWithTheDocument(t *testing.T) {
	const perEvent, most = 1000, 4 << 20 // bytes
	size := 20 << 20
	if os.Getenv("RECOURSE_LONG") != "" {
		size = 500 << 20
	}
	source := &generated{n: size / perEvent}
	r, err := epcis.NewReader(source, epcis.Limits{})
	require.NoError(t, err)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	first := uint64(0)
	seen := 0
	for ; ; seen++ {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch {
		case seen == 100:
			first = heap()
		case seen%10_000 == 0 && first > 0:
			require.Less(t, heap(), first+most, "after %d events", seen)
		}
	}
	require.Equal(t, source.n, seen)
	require.Greater(t, source.size, int64(size)*3/4)
	t.Logf("%d events, %d MB; RECOURSE_LONG=1 reads 500", seen, source.size>>20)
}
