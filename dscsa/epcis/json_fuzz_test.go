package epcis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/epcis"
)

// FuzzJSON: whatever comes in, the reader answers with events or an Error, and
// what it took is written and read again the same, with the same hash.
func FuzzJSON(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(f, err)
	require.NotEmpty(f, seeds)
	for _, s := range seeds {
		text, err := os.ReadFile(s)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add(jsonDocument(3))
	limits := epcis.Limits{Bytes: 1 << 20, Depth: 20, Text: 1 << 12, Event: 1 << 20, Header: 1 << 20}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) == 0 || text[0] != '{' {
			return
		}
		doc, events, err := read(bytes.NewReader(text), limits)
		if err != nil {
			var refused *epcis.Error
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Rule)
			require.NotEmpty(t, refused.Where)
			return
		}
		require.True(t, json.Valid(text)) // no laxer than encoding/json
		for _, e := range events {
			again(t, epcis.JSON20, doc, e)
			again(t, epcis.XML12, doc, e)
			again(t, epcis.XML20, doc, e)
		}
	})
}

// again writes an event and reads it again.
func again(t *testing.T, f epcis.Format, doc *epcis.Document, e *epcis.Event) {
	t.Helper()
	text, err := write(f, &epcis.Document{CreationDate: time.Unix(0, 0), Namespaces: doc.Namespaces}, e)
	if err != nil {
		var refused *epcis.Error
		require.ErrorAs(t, err, &refused)
		return
	}
	_, got, err := read(bytes.NewReader(text), epcis.Limits{})
	var refused *epcis.Error
	if errors.As(err, &refused) && refused.Rule == epcis.RuleWord {
		return // a word that is none was noted and not refused where it stood
	}
	require.NoError(t, err, "%s", text)
	require.Len(t, got, 1)
	if e.Zone == "" {
		got[0].Zone = "" // every format requires one
	}
	require.Equal(t, epcis.Prehash(e), epcis.Prehash(got[0]), "%s", text)
	if f == epcis.JSON20 {
		require.Empty(t, cmp.Diff(ordered(e), ordered(got[0]), sameTime, cmpopts.EquateEmpty()), "%s", text)
	}
}

// ordered is an event without the order of fields with other names and
// without its faults, but with the kinds of its values.
func ordered(e *epcis.Event) *epcis.Event { return settled([]*epcis.Event{e})[0] }
