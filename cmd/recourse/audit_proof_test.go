package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/api"
	auditpg "github.com/recourse/recourse/audit/postgres"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/seal"
)

// Keys made and revoked, and books opened, are in the log of the tenant: what
// was done is verified, proved, and found when somebody edits it.
func TestTheAuditLogIsVerifiedAndProvedWithTheTools(t *testing.T) {
	if os.Getenv("RECOURSE_DATABASE_URL") != "" {
		t.Skip("RECOURSE_DATABASE_URL is set: it goes before what this test gives")
	}
	t.Parallel()
	db := pgtest.New(t)
	pool := db.Pool("app_api")
	handler, err := api.New(api.Config{
		Store: apidb.New(pool), Actions: auditpg.New(pool), Credentials: auth.NewChecker(pool, time.Now), Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	conn, err := pgx.Connect(t.Context(), db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tenant, err := tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "ours")
	require.NoError(t, err)
	var ids, texts []string
	for range 2 {
		k, err := auth.NewKey("test")
		require.NoError(t, err)
		stored := tenancy.Key{ID: k.ID, Tenant: tenant, Role: "auditor", Name: "auditor", SecretSHA256: k.Digest}
		require.NoError(t, tenancy.PutKey(t.Context(), conn, stored))
		require.NoError(t, tenancy.PutKey(t.Context(), conn, stored), "it is there")
		ids, texts = append(ids, k.ID), append(texts, k.Text)
	}
	require.NoError(t, tenancy.RevokeKey(t.Context(), conn, ids[1]))
	require.ErrorIs(t, tenancy.RevokeKey(t.Context(), conn, ids[1]), tenancy.ErrNoKey)
	for _, first := range []bool{true, false} {
		opened, err := tenancy.OpenBook(t.Context(), conn, "ours", "subsidiary")
		require.NoError(t, err)
		require.Equal(t, first, opened)
	}
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := auditpg.NewSeals(db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	_, signed, _, err := seals.Seal(t.Context(), due[0], key)
	require.NoError(t, err)

	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	found, err := json.Marshal(map[string]any{"ledger_key": key.String(), "database_urls": map[string]string{"auditor_ro": db.URL("auditor_ro")}})
	require.NoError(t, err)
	dev, kept := file("dev.json", found), file("kept", signed)
	code, out, talk := tool(t, "verify", "-dev", dev, "-output", "json", "-from-checkpoint", kept)
	require.Equal(t, exitOK, code, talk)
	var report struct {
		Audit []auditpg.LogReport `json:"audit"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Audit, 1)
	require.Equal(t, int64(4), report.Audit[0].Actions, "two keys made, one revoked, one book opened")
	require.Contains(t, talk, "1 audit logs, 4 actions, 1 checkpoints")

	at := []string{"-api", server.URL, "-key-file", file("auditor", []byte(texts[0]))}
	code, bundle, talk := tool(t, append([]string{"prove", "action", "act_3"}, at...)...)
	require.Equal(t, exitOK, code, talk)
	code, out, talk = tool(t, "verify-proof", file("proof.json", []byte(bundle)), "-key", key.String(), "-output", "csv")
	require.Equal(t, exitOK, code, talk)
	require.Contains(t, out, "cli:migrator,,keys revoke,/keys/"+ids[1])
	require.Contains(t, talk, "proved: sequence 3 of books.example/ledger/audit/"+tenant.String())
	code, out, talk = tool(t, "verify-proof", file("forged.json", []byte(strings.Replace(bundle, tenant.String(), uuid.NewString(), 1))), "-key", key.String())
	require.Equal(t, exitProblems, code)
	require.Empty(t, out)
	require.Contains(t, talk, "NOT PROVED")
	for _, name := range []string{"act_", "3", "act_03", "act_3x"} {
		code, _, _ = tool(t, append([]string{"prove", "action", name}, at...)...)
		require.Equal(t, exitUsage, code, name)
	}

	_, err = db.Super().Exec(t.Context(), `do $$ begin
		perform guard.open_maintenance('an attack');
		alter table audit.action disable trigger all;
		update audit.action set operation = 'keys create' where seq = 3; end $$`)
	require.NoError(t, err)
	code, out, talk = tool(t, "verify", "-dev", dev, "-output", "csv")
	require.Equal(t, exitProblems, code)
	require.Contains(t, out, "audit action 3")
	require.Contains(t, talk, "audit log of "+tenant.String()+": the first bad sequence is 3")
	code, _, talk = tool(t, append([]string{"prove", "action", "act_3"}, at...)...)
	require.NotEqual(t, exitOK, code, talk)
}
