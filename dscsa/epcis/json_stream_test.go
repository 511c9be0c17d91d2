package epcis_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// jsonEvents is a document of n events that is made as it is read.
type jsonEvents struct {
	n, made int
	size    int64
	rest    bytes.Buffer
}

func (g *jsonEvents) Read(p []byte) (int, error) {
	for g.rest.Len() == 0 {
		switch {
		case g.made == 0:
			g.rest.Write(bytes.TrimSuffix(jsonDocument(1), []byte("]}}")))
		case g.made < g.n:
			g.rest.WriteByte(',')
			jsonEvent(&g.rest, g.made)
		case g.made == g.n:
			g.rest.WriteString("]}}")
		default:
			return 0, io.EOF
		}
		g.made++
	}
	n, err := g.rest.Read(p)
	g.size += int64(n)
	return n, err
}

// TestMemoryDoesNotGrowWithJSON reads a document of 20 MB, or of 500 MB with
// RECOURSE_LONG=1, that is made as it is read, and writes it again.
//
//nolint:paralleltest // measures the heap, which nobody else may fill
func TestMemoryDoesNotGrowWithJSON(t *testing.T) {
	const perEvent, most = 660, 4 << 20 // bytes
	size := 20 << 20
	if os.Getenv("RECOURSE_LONG") != "" {
		size = 500 << 20
	}
	source := &jsonEvents{n: size / perEvent}
	r, err := epcis.NewReader(source, epcis.Limits{})
	require.NoError(t, err)
	w, err := epcis.NewWriter(io.Discard, epcis.XML12, &epcis.Document{CreationDate: noon})
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
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.NoError(t, w.Write(e))
		switch {
		case seen == 100:
			first = heap()
		case seen%10_000 == 0 && first > 0:
			require.Less(t, heap(), first+most, "after %d events", seen)
		}
	}
	require.NoError(t, w.Close())
	require.Equal(t, source.n, seen)
	require.Greater(t, source.size, int64(size)*3/4)
	t.Logf("%d events, %d MB; RECOURSE_LONG=1 reads 500", seen, source.size>>20)
}
