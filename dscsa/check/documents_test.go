package check_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/check"
	"github.com/recourse/recourse/dscsa/epcis"
)

// expected is a line of testdata/verdicts.txt.
type expected struct {
	file    string
	verdict check.Verdict
	rules   []string
}

func verdicts(t *testing.T) (all []expected) {
	t.Helper()
	raw, err := os.ReadFile("testdata/verdicts.txt")
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		line, _, _ = strings.Cut(line, "#")
		if words := strings.Fields(line); len(words) > 1 {
			all = append(all, expected{words[0], check.Verdict(words[1]), words[2:]})
		}
	}
	return all
}

func whole(t *testing.T, file string) check.Report {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	r, err := check.Whole(bytes.NewReader(raw), epcis.Limits{}, check.Options{Now: now})
	require.NoError(t, err)
	return r
}

func rulesOf(r check.Report) []string {
	var names []string
	for _, f := range r.Findings {
		names = append(names, f.Rule)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Each document of testdata breaks the rules it is listed with and no others.
func TestDocuments(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{"verdicts.txt": true}
	for _, want := range verdicts(t) {
		listed[want.file] = true
		t.Run(want.file, func(t *testing.T) {
			t.Parallel()
			r := whole(t, filepath.Join("testdata", want.file))
			slices.Sort(want.rules)
			require.Equal(t, want.rules, append([]string{}, rulesOf(r)...), "%v", r.Findings)
			require.Equal(t, want.verdict, r.Verdict)
			for _, f := range r.Findings {
				require.NotEmpty(t, f.Where)
				require.NotEmpty(t, f.Message)
			}
		})
	}
	files, err := os.ReadDir("testdata")
	require.NoError(t, err)
	for _, f := range files {
		require.True(t, f.IsDir() || listed[f.Name()], "testdata/%s is not in verdicts.txt", f.Name())
	}
}

// The documentation is the catalogue. After a change of it:
// UPDATE_DOCS=1 go test ./dscsa/check -run TestDocumentation
func TestDocumentation(t *testing.T) {
	t.Parallel()
	const file = "../../docs/checks.md"
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(file, []byte(check.Markdown()), 0o600))
	}
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(check.Markdown(), string(raw)))
}

func TestCatalogueIsWhole(t *testing.T) {
	t.Parallel()
	for _, r := range check.Rules() {
		require.Regexp(t, `^[a-z]+(-[a-z]+)*$`, r.Name)
		require.Contains(t, []check.Severity{check.Error, check.Warning, check.Info}, r.Severity, r.Name)
		require.Contains(t, []check.Verdict{check.Accept, check.Flag, check.Reject}, r.Verdict, r.Name)
		require.Equal(t, r.Severity == check.Info, r.Verdict == check.Accept, "%s: what is only worth knowing changes nothing, and the other way round", r.Name)
		require.NotEmpty(t, r.Meaning, r.Name)
		require.NotEmpty(t, r.Source, r.Name)
	}
}
