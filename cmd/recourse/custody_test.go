package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	ledgerpg "github.com/recourse/recourse/ledger/postgres"
	"github.com/recourse/recourse/seal"
)

// receipt is a document of one event of a day, kept from then on.
func receipt(t *testing.T, db *pgtest.DB, tenant uuid.UUID, serial, id string, at time.Time) (document int64) {
	t.Helper()
	pool := db.Pool("app_worker")
	e := dscsatest.Receive(at, dscsatest.Parties[1], dscsatest.Unit(serial))
	e.EventID = id
	require.NoError(t, pgtenant.Tx(t.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
		out, err := custodypg.New(pool).AppendTx(ctx, tx, tenant, custodypg.Batch{
			Document: &dscsa.Document{Direction: dscsa.Received, Format: epcis.XML12, Sender: dscsatest.Parties[0], Credential: "test", Verdict: dscsa.Accept},
			Body:     bytes.NewReader([]byte(serial)), Events: []epcis.Event{e},
		})
		if err != nil {
			return err
		}
		document = out.Document
		_, err = tx.Exec(ctx, `select custody.retain($1, c.id, $2, 'K1', $3) from custody.chain c`, tenant, document, at)
		return err
	}))
	return document
}

func TestRecordsAreKeptAndLetGoAtTheCommandLine(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	longAgo := time.Date(2015, 3, 1, 12, 0, 0, 0, time.UTC)
	const id = "urn:uuid:5c0a2c53-0f2f-4b3c-9a55-2b0e4e0e6a11"
	receipt(t, d.db, d.tenant, "1", "", longAgo)
	held := fmt.Sprintf("doc_%d", receipt(t, d.db, d.tenant, "2", "", longAgo))
	receipt(t, d.db, d.tenant, "3", id, time.Now())

	out, _ := d.run("operator", exitOK, "custody", "hold", "-document", held, "-reason", "subpoena 12")
	hold := strings.TrimSpace(out)
	require.True(t, strings.HasPrefix(hold, "lgh_"))
	out, talk := d.run("auditor", exitOK, "custody", "retention")
	require.Regexp(t, `K1 .* 6 +3 +0 +2 +21 USC`, out)
	require.Contains(t, talk, "1 documents, 1 bytes; 1 more are held")
	out, talk = d.run("operator", exitOK, "custody", "purge", "-dry-run", "-output", "csv")
	require.Contains(t, out, "doc_1,yes,2021-03-01")
	require.Contains(t, out, held+",no,open or held")
	require.Contains(t, talk, "1 documents, 1 bytes would go, 1 stay")

	out, _ = d.run("operator", exitOK, "custody", "purge", "-reason", "six years are over")
	proposal := strings.TrimSpace(out)
	_, talk = d.run("operator", exitProblems, "approvals", "approve", proposal)
	require.Contains(t, talk, "same_person")
	out, _ = d.run("recall_operator", exitOK, "approvals", "approve", proposal)
	var order purgeView
	require.NoError(t, json.Unmarshal([]byte(out), &order))
	for range 2 {
		_, talk = d.run("operator", exitOK, "custody", "purge", "-run", order.ID)
		require.Contains(t, talk, "1 documents, 1 bytes removed so far")
		require.Contains(t, talk, "done")
	}
	out, _ = d.run("auditor", exitOK, "custody", "purges")
	require.Regexp(t, order.ID+` .*true +1 +1 `, out)
	_, talk = d.run("operator", exitProblems, "custody", "purge", "-reason", "more")
	require.Contains(t, talk, "nothing_is_over")

	out, _ = d.run("operator", exitOK, "custody", "lift", hold, "-reason", "settled")
	d.run("recall_operator", exitOK, "approvals", "approve", strings.TrimSpace(out))
	out, _ = d.run("auditor", exitOK, "custody", "holds")
	require.NotContains(t, out, hold)
	out, _ = d.run("auditor", exitOK, "custody", "holds", "-all")
	require.Contains(t, out, strings.TrimSpace(hold))
	for _, line := range [][]string{
		{"purge"},
		{"purge", "-dry-run", "-reason", "x"},
		{"purge", "-run", "prg_1", "-before", "2020-01-01"},
		{"hold", "-reason", "x"},
		{"hold", "-everything", "-document", "doc_1", "-reason", "x"},
		{"hold", "-everything"},
		{"lift", hold},
		{"lift", "-reason", "x"},
		{"nothing"},
	} {
		d.run("operator", exitUsage, append([]string{"custody"}, line...)...)
	}

	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := custodypg.NewSeals(d.db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	_, _, _, err = seals.Seal(t.Context(), due[0], key)
	require.NoError(t, err)
	out, _ = d.run("auditor", exitOK, "custody", "checkpoints", "-output", "csv")
	require.Contains(t, out, "books.example/ledger/custody/"+d.tenant.String())
	for _, name := range []string{id, "6"} {
		bundle, _ := d.run("auditor", exitOK, "prove", "custody-event", name, "-database=false")
		proof := d.file("proof.json", bundle)
		code, out, talk := tool(t, "verify-proof", proof, "-key", key.String())
		require.Equal(t, exitOK, code, talk)
		require.Contains(t, out, id)
		code, _, talk = tool(t, "verify-proof", d.file("forged.json", strings.Replace(bundle, `"seq": 6`, `"seq": 8`, 1)), "-key", key.String())
		require.Equal(t, exitProblems, code)
		require.Contains(t, talk, "NOT PROVED")
	}
	bundle, _ := d.run("auditor", exitOK, "prove", "custody-purge", "doc_1", "-database=false")
	code, out, talk := tool(t, "verify-proof", d.file("gone.json", bundle), "-key", key.String(), "-output", "json")
	require.Equal(t, exitOK, code, talk)
	require.Contains(t, out, `"purged"`)
	require.Contains(t, out, fmt.Sprintf("%x", sha256.Sum256([]byte("1"))), "what it was is known")
	_, talk = d.run("auditor", exitProblems, "prove", "custody-purge", held, "-database=false")
	require.Contains(t, talk, "not_found", "it is there")
	_, talk = d.run("auditor", exitProblems, "prove", "custody-event", "urn:x", "-database=false")
	require.Contains(t, talk, "not_found")
}

func TestVerifyGoesOnInCustody(t *testing.T) {
	if os.Getenv("RECOURSE_DATABASE_URL") != "" {
		t.Skip("RECOURSE_DATABASE_URL is set: it goes before what this test gives")
	}
	t.Parallel()
	db := pgtest.New(t)
	first, second := db.Tenant(), db.Tenant()
	for i := range 3 {
		receipt(t, db, first, fmt.Sprint(i), "", time.Now())
		receipt(t, db, second, fmt.Sprint(i), "", time.Now())
	}
	results, err := ledgerpg.New(db.Pool("app_worker")).Post(t.Context(), ledger.Main(first),
		[]ledger.Transaction{ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700)})
	require.NoError(t, err)
	require.NoError(t, results[0].Err())
	dir := t.TempDir()
	found, err := json.Marshal(map[string]any{"database_urls": map[string]string{"auditor_ro": db.URL("auditor_ro")}})
	require.NoError(t, err)
	dev, file := filepath.Join(dir, "dev.json"), filepath.Join(dir, "state.json")
	require.NoError(t, os.WriteFile(dev, found, 0o600))

	// A run that is interrupted in custody, as it keeps where it was.
	cfg, err := pgx.ParseConfig(db.URL("auditor_ro"))
	require.NoError(t, err)
	books, goods := ledgerpg.Audit{}, custodypg.Audit{Every: 1}
	require.NoError(t, keepState(&books, &goods, file))
	_, err = books.Run(t.Context(), cfg)
	require.NoError(t, err)
	saved := goods.Save
	chains := 0
	goods.Save = func(s custodypg.AuditState) error {
		if err := saved(s); err != nil {
			return err
		}
		if chains = len(s.Done); chains == 1 && s.Chain != nil {
			return context.Canceled
		}
		return nil
	}
	_, _, err = custodypg.New(db.Pool("auditor_ro")).Audit(t.Context(), goods)
	require.ErrorIs(t, err, context.Canceled)
	require.FileExists(t, file)
	state, err := os.ReadFile(file)
	require.NoError(t, err)

	// What it had verified it trusts, in books and custody, which shows that it
	// goes on; without the state the same is found.
	_, err = db.Super().Exec(t.Context(), `do $$ begin
		perform guard.open_maintenance('an attack');
		alter table custody.document_part disable trigger all;
		delete from custody.document_part where document = 1; end $$`)
	require.NoError(t, err)
	code, out, talk := tool(t, "verify", "-dev", dev, "-output", "json", "-state", file)
	require.Equal(t, exitOK, code, talk)
	require.NoFileExists(t, file)
	var report struct {
		Custody []custodypg.ChainReport `json:"custody"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Custody, 2)
	require.Equal(t, int64(6), report.Custody[1].Entries)
	code, out, _ = tool(t, "verify", "-dev", dev, "-output", "csv")
	require.Equal(t, exitProblems, code)
	require.Equal(t, 2, strings.Count(out, "no entry says so"), "of each of the two tenants")

	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, state, 0o600))
	code, _, talk = tool(t, "verify", "-dev", dev, "-state", file, "-key", key.String())
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "other keys")
	for _, raw := range []string{`{"books":3}`, `{"given":"x"}`, `nothing`} {
		require.NoError(t, os.WriteFile(file, []byte(raw), 0o600))
		code, _, talk = tool(t, "verify", "-dev", dev, "-state", file)
		require.Equal(t, exitUsage, code, raw)
		require.Contains(t, talk, "remove")
	}
}
