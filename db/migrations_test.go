package db_test

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write CHECKSUMS, for a migration no database has applied yet")

func files(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob("migrations/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, all)
	return all
}

// A migration that a database has applied is never edited: a new one follows.
func TestAppliedMigrationsAreNotEdited(t *testing.T) {
	t.Parallel()
	var sums strings.Builder
	for _, path := range files(t) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		sum := sha256.Sum256(raw)
		fmt.Fprintf(&sums, "%s  %s\n", hex.EncodeToString(sum[:]), path)
	}
	if *update {
		require.NoError(t, os.WriteFile("CHECKSUMS", []byte(sums.String()), 0o600))
	}
	have, err := os.ReadFile("CHECKSUMS")
	require.NoError(t, err)
	require.Equal(t, string(have), sums.String(), "a migration was edited; write a new one. Only what no database has applied may change: go test ./db -update")
}

// Rules a reviewer would otherwise have to remember.
func TestMigrationsFollowTheRules(t *testing.T) {
	t.Parallel()
	comment := regexp.MustCompile(`(?m)--.*$`)
	table := regexp.MustCompile(`(?is)create table ([a-z_.]+)\s*\((.*?)\n\)[^;]*;`)
	for _, path := range files(t) {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Regexp(t, `^\d{14}_[a-z0-9_]+\.sql$`, filepath.Base(path))
		text := string(raw)
		require.Contains(t, text, "-- +goose Up", path)
		require.Regexp(t, `(?m)^set role (recourse_owner|ledger_owner|custody_owner|audit_owner);`, text, "%s: say who will own what is made", path)
		require.Regexp(t, `(?m)^reset role;`, text, path)
		sql := comment.ReplaceAllString(text, "")
		made := map[string]bool{}
		for _, m := range table.FindAllStringSubmatch(sql, -1) {
			made[m[1]] = true
			for line := range strings.SplitSeq(strings.ToLower(m[2]), "\n") {
				if strings.HasPrefix(strings.TrimSpace(line), "constraint ") {
					continue
				}
				require.NotRegexp(t, `^\s*(primary key|unique|check|foreign key)\b|\s(primary key|unique|references)\b|\scheck \(`, line,
					"%s: table %s has a constraint without a name", path, m[1])
			}
			require.Regexp(t, `alter table `+regexp.QuoteMeta(m[1])+`\s+force\s+row level security`, sql, "%s: table %s does not force row-level security", path, m[1])
		}
		for _, m := range regexp.MustCompile(`(?i)create (?:unique )?index (concurrently )?[a-z_]+ on ([a-z_.]+)`).FindAllStringSubmatch(sql, -1) {
			require.True(t, m[1] != "" || made[m[2]], "%s: an index on the existing table %s must be made concurrently", path, m[2])
		}
		for _, never := range []string{`(?i)\bdrop (table|column)\b`, `(?i)\balter column \S+ type\b`, `(?i)\bvacuum full\b`} {
			require.NotRegexp(t, never, sql, "%s: migrations expand; what nobody uses any more goes in a later release", path)
		}
	}
}
