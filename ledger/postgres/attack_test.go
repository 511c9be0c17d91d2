package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// What each role may not do to the books. Every line is tried on a ledger that
// has rows, as the tenant they belong to.
func TestNobodyChangesTheBooks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := db.Tenant()
	other := db.Tenant()
	requirePosted(t, postgres.New(db.Pool("app_worker")), tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700))

	writes := map[string]string{
		"insert posting":     `insert into ledger.posting select (p).* from (select p from ledger.posting p limit 1) x`,
		"update posting":     `update ledger.posting set amount = amount + 1`,
		"delete posting":     `delete from ledger.posting`,
		"truncate posting":   `truncate ledger.posting`,
		"update partition":   `update ledger.` + partition("posting") + ` set amount = amount + 1`,
		"delete partition":   `delete from ledger.` + partition("journal"),
		"insert partition":   `insert into ledger.` + partition("journal") + ` select (j).* from (select j from ledger.journal j limit 1) x`,
		"truncate partition": `truncate ledger.` + partition("posting"),
		"update journal":     `update ledger.journal set purpose = 'x'`,
		"delete journal":     `delete from ledger.journal`,
		"update key":         `update ledger.journal_key set seq = 9`,
		"delete key":         `delete from ledger.journal_key`,
		"delete link":        `delete from ledger.journal_link`,
		"update account":     `update ledger.account set name = 'x'`,
		"update balance":     `update ledger.balance set debits_posted = debits_posted + 1, credits_posted = credits_posted + 1`,
		"delete balance":     `delete from ledger.balance`,
		"update book":        `update ledger.book set seq = seq + 1`,
		"delete book":        `delete from ledger.book`,
		"open door, update":  `select set_config('ledger.door', 'open', true); update ledger.balance set debits_posted = 0`,
	}
	for _, role := range []string{"app_api", "app_worker", "finance_ro", "auditor_ro"} {
		for name, sql := range writes {
			t.Run(role+": "+name, func(t *testing.T) {
				t.Parallel()
				refused(t, db.URL(role), tenant, sql)
			})
		}
		for name, sql := range map[string]string{
			"disable a trigger":    `alter table ledger.posting disable trigger posting_append_only`,
			"drop the table":       `drop table ledger.posting`,
			"replica role":         `set session_replication_role = replica`,
			"become the owner":     `set role ledger_owner`,
			"copy program":         `copy (select 1) to program 'true'`,
			"make a table":         `create table public.entry (x int)`,
			"shadow by a temp":     `create temp table entry (x int)`,
			"replace the door":     `create or replace function ledger.forbid() returns trigger language plpgsql as $$ begin return new; end $$`,
			"row security off":     `alter table ledger.posting no force row level security`,
			"grant itself a right": `grant delete on ledger.posting to ` + role + `; delete from ledger.posting`,
		} {
			t.Run(role+": "+name, func(t *testing.T) {
				t.Parallel()
				refused(t, db.URL(role), tenant, sql)
			})
		}
	}
	for _, role := range []string{"finance_ro", "auditor_ro"} {
		t.Run(role+": the door", func(t *testing.T) {
			t.Parallel()
			refused(t, db.URL(role), tenant, `select ledger.lock_book('`+tenant.String()+`', 'main', true)`)
		})
	}
	t.Run("app_worker: the door with another tenant", func(t *testing.T) {
		t.Parallel()
		refused(t, db.URL("app_worker"), tenant, `select ledger.lock_book('`+other.String()+`', 'main', true)`)
	})
	// The owner who also makes the door's setting gets through: nothing inside a
	// database stops its owner for ever.
	delete(writes, "open door, update")
	for name, sql := range writes {
		t.Run("ledger_owner: "+name, func(t *testing.T) {
			t.Parallel()
			refused(t, db.SuperURL(), tenant, `set local role ledger_owner; `+sql)
		})
		t.Run("superuser as replica: "+name, func(t *testing.T) {
			t.Parallel()
			refused(t, db.SuperURL(), tenant, `set local session_replication_role = replica; `+sql)
		})
	}
	t.Cleanup(func() { requireSound(t, db) })
}

func TestATenantSeesItsOwnBooksOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	mine, theirs := db.Tenant(), db.Tenant()
	store := postgres.New(db.Pool("app_worker"))
	requirePosted(t, store, mine, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	requirePosted(t, store, theirs, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 2))

	for _, role := range []string{"app_api", "app_worker", "finance_ro"} {
		for _, table := range []string{"ledger.account", "ledger.book", "ledger.journal", "ledger.posting", "ledger.journal_key", "ledger.balance", "ledger.trial_balance"} {
			require.Zero(t, count(t, db.URL(role), "", table), "%s sees %s without a tenant", role, table)
			require.Zero(t, count(t, db.URL(role), uuid.NewString(), table), "%s sees %s of nobody", role, table)
			n := count(t, db.URL(role), mine.String(), table)
			require.Positive(t, n, "%s sees its own %s", role, table)
			require.Equal(t, 2*n, count(t, db.URL("auditor_ro"), "", table), "the auditor sees %s of both", table)
		}
	}
}

// partition is the table that holds this month's rows.
func partition(of string) string { return of + time.Now().UTC().Format("_2006_01") }

// refused runs sql as tenant in one transaction and requires that it fails for
// want of a right.
func refused(t *testing.T, url string, tenant uuid.UUID, sql string) {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, `begin; select set_config('app.tenant', '`+tenant.String()+`', true); `+sql)
	var pg *pgconn.PgError
	require.ErrorAs(t, err, &pg, sql)
	require.Contains(t, []string{"42501", "25006"}, pg.Code, "%s: %s", sql, pg.Message)
}

func count(t *testing.T, url, tenant, table string) int {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var n int
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select set_config('app.tenant', $1, true)`, tenant); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select count(*) from `+table).Scan(&n)
	})
	require.NoError(t, err)
	return n
}
