package db_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A setting that outlives its transaction would leak to the next user of a
// pooled connection: the tenant is only ever set transaction-locally.
func TestNoSettingOutlivesItsTransaction(t *testing.T) {
	t.Parallel()
	never := regexp.MustCompile(`(?i)set_config\([^)]*,\s*false\s*\)|\bset session\b|\bset app\.`)
	looked := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".sql") && !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		looked++
		require.False(t, never.Match(raw), "%s sets something for the whole session", path)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, looked, 100)
}
