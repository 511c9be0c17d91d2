package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

func TestVerifySaysByItsExitCodeWhatItFound(t *testing.T) {
	if os.Getenv("RECOURSE_DATABASE_URL") != "" {
		t.Skip("RECOURSE_DATABASE_URL is set: it goes before what this test gives")
	}
	t.Parallel()
	db := pgtest.New(t)
	book := ledger.Main(db.Tenant())
	x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700)
	results, err := ledgerpg.New(db.Pool("app_worker")).Post(t.Context(), book, []ledger.Transaction{x})
	require.NoError(t, err)
	require.NoError(t, results[0].Err())
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := ledgerpg.NewSeals(db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	c, signed, _, err := seals.Seal(t.Context(), due[0], key)
	require.NoError(t, err)

	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	found, err := json.Marshal(map[string]any{"ledger_key": key.String(), "database_urls": map[string]string{"auditor_ro": db.URL("auditor_ro")}})
	require.NoError(t, err)
	dev, kept, state := file("dev.json", found), file("kept", signed), filepath.Join(dir, "state.json")

	code, out, talk := tool(t, "verify", "-dev", dev, "-output", "json", "-from-checkpoint", kept, "-state", state)
	require.Equal(t, exitOK, code, talk)
	var report ledgerpg.Report
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.True(t, report.Signatures)
	require.Equal(t, int64(1), report.Books[0].Checkpoints)
	require.NoFileExists(t, state, "a run that ended leaves nothing to go on from")

	c.Size = 9
	more, err := seal.Sign(c, key)
	require.NoError(t, err)
	code, out, talk = tool(t, "verify", "-dev", dev, "-output", "csv", "-from-checkpoint", file("more", more))
	require.Equal(t, exitProblems, code)
	require.Contains(t, out, "the end was cut off")
	require.Contains(t, talk, "the first bad sequence is 2")

	stranger, err := seal.NewKey(key.Name, seal.ForLog)
	require.NoError(t, err)
	code, _, talk = tool(t, "verify", "-dev", dev, "-key", stranger.String())
	require.Equal(t, exitProblems, code)
	require.NotContains(t, talk, "no -key")

	code, _, _ = tool(t, "verify", "-dev", dev, "-key", stranger.String(), "-from-checkpoint", kept)
	require.Equal(t, exitUsage, code, "a kept checkpoint by another key says nothing")

	code, _, talk = tool(t, "verify", "-dev", filepath.Join(dir, "nothing"))
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "make run")
	code, _, _ = tool(t, "verify", "-dev", dev, "-from-checkpoint", dev)
	require.Equal(t, exitUsage, code)
	code, _, _ = tool(t, "verify", "-dev", dev, "-state", dev+"/x")
	require.Equal(t, exitUsage, code)
	blind := file("blind.json", []byte(strings.ReplaceAll(string(found), db.URL("auditor_ro"), db.URL("app_api"))))
	code, _, talk = tool(t, "verify", "-dev", blind)
	require.Equal(t, exitUsage, code, "who sees nothing must not find it sound")
	require.Contains(t, talk, "auditor_ro")
	away := file("away.json", []byte(strings.ReplaceAll(string(found), db.URL("auditor_ro"), "postgres://auditor_ro:x@127.0.0.1:1/none?connect_timeout=1")))
	code, _, talk = tool(t, "verify", "-dev", away)
	require.Equal(t, exitUnreachable, code)
	require.NotContains(t, talk, ":x@")

	code, out, talk = tool(t, "prove", "transaction", "txn_"+x.ID.String(), "-database", "-dev", dev)
	require.Equal(t, exitOK, code, talk)
	code, _, talk = tool(t, "verify-proof", file("proof.json", []byte(out)), "-key", key.String())
	require.Equal(t, exitOK, code, talk)
	code, _, talk = tool(t, "prove", "transaction", "txn_"+uuid.NewString(), "-database", "-dev", dev)
	require.Equal(t, exitProblems, code)
	require.Contains(t, talk, "no such transaction")
}
