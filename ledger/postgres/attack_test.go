package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/ledger"
	"github.com/recourse/recourse/ledger/ledgertest"
	"github.com/recourse/recourse/ledger/postgres"
)

// An attacker is a role with the way it comes in. Outside a maintenance window
// each of them is refused everything that follows.
type attacker struct {
	name  string
	role  string // logs in; empty: the superuser
	first string // what it does before
	owner bool   // may write were it not for the guards
}

func attackers() []attacker {
	return []attacker{
		{name: "app_api", role: "app_api"},
		{name: "app_worker", role: "app_worker"},
		{name: "sealer", role: "sealer"},
		{name: "finance_ro", role: "finance_ro"},
		{name: "auditor_ro", role: "auditor_ro"},
		{name: "migrator", role: "migrator"},
		{name: "migrator as ledger_owner", role: "migrator", first: asLedgerOwner, owner: true},
		{name: "migrator as recourse_owner", role: "migrator", first: `set local role recourse_owner`},
		{name: "ledger_owner", first: asLedgerOwner, owner: true},
		{name: "superuser", owner: true},
		{name: "superuser as replica", first: `set local session_replication_role = replica`, owner: true},
	}
}

// mayAnyway names what a role may do that it needs no guard against: either it
// gains nothing by it, or nothing inside a database stops it. What a superuser
// may do beyond is in the documentation, with what finds it.
func (a attacker) mayAnyway(name string) bool {
	superuser := a.role == ""
	switch name {
	case "rights in advance":
		return !a.owner || superuser && a.first != asLedgerOwner // on what it makes itself, which is nothing
	case "move a table", "rename the schema", "replace the DDL guard", "say it is maintenance", "grant a right", "grant the owner's door", "make a partition":
		return superuser && a.first != asLedgerOwner
	case "replica role", "replica role, this time", "become the superuser", "be the superuser":
		return superuser
	case "a schema", "a table in public", "a temporary table", "a temporary function", "a language":
		return a.first == `set local role recourse_owner` || superuser && a.first != asLedgerOwner // it owns the database, and the door looks elsewhere
	}
	_, escape := escapes[name]
	return escape && superuser && a.first != asLedgerOwner
}

const asLedgerOwner = `set local role ledger_owner`

// writesTo are the ways to change rows, over every table of the ledger, the
// partitions that have rows and the default ones. The others have the same
// guards: see the rules over the catalogue.
func writesTo(t *testing.T, super *pgxpool.Pool) map[string]string {
	t.Helper()
	rows, err := super.Query(t.Context(), `
		select c.relname, (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attidentity = '' and not a.attisdropped order by a.attnum limit 1)
		  from pg_class c where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p')
		   and (c.relname !~ '_[0-9]{4}_[0-9]{2}$' or c.relname like '%' || to_char(clock_timestamp() at time zone 'UTC', '_YYYY_MM'))`)
	require.NoError(t, err)
	writes := map[string]string{}
	var table, column string
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		writes["insert "+table] = `insert into ledger.` + table + ` overriding system value select (x).* from (select x from ledger.` + table + ` x limit 1) y`
		writes["update "+table] = `update ledger.` + table + ` set ` + column + ` = ` + column
		writes["delete "+table] = `delete from ledger.` + table
		writes["truncate "+table] = `truncate ledger.` + table + ` cascade`
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(writes), 4*10)
	// The first form's tables are empty and guarded row by row.
	for _, old := range []string{"transaction", "entry", "head"} {
		delete(writes, "insert "+old)
		delete(writes, "update "+old)
		delete(writes, "delete "+old)
	}
	writes["insert head"] = `insert into ledger.head (tenant_id) values (gen_random_uuid())`
	writes["update a balance"] = `update ledger.balance set debits_posted = debits_posted + 1, credits_posted = credits_posted + 1`
	writes["merge balance"] = `merge into ledger.balance b using ledger.account a on a.id = b.account_id when matched then update set debits_posted = 0`
	writes["insert or update balance"] = `insert into ledger.balance (tenant_id, account_id) select tenant_id, id from ledger.account on conflict (account_id) do update set debits_posted = 0`
	writes["copy into posting"] = `copy ledger.posting from program 'true'`
	return writes
}

// reshapes are the ways to change what guards the rows.
var reshapes = map[string]string{
	"disable one trigger":        `alter table ledger.posting disable trigger posting_append_only`,
	"disable all triggers":       `alter table ledger.balance disable trigger user`,
	"triggers not always":        `alter table ledger.journal enable trigger journal_door`,
	"drop a trigger":             `drop trigger posting_append_only on ledger.posting`,
	"drop a partition's trigger": `drop trigger posting_rest_append_only on ledger.posting_rest`,
	"drop a table":               `drop table ledger.posting cascade`,
	"drop a partition":           `drop table ledger.journal_rest`,
	"detach a partition":         `alter table ledger.posting detach partition ledger.posting_rest`,
	"make a partition":           `create table ledger.posting_1999 partition of ledger.posting for values from ('1999-01-01') to ('1999-02-01')`,
	"drop the schema":            `drop schema ledger cascade`,
	"drop the door":              `drop function ledger.lock_book(uuid, text, boolean)`,
	"drop the guard":             `drop function ledger.door_only() cascade`,
	"replace the guard":          `create or replace function ledger.door_only() returns trigger language plpgsql as $$ begin return null; end $$`,
	"replace the older guard":    `create or replace function ledger.forbid() returns trigger language plpgsql as $$ begin return new; end $$`,
	"replace a part of the door": `create or replace function ledger.check_links(p_book integer, p_seq bigint, p_at timestamptz, t_id uuid[], t_kind text[], t_resolves uuid[], t_reverses uuid[]) returns text language sql as 'select null'`,
	"the door as its caller":     `alter function ledger.lock_book(uuid, text, boolean) security invoker`,
	"a path for the door":        `alter function ledger.lock_book(uuid, text, boolean) set search_path = public, ledger`,
	"make a second door":         `create function ledger.back_door() returns void language sql security definer as 'select'`,
	"row security not forced":    `alter table ledger.posting no force row level security`,
	"row security off":           `alter table ledger.posting disable row level security`,
	"drop a policy":              `drop policy posting_own on ledger.posting`,
	"widen a policy":             `alter policy posting_own on ledger.posting using (true)`,
	"one more policy":            `create policy everybody on ledger.posting using (true)`,
	"a rule":                     `create rule quiet as on insert to ledger.posting do instead nothing`,
	"one more trigger":           `create trigger extra before insert on ledger.posting for each row execute function ledger.forbid()`,
	"drop a constraint":          `alter table ledger.balance drop constraint balance_pending_not_negative`,
	"add a column":               `alter table ledger.posting add column note text`,
	"rename a table":             `alter table ledger.posting rename to posting_was`,
	"move a table":               `alter table ledger.posting set schema public`,
	"rename the schema":          `alter schema ledger rename to was`,
	"widen a view":               `alter view ledger.trial_balance reset (security_invoker)`,
	"guard a table again":        `select ledger.add_partition('posting', 'posting_x', 'for values from (''1999-01-01'') to (''1999-02-01'')')`,
	"grant a right":              `grant insert, update, delete on all tables in schema ledger to app_worker`,
	"grant the owner's door":     `grant execute on function ledger.change_account(uuid, text, text, text, boolean, bigint, bigint) to public`,
	"rights in advance":          `alter default privileges in schema ledger grant all on tables to app_worker`,
	"drop a view":                `drop view ledger.trial_balance`,
	"drop what is owned":         `drop owned by ledger_owner cascade`,
	"replace the DDL guard":      `create or replace function guard.refuse_ddl() returns event_trigger language plpgsql as $$ begin end $$`,
	"say it is maintenance":      `create or replace function guard.in_maintenance() returns boolean language sql as 'select true'`,
}

// escapes are ways to more rights. A superuser has them all.
var escapes = map[string]string{
	"disable the DDL guard":        `alter event trigger guard_ddl disable`,
	"drop the DDL guard":           `drop event trigger guard_drop`,
	"write the maintenance record": `insert into guard.maintenance (backend, began_at, opened_by, reason) select pid, backend_start, 'x', 'x' from pg_stat_activity where pid = pg_backend_pid()`,
	"wipe the maintenance record":  `delete from guard.maintenance`,
	"replica role":                 `set session_replication_role = replica`,
	"replica role, this time":      `set local session_replication_role = replica`,
	"replica role by default":      `alter database %s set session_replication_role = replica`,
	"become the superuser":         `set role postgres`,
	"be the superuser":             `set session authorization postgres`,
	"a superuser of one's own":     `create role evil superuser`,
	"past row security":            `alter role app_worker bypassrls`,
	"join the owners":              `grant ledger_owner to app_worker`,
	"hand over what is owned":      `reassign owned by ledger_owner to app_worker`,
	"run a program":                `copy (select 1) to program 'true'`,
	"write a file":                 `copy (select 1) to '/tmp/x'`,
	"read a file":                  `select pg_read_file('/etc/passwd')`,
	"load a library":               `load 'pageinspect'`,
	"an extension":                 `create extension pageinspect schema pg_catalog`,
	"a language":                   `create function public.f() returns int language c as 'f'`,
	"a table in public":            `create table public.posting (x int)`,
	"a temporary table":            `create temp table book (x int)`,
	"a temporary function":         `create function pg_temp.genesis(uuid, text) returns bytea language sql as 'select null'`,
	"a schema":                     `create schema evil`,
	"end the others":               `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'postgres'`,
}

// The table of attacks, each role and each line of it refused on a ledger that
// has rows, as the tenant they belong to.
func TestNobodyChangesTheBooks(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	writes := writesTo(t, h.super)
	before := h.fingerprint(t.Context(), t)
	other := h.db.Tenant()
	for _, a := range attackers() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			try := h.attempts(t, a)
			for name, sql := range writes {
				if a.name == "superuser as replica" && strings.HasPrefix(name, "copy") {
					continue // a program runs before the table is looked at
				}
				try(name, sql)
			}
			if !a.owner {
				try("open door, update", `select set_config('ledger.door', 'open', true); update ledger.balance set debits_posted = 0`)
			}
			for name, sql := range reshapes {
				if !a.mayAnyway(name) {
					try(name, sql)
				}
			}
			for name, sql := range escapes {
				if !a.mayAnyway(name) {
					try(name, strings.ReplaceAll(sql, "%s", database(h.db)))
				}
			}
			if !a.owner && a.role != "migrator" {
				try("become the owner", `set role recourse_owner`)
				try("become the ledger's owner", `set role ledger_owner`)
				try("open maintenance", `select guard.open_maintenance('because')`)
			}
			switch a.role {
			case "app_api", "app_worker":
				try("another tenant's book", `select ledger.lock_book('`+other.String()+`', 'main', true)`)
				try("accounts for another tenant", `select ledger.open_accounts('`+other.String()+`', 'main', '{x}', '{x}', '{asset}', '{D}', '{usd}', '{}', '{}')`)
				for name, account := range map[string]string{
					"an account of one's own":     `'{x}', '{x}', '{asset}', '{D}', '{usd}', '{}', '{}'`,
					"the chart's under two names": `'{1010,1020}', '{"Cash, bank",Mine}', '{asset,asset}', '{D,D}', '{jpy,jpy}', '{}', '{}'`,
					"the chart's, another type":   `'{2010}', '{Customer deposits}', '{asset}', '{C}', '{jpy}', '{}', '{}'`,
					"the chart's, another side":   `'{2010}', '{Customer deposits}', '{liability}', '{D}', '{jpy}', '{}', '{}'`,
					"the chart's with a floor":    `'{2010}', '{Customer deposits}', '{liability}', '{C}', '{jpy}', '{0}', '{}'`,
					"the chart's with a ceiling":  `'{2010}', '{Customer deposits}', '{liability}', '{C}', '{jpy}', '{}', '{5}'`,
					"no account":                  `'{null}', '{x}', '{asset}', '{D}', '{jpy}', '{}', '{}'`,
				} {
					try(name, `select ledger.open_accounts('`+h.book.Tenant.String()+`', 'main', `+account+`)`)
				}
				try("any account", `select ledger.add_accounts('`+h.book.Tenant.String()+`', 'main', '{x}', '{x}', '{asset}', '{D}', '{usd}', '{}', '{}')`)
				try("other books", `select ledger.open_book('`+h.book.Tenant.String()+`', 'mine')`)
				try("an account's bounds", `select ledger.change_account('`+h.book.Tenant.String()+`', 'main', 'wallet:1', 'usd', false, null, null)`)
			case "sealer", "finance_ro", "auditor_ro", "migrator":
				if a.owner {
					break
				}
				try("the door", `select ledger.lock_book('`+h.book.Tenant.String()+`', 'main', true)`)
				try("accounts", `select ledger.open_accounts('`+h.book.Tenant.String()+`', 'main', '{x}', '{x}', '{asset}', '{D}', '{usd}', '{}', '{}')`)
			}
			if a.role == "sealer" {
				try("what is in the books", `select purpose from ledger.journal`)
				try("amounts", `select amount from ledger.posting`)
			}
		})
	}
	t.Cleanup(func() {
		require.Equal(t, before, h.fingerprint(context.WithoutCancel(t.Context()), t))
		requireSound(t, h.db)
	})
}

// attempts connects an attacker. What it tries must be refused for want of a
// right; nothing of it is kept.
func (h *hostile) attempts(t *testing.T, a attacker) func(name, sql string) {
	t.Helper()
	ctx := t.Context()
	url := h.db.SuperURL()
	if a.role != "" {
		url = h.db.URL(a.role)
	}
	conn, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(ctx)) })
	return func(name, sql string) {
		t.Helper()
		first := a.first
		if first != "" {
			first += ";"
		}
		// Read-only by default is a courtesy: an attacker asks for more.
		h.turn.Lock()
		defer h.turn.Unlock()
		_, err := conn.PgConn().Exec(ctx, `begin read write; select set_config('app.tenant', '`+h.book.Tenant.String()+`', true);`+first+sql).ReadAll()
		var pg *pgconn.PgError
		if assert.ErrorAs(t, err, &pg, "%s: %s", name, sql) {
			assert.Equal(t, "42501", pg.Code, "%s: %s: %s", name, sql, pg.Message)
		}
		_, err = conn.PgConn().Exec(ctx, `rollback`).ReadAll()
		require.NoError(t, err)
	}
}

func database(db *pgtest.DB) string {
	u := db.SuperURL()
	u = u[strings.LastIndex(u, "/")+1:]
	name, _, _ := strings.Cut(u, "?")
	return name
}

// A path and objects of the caller's do not reach the door, even where
// somebody was given a schema of his own.
func TestTheDoorDoesNotFollowItsCallersPath(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	super, tenant := db.Super(), db.Tenant()
	_, err := super.Exec(t.Context(), `
		create schema evil; grant usage on schema evil to app_worker;
		create table evil.book (like ledger.book); create table evil.posting (like ledger.posting); create table evil.balance (like ledger.balance);
		grant all on all tables in schema evil to app_worker;
		create function evil.genesis(uuid, text) returns bytea language sql as $$ select decode(repeat('00', 32), 'hex') $$;
		create function evil.check_links(integer, bigint, timestamptz, uuid[], text[], uuid[], uuid[]) returns text language sql as $$ select null $$;
		create function evil.sha256(bytea) returns bytea language sql as $$ select decode(repeat('00', 32), 'hex') $$`)
	require.NoError(t, err)
	cfg, err := pgxpool.ParseConfig(db.URL("app_worker"))
	require.NoError(t, err)
	cfg.ConnConfig.RuntimeParams["search_path"] = "evil, pg_catalog"
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	defer pool.Close()
	requirePosted(t, postgres.New(pool), tenant, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 700))
	var evil, good int
	require.NoError(t, super.QueryRow(t.Context(), `select (select count(*) from evil.book) + (select count(*) from evil.posting), (select count(*) from ledger.posting)`).Scan(&evil, &good))
	require.Zero(t, evil)
	require.Equal(t, 2, good)
	requireSound(t, db)
}

// What holds for every object there is and every one that comes.
func TestTheCatalogueKeepsTheRules(t *testing.T) {
	t.Parallel()
	super := pgtest.New(t).Super()
	for rule, sql := range map[string]string{
		"every table forces row-level security": `
			select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
			 where n.nspname in ('ledger', 'app') and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
		"every view is its reader's": `
			select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
			 where n.nspname not in ('pg_catalog', 'information_schema') and (c.relkind = 'm' or c.relkind = 'v'
			   and not coalesce(c.reloptions && array['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false))`,
		"every table of the ledger is guarded, always, against every way to write": `
			select c.oid::regclass || ' ' || what from pg_class c, unnest(array[4, 8, 16, 32], array['insert', 'delete', 'update', 'truncate']) as w (bit, what)
			 where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p')
			   and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgenabled = 'A' and t.tgtype & 2 = 2 and t.tgtype & w.bit = w.bit
				 and t.tgfoid in ('ledger.forbid'::regproc, 'ledger.door_only'::regproc, 'ledger.only_through_the_door'::regproc))`,
		"no trigger of the product is off where triggers are off": `
			select t.tgrelid::regclass || ' ' || t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
			 where n.nspname in ('ledger', 'app', 'custody') and not t.tgisinternal and t.tgenabled <> 'A' and c.relname not in ('transaction', 'entry', 'head')`,
		"every function that runs as its owner has a path of its own, its schema first and temporary objects last": `
			select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
			 where n.nspname not in ('pg_catalog', 'information_schema') and p.prosecdef
			   and not exists (select from unnest(p.proconfig) s where s ~ ('^search_path=(' || n.nspname || '|pg_catalog)(, *(app|ledger))*, *pg_temp$'))`,
		"nobody in particular may execute nothing of the ledger": `
			select p.oid::regprocedure::text from pg_proc p
			 where p.pronamespace in ('ledger'::regnamespace, 'guard'::regnamespace) and p.prosecdef and has_function_privilege('public', p.oid, 'execute')`,
		"who only reads executes nothing as the owner": `
			select r || ' ' || p.oid::regprocedure from pg_proc p, unnest(array['finance_ro', 'auditor_ro']) r
			 where p.pronamespace = 'ledger'::regnamespace and p.prosecdef and has_function_privilege(r, p.oid, 'execute')`,
		"no login writes a table of the ledger that the owner's functions write": `
			select r || ' ' || c.oid::regclass || ' ' || w from pg_class c, unnest(array['app_api', 'app_worker', 'finance_ro', 'auditor_ro', 'migrator']) r,
			       unnest(array['insert', 'update', 'delete', 'truncate', 'references', 'trigger']) w
			 where c.relnamespace = 'ledger'::regnamespace and c.relkind in ('r', 'p', 'v') and has_table_privilege(r, c.oid, w)`,
		"no role of the product is above row-level security, and owners do not log in": `
			select rolname from pg_roles where rolname in ('recourse_owner', 'ledger_owner', 'migrator', 'app_api', 'app_worker', 'finance_ro', 'auditor_ro', 'sealer')
			   and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolname like '%owner' and rolcanlogin)`,
		"nobody makes temporary or public objects": `
			select r from unnest(array['ledger_owner', 'app_api', 'app_worker', 'finance_ro', 'auditor_ro', 'sealer', 'migrator']) r
			 where has_database_privilege(r, current_database(), 'temporary') or has_database_privilege(r, current_database(), 'create')
			    or has_schema_privilege(r, 'public', 'create')`,
		"the guards of the shape are on, always": `
			select name from unnest(array['guard_ddl', 'guard_drop']) name
			 where not exists (select from pg_event_trigger e where e.evtname = name and e.evtenabled = 'A' and e.evtowner = 'postgres'::regrole)`,
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			rows, err := super.Query(t.Context(), sql)
			require.NoError(t, err)
			breaches, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			require.Empty(t, breaches)
		})
	}
}

// One connection, used by one tenant after another: nothing of the first is
// left for the second, whatever became of the first one's transaction.
func TestAConnectionUsedAgainCarriesNoTenant(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	cfg, err := pgxpool.ParseConfig(db.URL("app_worker"))
	require.NoError(t, err)
	cfg.MaxConns = 1
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	require.NoError(t, err)
	defer pool.Close()
	store, mine, theirs := postgres.New(pool), db.Tenant(), db.Tenant()
	requirePosted(t, postgres.New(db.Pool("app_worker")), theirs, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 2))
	transfer := func() ledger.Transaction {
		return ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1)
	}
	changedMind := errors.New("changed my mind")
	requirePosted(t, store, mine, transfer())
	for name, use := range map[string]func(t *testing.T){
		"posted with the book locked": func(t *testing.T) {
			t.Helper()
			requirePosted(t, postgres.New(pool), mine, transfer())
		},
		"posted straight": func(t *testing.T) {
			t.Helper()
			requirePosted(t, store, mine, transfer())
			requirePosted(t, store, mine, transfer())
		},
		"read": func(t *testing.T) {
			t.Helper()
			list, err := store.TrialBalance(ctx, ledger.Main(mine), "")
			require.NoError(t, err)
			require.NotEmpty(t, list)
		},
		"rolled back": func(t *testing.T) {
			t.Helper()
			require.ErrorIs(t, pgtenant.Tx(ctx, pool, mine, func(ctx context.Context, tx pgx.Tx) error {
				_, err := store.PostTx(ctx, tx, ledger.Main(mine), []ledger.Transaction{transfer()})
				require.NoError(t, err)
				return changedMind
			}), changedMind)
		},
		"failed": func(t *testing.T) {
			t.Helper()
			require.Error(t, pgtenant.Tx(ctx, pool, mine, func(ctx context.Context, tx pgx.Tx) error {
				_, err := tx.Exec(ctx, `select 1 / 0`)
				return err
			}))
		},
		"refused at the door": func(t *testing.T) {
			t.Helper()
			q := &pgx.Batch{}
			q.Queue(`select set_config('app.tenant', $1, true)`, mine.String())
			q.Queue(`select ledger.lock_book($1, 'main', false)`, theirs)
			require.Error(t, pool.SendBatch(ctx, q).Close())
		},
	} {
		use(t)
		for _, table := range []string{"ledger.book", "ledger.journal", "ledger.posting", "ledger.journal_key", "ledger.balance", "ledger.account", "ledger.trial_balance"} {
			var n int
			require.NoError(t, pool.QueryRow(ctx, `select count(*) from `+table).Scan(&n))
			require.Zero(t, n, "%s: %s shows without a tenant", name, table)
		}
		var who string
		require.NoError(t, pool.QueryRow(ctx, `select coalesce(current_setting('app.tenant', true), '') || coalesce(current_setting('ledger.door', true), '')`).Scan(&who))
		require.Empty(t, who, name)
		require.NoError(t, pgtenant.ReadTx(ctx, pool, theirs, func(ctx context.Context, tx pgx.Tx) error {
			var mixed int
			return errors.Join(tx.QueryRow(ctx, `select count(*) from ledger.book where tenant_id <> $1`, theirs).Scan(&mixed), func() error {
				require.Zero(t, mixed, name)
				return nil
			}())
		}))
	}
	requireSound(t, db)
}

func TestATenantSeesItsOwnBooksOnly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	mine, theirs := db.Tenant(), db.Tenant()
	store := postgres.New(db.Pool("app_worker"))
	requirePosted(t, store, mine, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 1))
	requirePosted(t, store, theirs, ledgertest.Transfer(uuid.New(), ledger.StripeClearing, ledger.CustomerDeposits, 2))

	var account string
	require.NoError(t, db.Super().QueryRow(t.Context(), `select max(a.id)::text from ledger.posting p join ledger.account a on a.id = p.account_id where a.tenant_id = $1`, theirs).Scan(&account))
	asOf := "ledger.balance_at(" + account + ", 'infinity')"
	for _, role := range []string{"app_api", "app_worker", "finance_ro"} {
		for _, table := range []string{"ledger.account", "ledger.book", "ledger.journal", "ledger.posting", "ledger.journal_key", "ledger.balance", "ledger.trial_balance"} {
			require.Zero(t, count(t, db.URL(role), "", table), "%s sees %s without a tenant", role, table)
			require.Zero(t, count(t, db.URL(role), uuid.NewString(), table), "%s sees %s of nobody", role, table)
			n := count(t, db.URL(role), mine.String(), table)
			require.Positive(t, n, "%s sees its own %s", role, table)
			require.Equal(t, 2*n, count(t, db.URL("auditor_ro"), "", table), "the auditor sees %s of both", table)
		}
		require.Equal(t, 1, count(t, db.URL(role), theirs.String(), asOf))
		require.Zero(t, count(t, db.URL(role), mine.String(), asOf), "%s sees the balance of another tenant's account", role)
	}
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
