package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/dscsa/epcis"
	custodypg "github.com/recourse/recourse/dscsa/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/seal"
)

func TestCustodyIsVerifiedAndProvedWithTheTools(t *testing.T) {
	if os.Getenv("RECOURSE_DATABASE_URL") != "" {
		t.Skip("RECOURSE_DATABASE_URL is set: it goes before what this test gives")
	}
	t.Parallel()
	db := pgtest.New(t)
	pool := db.Pool("app_worker")
	event := dscsatest.Receive(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), "0860001234107", dscsatest.Unit("1"))
	event.EventID = "urn:uuid:5c0a2c53-0f2f-4b3c-9a55-2b0e4e0e6a11"
	tenants := []uuid.UUID{db.Tenant(), db.Tenant()}
	for _, tenant := range tenants {
		require.NoError(t, pgtenant.Tx(t.Context(), pool, tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := custodypg.New(pool).AppendTx(ctx, tx, tenant, custodypg.Batch{Events: []epcis.Event{event}})
			return err
		}))
	}
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(t, err)
	seals := custodypg.NewSeals(db.Pool("sealer"))
	due, err := seals.Due(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, tenants[0], due[0].Tenant)
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
	dev := file("dev.json", found)

	code, out, talk := tool(t, "verify", "-dev", dev, "-output", "json", "-from-checkpoint", file("kept", signed))
	require.Equal(t, exitOK, code, talk)
	var report struct {
		Custody []custodypg.ChainReport `json:"custody"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	require.Len(t, report.Custody, 2)
	require.Equal(t, int64(1), report.Custody[0].Checkpoints)
	require.Contains(t, talk, "custody is whole")

	c.Size = 9
	more, err := seal.Sign(c, key)
	require.NoError(t, err)
	code, out, talk = tool(t, "verify", "-dev", dev, "-output", "csv", "-from-checkpoint", file("more", more))
	require.Equal(t, exitProblems, code)
	require.Contains(t, out, "the end was cut off")
	require.Contains(t, talk, "the first bad sequence is 2")

	// Two tenants have an event of that id: which one is to be said.
	code, _, talk = tool(t, "prove", "custody-event", event.EventID, "-dev", dev)
	require.Equal(t, exitUsage, code)
	require.Contains(t, talk, "custody-event 1 -tenant "+tenants[1].String())
	code, _, talk = tool(t, "prove", "custody-event", "1", "-tenant", tenants[1].String(), "-dev", dev)
	require.Equal(t, exitProblems, code)
	require.Contains(t, talk, "in no checkpoint yet")
	code, _, talk = tool(t, "prove", "custody-event", "2", "-dev", dev)
	require.Equal(t, exitProblems, code)
	require.Contains(t, talk, "no such event")
	for _, args := range [][]string{{"prove", "custody-event"}, {"prove", "custody-event", "1", "-tenant", "x"}} {
		code, _, talk = tool(t, args...)
		require.Equal(t, exitUsage, code, talk)
	}

	code, bundle, talk := tool(t, "prove", "custody-event", event.EventID, "-tenant", tenants[0].String(), "-dev", dev)
	require.Equal(t, exitOK, code, talk)
	code, out, talk = tool(t, "verify-proof", file("proof.json", []byte(bundle)), "-key", key.String(), "-output", "csv")
	require.Equal(t, exitOK, code, talk)
	require.Contains(t, out, event.EventID)
	require.Contains(t, talk, "proved: sequence 1 of books.example/ledger/custody/"+tenants[0].String())
	code, out, talk = tool(t, "verify-proof", file("forged.json", []byte(strings.Replace(bundle, tenants[0].String(), tenants[1].String(), 1))), "-key", key.String())
	require.Equal(t, exitProblems, code)
	require.Empty(t, out)
	require.Contains(t, talk, "NOT PROVED")

	// A changed event is found, and no longer proved.
	_, err = db.Super().Exec(t.Context(), `do $$ begin
		perform guard.open_maintenance('an attack');
		alter table custody.event disable trigger all;
		update custody.event set body = convert_to(replace(convert_from(body, 'UTF8'), 'receiving', 'destroying'), 'UTF8')
		 where chain_id = (select min(id) from custody.chain); end $$`)
	require.NoError(t, err)
	code, out, talk = tool(t, "verify", "-dev", dev, "-output", "csv")
	require.Equal(t, exitProblems, code, talk)
	require.Contains(t, out, "custody entry 1")
	code, _, _ = tool(t, "prove", "custody-event", "1", "-tenant", tenants[0].String(), "-dev", dev)
	require.Equal(t, exitProblems, code)
}
