package check_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// ofTheFormat are findings about how something is written, not about what.
var ofTheFormat = []string{
	"cbv-word-draft", "cbv-word-unknown", "us-step-unknown", "unknown-word", "reference-type-unknown", "sender-missing", "schema-version",
	"element-order", "element-nesting", "qualified-element", "element-name", "unknown-extension", "unknown-attribute", "vocabulary-form",
	"document-namespace", "processing-instruction", "empty-doctype", "unknown-header-element", "bad-header-time", "header-party",
	"foreign-event", "foreign-context", "two-event-ids", "single-event", "time-without-zone", "bad-record-time", "bad-declaration-time",
	"missing-place-id", "empty-identifier",
}

func ofTheContent(r check.Report) []string {
	return slices.DeleteFunc(append([]string{}, rulesOf(r)...), func(rule string) bool { return slices.Contains(ofTheFormat, rule) })
}

// The same events are as good or bad in whatever format they come.
func TestFormatChangesNothing(t *testing.T) {
	t.Parallel()
	written := 0
	for _, d := range verdicts(t) {
		if d.verdict == check.Reject {
			continue
		}
		raw, err := os.ReadFile(filepath.Join("testdata", d.file))
		require.NoError(t, err)
		want, err := check.Whole(bytes.NewReader(raw), epcis.Limits{}, check.Options{Now: now})
		require.NoError(t, err)
		doc, events := read(t, raw)
		for _, format := range []epcis.Format{epcis.XML12, epcis.XML20, epcis.JSON20} {
			out, err := write(format, doc, events)
			var e *epcis.Error
			if errors.As(err, &e) && e.Rule == epcis.RuleUnwritable {
				continue // there is no place for it
			}
			require.NoError(t, err, d.file)
			written++
			got, err := check.Whole(bytes.NewReader(out), epcis.Limits{}, check.Options{Now: now})
			require.NoError(t, err)
			require.Equal(t, format, got.Format)
			require.Equal(t, ofTheContent(want), ofTheContent(got), "%s as %s: %v", d.file, format, got.Findings)
		}
	}
	require.Greater(t, written, 200)
}

func write(format epcis.Format, doc *epcis.Document, events []*epcis.Event) ([]byte, error) {
	var out bytes.Buffer
	w, err := epcis.NewWriter(&out, format, doc)
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if err := w.Write(e); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}
