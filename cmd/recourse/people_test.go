package main

import (
	"bytes"
	"context"
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
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// A desk is an API on a database of its own and the tools in front of it, with
// a key file a role.
type desk struct {
	*testing.T
	db     *pgtest.DB
	tenant uuid.UUID
	url    string
	dir    string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	db := pgtest.New(t)
	pool := db.Pool("app_api")
	handler, err := api.New(api.Config{
		Store: apidb.New(pool), Books: ledgerpg.New(pool), Custody: custodypg.New(pool), Credentials: auth.NewChecker(pool, time.Now), Log: slog.New(slog.DiscardHandler),
		Now: time.Now, CursorKey: []byte("key of the cursors"),
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	conn, err := pgx.Connect(t.Context(), db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tenant, err := tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "ours")
	require.NoError(t, err)
	d := &desk{T: t, db: db, tenant: tenant, url: server.URL, dir: t.TempDir()}
	for _, role := range []string{"finance_preparer", "finance_reviewer", "operator", "recall_operator", "auditor"} {
		k, err := auth.NewKey("test")
		require.NoError(t, err)
		require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: k.ID, Tenant: tenant, Role: role, Name: role, SecretSHA256: k.Digest}))
		d.file(role, k.Text)
	}
	return d
}

func (d *desk) file(name, text string) string {
	d.Helper()
	path := filepath.Join(d.dir, name)
	require.NoError(d, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// run is one command as a person of a role types it.
func (d *desk) run(role string, want int, line ...string) (out, talk string) {
	d.Helper()
	var stdout, stderr bytes.Buffer
	line = append(line, "-api", d.url, "-key-file", filepath.Join(d.dir, role))
	require.Equal(d, want, run(d.Context(), streams{&stdout, &stderr}, line), "%s\n%s", strings.Join(line, " "), stderr.String())
	return stdout.String(), stderr.String()
}

func TestTwoPeopleAtTheCommandLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	last := time.Now().UTC().AddDate(0, 0, -time.Now().UTC().Day())
	journal := d.file("journal.json", `{"reason":"bank fee","document":"statement 7","effective_on":"`+last.Format(time.DateOnly)+`","entries":[
		{"account_code":"5010","side":"D","amount":465,"currency":"usd"},{"account_code":"1010","side":"C","amount":465,"currency":"usd"}]}`)
	out, _ := d.run("finance_preparer", exitOK, "ledger", "post", "-file", journal)
	id := strings.TrimSpace(out)
	out, _ = d.run("finance_reviewer", exitOK, "approvals", "list")
	require.Contains(t, out, id)
	require.Contains(t, out, "4.65 usd")
	require.Contains(t, out, "0 of 1")
	out, _ = d.run("finance_reviewer", exitOK, "approvals", "show", id)
	require.Contains(t, out, "statement 7")
	_, talk := d.run("finance_preparer", exitProblems, "approvals", "approve", id)
	require.Contains(t, talk, "forbidden")
	out, _ = d.run("finance_reviewer", exitOK, "approvals", "approve", id)
	require.Contains(t, out, `"purpose":"manual.journal"`)
	out, _ = d.run("finance_preparer", exitOK, "ledger", "balance", "5010", "-currency", "usd", "-output", "csv")
	require.Contains(t, out, "4.65,0.00,4.65")
	out, _ = d.run("finance_preparer", exitOK, "ledger", "accounts", "-currency", "usd")
	require.Contains(t, out, "Processor fees")

	month := last.Format("2006-01")
	for _, move := range []string{"soft-close", "close", "reopen"} {
		out, _ = d.run("finance_preparer", exitOK, "period", move, month, "-reason", "month end")
		d.run("finance_reviewer", exitOK, "approvals", "approve", strings.TrimSpace(out))
	}
	out, _ = d.run("finance_preparer", exitOK, "period", "status")
	require.Regexp(t, month+` +reopened +1`, out)
	_, talk = d.run("finance_preparer", exitProblems, "period", "close", time.Now().UTC().Format("2006-01"), "-reason", "early")
	require.Contains(t, talk, "is not over")

	bad := d.file("bad.json", `{"reason":"bank fee","entries":[{"account_code":"5010","side":"D","amount":1,"currency":"usd"},{"account_code":"1010","side":"C","amount":2,"currency":"usd"}]}`)
	_, talk = d.run("finance_preparer", exitProblems, "ledger", "post", "-file", bad)
	require.Contains(t, talk, "/entries: debits and credits differ by -1 in usd")
	_, talk = d.run("finance_preparer", exitUsage, "ledger", "post")
	require.Contains(t, talk, "recourse ledger post -file journal.json")
	out, _ = d.run("finance_preparer", exitOK, "ledger", "post", "-file", journal)
	d.run("finance_reviewer", exitOK, "approvals", "reject", strings.TrimSpace(out))
}

func TestBooksAreOpenedByWhoLooksAfterTheDeployment(t *testing.T) {
	db := pgtest.New(t)
	t.Setenv("RECOURSE_DATABASE_URL", db.URL("migrator"))
	conn, err := pgx.Connect(t.Context(), db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = tenancy.EnsureTenant(t.Context(), conn, uuid.Nil, "ours")
	require.NoError(t, err)
	for _, c := range []struct {
		tenant, entity, says string
		want                 int
	}{
		{"ours", "gmbh", "are open\n", exitOK},
		{"ours", "gmbh", "were open already", exitOK},
		{"ours", "GmbH & Co", "a to z", exitUsage},
		{"theirs", "gmbh", "no tenant has this name", exitUsage},
		{"ours", "", "open-book -tenant", exitUsage},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, c.want, run(t.Context(), streams{&stdout, &stderr}, []string{"ledger", "open-book", "-tenant", c.tenant, "-entity", c.entity}), stderr.String())
		require.Contains(t, stderr.String(), c.says)
	}
	t.Setenv("RECOURSE_DATABASE_URL", db.URL("app_api"))
	var stdout, stderr bytes.Buffer
	require.NotEqual(t, exitOK, run(t.Context(), streams{&stdout, &stderr}, []string{"ledger", "open-book", "-tenant", "ours", "-entity", "other"}), "the running product cannot")
}
