package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tool runs a command as a person does.
func tool(t *testing.T, args ...string) (code int, out, talk string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), streams{&o, &e}, args)
	return code, o.String(), e.String()
}

func TestAProofIsCheckedWithPublicKeysAlone(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../ledger/testdata/vectors.json")
	require.NoError(t, err)
	var v struct {
		LedgerKey  string          `json:"ledger_key"`
		WitnessKey string          `json:"witness_key"`
		Bundle     json.RawMessage `json:"bundle"`
	}
	require.NoError(t, json.Unmarshal(raw, &v))
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	bundle, key := file("bundle.json", string(v.Bundle)), file("ledger.pub", v.LedgerKey+"\n")

	code, out, talk := tool(t, "verify-proof", bundle, "--key", key, "--witness", v.WitnessKey, "-output", "csv")
	require.Equal(t, exitOK, code, talk)
	require.Contains(t, out, "450.00")
	require.Contains(t, talk, "witness.example/w1 co-signed")

	forged := file("forged.json", strings.Replace(string(v.Bundle), `"seq": 3`, `"seq": 4`, 1))
	code, out, talk = tool(t, "verify-proof", forged, "--key", key)
	require.Equal(t, exitProblems, code)
	require.Empty(t, out)
	require.Contains(t, talk, "NOT PROVED")

	for _, args := range [][]string{
		{"verify-proof", bundle},
		{"verify-proof", "--key", key},
		{"verify-proof", bundle, "--key", "nonsense"},
		{"verify-proof", bundle, "--key", v.WitnessKey},
		{"verify-proof", key, "--key", key},
		{"prove", "transaction", "x"},
		{"prove"},
	} {
		code, _, talk = tool(t, args...)
		require.Equal(t, exitUsage, code, "%v: %s", args, talk)
	}
}

func TestKeysAreMadeOnceAndForThemselves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, state := filepath.Join(dir, "ledger.key"), filepath.Join(dir, "witness.json")
	code, public, talk := tool(t, "sealer", "key", "-name", "books.example/ledger", "-file", file)
	require.Equal(t, exitOK, code, talk)
	require.True(t, strings.HasPrefix(public, "books.example/ledger+"))
	secret, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NotContains(t, public+talk, strings.TrimSpace(string(secret)))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, _ = tool(t, "sealer", "key", "-name", "books.example/ledger", "-file", file)
	require.Equal(t, exitUsage, code, "a key is never replaced")
	pub := filepath.Join(dir, "ledger.pub")
	code, again, _ := tool(t, "sealer", "key", "-name", "books.example/ledger", "-file", file, "-public", pub)
	require.Equal(t, exitOK, code, "unattended it is kept")
	require.Equal(t, public, again)
	raw, err := os.ReadFile(pub)
	require.NoError(t, err)
	require.Equal(t, public, string(raw))
	code, _, _ = tool(t, "sealer", "key")
	require.Equal(t, exitUsage, code)

	code, _, talk = tool(t, "witness", "key", "-name", "witness.example/w1", "-file", filepath.Join(dir, "witness.key"), "-state", state)
	require.Equal(t, exitOK, code, talk)
	require.FileExists(t, state)
	code, _, _ = tool(t, "witness", "key", "-name", "witness.example/w2", "-file", filepath.Join(dir, "second.key"), "-state", state)
	require.Equal(t, exitUsage, code, "a memory is never replaced")
	code, _, talk = tool(t, "witness")
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "RECOURSE_WITNESS_STATE")
	code, _, talk = tool(t, "sealer")
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "RECOURSE_LEDGER_KEY_FILE")
}
