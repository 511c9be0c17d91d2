package check_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// What is wrong does not depend on the order in which a document lists its
// events. Two documents are left out: whether a thing was in a container when
// something else was put into it is followed as the document tells it.
func TestOrderOfEventsChangesNothing(t *testing.T) {
	t.Parallel()
	for _, file := range []string{
		"clean_r13.xml", "clean_repack.xml", "clean_emptied.xml", "clean_resold.xml", "clean_corrected.xml", "double-parent.xml",
		"double-parent-earlier.xml", "use-before-commissioning.xml", "event-after-decommissioning.xml", "serial-duplicate.xml", "case-mixed.xml",
		"commissioning-missing.xml", "ship-expired.xml", "packages-unknown.xml", "event-id-reused.xml", "lot-expiry-conflict.xml",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(filepath.Join("testdata", file))
			require.NoError(t, err)
			doc, events := read(t, raw)
			report := func(events []*epcis.Event) check.Report {
				c := check.New(check.Options{Now: now})
				c.Document(doc)
				for _, e := range events {
					c.Event(e)
				}
				return c.Report()
			}
			want := report(events)
			rapid.Check(t, func(t *rapid.T) {
				got := report(rapid.Permutation(events).Draw(t, "events"))
				require.Equal(t, want.Verdict, got.Verdict, "%v", got.Findings)
				require.Equal(t, rulesOf(want), rulesOf(got), "%v", got.Findings)
			})
		})
	}
}

// FuzzWhole: no document brings the checks down, and a verdict always has its
// reason.
func FuzzWhole(f *testing.F) {
	files, err := filepath.Glob("testdata/*.*ml")
	require.NoError(f, err)
	more, err := filepath.Glob("testdata/*.json")
	require.NoError(f, err)
	for _, file := range append(files, more...) {
		raw, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := check.Whole(bytes.NewReader(raw), epcis.Limits{}, check.Options{Now: now})
		require.NoError(t, err)
		worst := check.Accept
		for _, found := range r.Findings {
			rule, ok := check.RuleNamed(found.Rule)
			require.True(t, ok, found.Rule)
			worst = worst.Worse(rule.Verdict)
		}
		require.Equal(t, worst, r.Verdict)
	})
}
