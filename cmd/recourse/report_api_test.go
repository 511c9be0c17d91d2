package main

import (
	"bytes"
	"context"
	"encoding/csv"
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
	"github.com/xuri/excelize/v2"

	"github.com/recourse/recourse/api"
	"github.com/recourse/recourse/internal/apidb"
	"github.com/recourse/recourse/internal/auth"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/internal/tenancy"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
)

// The examples of docs/reports.md, against the API itself.
func TestTheExamplesOfTheReportsDocument(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, err := pgx.Connect(t.Context(), db.URL("migrator"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	tenant := db.Tenant()
	key, err := auth.NewKey("test")
	require.NoError(t, err)
	require.NoError(t, tenancy.PutKey(t.Context(), conn, tenancy.Key{ID: key.ID, Tenant: tenant, Role: "finance_preparer", Name: "f", SecretSHA256: key.Digest}))
	pool := db.Pool("app_api")
	handler, err := api.New(api.Config{
		Store: apidb.New(pool), Books: ledgerpg.New(pool), Credentials: auth.NewChecker(pool, time.Now), Log: slog.New(slog.DiscardHandler), Now: time.Now,
		CursorKey: []byte("key of the cursors"), BaseURL: "http://api.test",
	})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var batch []ledger.Transaction
	for i := range 50 {
		x := ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, int64(100+i))
		x.EffectiveOn = time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC)
		batch = append(batch, x)
	}
	_, err = ledgerpg.New(db.Pool("app_worker")).Post(t.Context(), ledger.Main(tenant), batch)
	require.NoError(t, err)

	dir := t.TempDir()
	keyFile := filepath.Join(dir, "key")
	require.NoError(t, os.WriteFile(keyFile, []byte(key.Text+"\n"), 0o600))
	doc, err := os.ReadFile("../../docs/reports.md")
	require.NoError(t, err)
	examples := 0
	for line := range strings.SplitSeq(string(doc), "\n") {
		args, ok := strings.CutPrefix(line, "    recourse ")
		if !ok {
			continue
		}
		args = strings.NewReplacer("txn_0198c0de-0000-7000-8000-000000000001", "txn_"+batch[0].ID.String(), "-file ", "-file "+dir+"/").Replace(args)
		var out, talk bytes.Buffer
		code := run(t.Context(), streams{&out, &talk}, append(strings.Fields(args), "-api", server.URL, "-key-file", keyFile))
		require.Equal(t, exitOK, code, "%s: %s", args, talk.String())
		examples++
	}
	require.Equal(t, 7, examples)

	book, err := excelize.OpenFile(filepath.Join(dir, "gl-2026-10.xlsx"))
	require.NoError(t, err)
	defer func() { _ = book.Close() }()
	rows, err := book.GetRows("USD")
	require.NoError(t, err)
	require.Len(t, rows, 1+100+1)
	raw, err := os.ReadFile(filepath.Join(dir, "journal.csv"))
	require.NoError(t, err)
	_, err = csv.NewReader(bytes.NewReader(raw)).ReadAll()
	require.NoError(t, err)

	var out, talk bytes.Buffer
	code := run(t.Context(), streams{&out, &talk}, []string{"ledger", "balance", "1020", "-output", "csv", "-api", server.URL, "-key-file", keyFile})
	require.Equal(t, exitOK, code, talk.String())
	require.Regexp(t, `1020,usd,[^,]+,62\.25,0\.00,62\.25`, out.String())
}
