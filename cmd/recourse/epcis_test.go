package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidatePrintsALineForEachFile(t *testing.T) {
	t.Parallel()
	files := "../../dscsa/check/testdata/"
	code, out, talk := tool(t, "epcis", "validate", files+"clean_r13.xml", files+"clean.json")
	require.Equal(t, exitOK, code, talk)
	require.Empty(t, talk)
	require.Equal(t, `{"file":"`+files+`clean_r13.xml","verdict":"accept","format":"xml-1.2","events":6,"byType":{"AggregationEvent":2,"ObjectEvent":4},"findings":[]}`,
		strings.SplitN(out, "\n", 2)[0])

	gone := filepath.Join(t.TempDir(), "gone.xml")
	code, out, talk = tool(t, "epcis", "validate", files+"serial-duplicate.xml", gone, files+"bad-action.json", files+"clean_r12.xml")
	require.Equal(t, exitProblems, code)
	require.Contains(t, talk, "gone.xml: no such file")
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 4)
	want := []struct{ verdict, format, rule string }{
		{"flag", "xml-1.2", "serial-duplicate"},
		{"reject", "", "read"},
		{"reject", "json-2.0", "bad-action"},
		{"accept", "xml-1.2", ""},
	}
	for i, line := range lines {
		var l checkedFile
		require.NoError(t, json.Unmarshal([]byte(line), &l))
		require.Equal(t, want[i].verdict, string(l.Verdict), line)
		require.Equal(t, want[i].format, string(l.Format), line)
		if want[i].rule == "" {
			require.Empty(t, l.Findings, line)
			continue
		}
		require.Equal(t, want[i].rule, l.Findings[0].Rule, line)
		require.NotEmpty(t, l.Findings[0].Where, line)
	}
}

func TestValidateSaysHowItIsCalled(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"epcis"}, {"epcis", "check"}, {"epcis", "validate"}, {"epcis", "validate", "-findings", "0", "x.xml"}} {
		code, out, talk := tool(t, args...)
		require.Equal(t, exitUsage, code, args)
		require.Empty(t, out)
		require.Contains(t, talk, "recourse epcis validate")
	}
	code, _, talk := tool(t, "epcis", "validate", "--help")
	require.Equal(t, exitOK, code)
	require.Contains(t, talk, "Exit code")
}
