package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/recourse/recourse/audit"
	"github.com/recourse/recourse/audit/postgres"
	"github.com/recourse/recourse/internal/pgtenant"
	"github.com/recourse/recourse/internal/pgtest"
	"github.com/recourse/recourse/seal"
	sealpg "github.com/recourse/recourse/seal/postgres"
)

type log struct {
	db                  *pgtest.DB
	api, auditor, super *pgxpool.Pool
	tenant              uuid.UUID
}

func setup(tb testing.TB) *log {
	tb.Helper()
	db := pgtest.New(tb)
	return &log{db, db.Pool("app_api"), db.Pool("auditor_ro"), db.Super(), db.Tenant()}
}

const appendSQL = `select audit.append($1, $2, 'operator', 'placeQuarantine', $3, 'req_1', '127.0.0.1', 201, sha256('asked'), sha256('answered'))`

func (l *log) append(ctx context.Context, actor, path string) error {
	return pgtenant.Tx(ctx, l.api, l.tenant, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, appendSQL, l.tenant, actor, path)
		return err
	})
}

func (l *log) fill(tb testing.TB, n int) {
	tb.Helper()
	require.NoError(tb, pgtenant.Tx(tb.Context(), l.api, l.tenant, func(ctx context.Context, tx pgx.Tx) error {
		for i := range n {
			if _, err := tx.Exec(ctx, appendSQL, l.tenant, fmt.Sprintf("key%d", i%3), fmt.Sprintf("/v1/quarantines/%d/ü", i)); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (l *log) audit(tb testing.TB, a postgres.Audit) ([]postgres.LogReport, []postgres.Finding) {
	tb.Helper()
	reports, found, err := postgres.New(l.auditor).Audit(tb.Context(), a)
	require.NoError(tb, err)
	return reports, found
}

func (l *log) seal(tb testing.TB, key *seal.Key) seal.Checkpoint {
	tb.Helper()
	seals := postgres.NewSeals(l.db.Pool("sealer"))
	due, err := seals.Due(tb.Context(), nil)
	require.NoError(tb, err)
	for _, d := range due {
		if d.Tenant == l.tenant {
			next, _, put, err := seals.Seal(tb.Context(), d, key)
			require.NoError(tb, err)
			require.True(tb, put)
			return next
		}
	}
	require.FailNow(tb, "nothing is due")
	return seal.Checkpoint{}
}

func logKey(tb testing.TB) *seal.Key {
	tb.Helper()
	key, err := seal.NewKey("books.example/ledger", seal.ForLog)
	require.NoError(tb, err)
	return key
}

// What the database hashes is what the program hashes, whoever appends at the
// same moment.
func TestTheLogIsOneChain(t *testing.T) {
	t.Parallel()
	l := setup(t)
	other := &log{db: l.db, api: l.api, tenant: l.db.Tenant()}
	var g errgroup.Group
	for i := range 60 {
		g.Go(func() error { return l.append(t.Context(), fmt.Sprintf("key%d", i%3), fmt.Sprint("/ö/", i)) })
		g.Go(func() error { return other.append(t.Context(), "theirs", "/x") })
	}
	require.NoError(t, g.Wait())
	reports, found := l.audit(t, postgres.Audit{})
	require.Empty(t, found)
	require.Len(t, reports, 2)
	for _, r := range reports {
		require.Equal(t, int64(60), r.Actions)
	}

	store := postgres.New(l.api)
	all, err := store.Actions(t.Context(), l.tenant, "", 0, 100)
	require.NoError(t, err)
	require.Len(t, all, 60)
	prev := audit.Genesis(l.tenant)
	for i := range all {
		a := all[len(all)-1-i]
		require.Equal(t, int64(i+1), a.Seq)
		require.Equal(t, sha256.Sum256([]byte("asked")), a.Request)
		require.NotEqual(t, "theirs", a.Actor)
		prev = a.Hash(prev)
	}
	require.Contains(t, []string{reports[0].Head, reports[1].Head}, fmt.Sprintf("%x", prev))
	mine, err := store.Actions(t.Context(), l.tenant, "key1", 40, 5)
	require.NoError(t, err)
	require.Len(t, mine, 5)
	for _, a := range mine {
		require.Equal(t, "key1", a.Actor)
		require.Less(t, a.Seq, int64(40))
	}
	nobody, err := store.Actions(t.Context(), uuid.New(), "", 0, 5)
	require.NoError(t, err)
	require.Empty(t, nobody)
}

// What fails takes its action with it, and an action that is refused what it
// tells of.
func TestAnActionIsThereIfWhatItTellsOfIs(t *testing.T) {
	t.Parallel()
	l := setup(t)
	failed := errors.New("it failed")
	require.ErrorIs(t, pgtenant.Tx(t.Context(), l.api, l.tenant, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, appendSQL, l.tenant, "key", "/x"); err != nil {
			return err
		}
		return failed
	}), failed)
	_, found := l.audit(t, postgres.Audit{})
	require.Empty(t, found)
	for constraint, args := range map[string][]any{
		"action_named":   {l.tenant, "", "/x"},
		"action_bounded": {l.tenant, "key", strings.Repeat("x", 501)},
	} {
		err := pgtenant.Tx(t.Context(), l.api, l.tenant, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, appendSQL, args...)
			return err
		})
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, constraint, refused.ConstraintName)
	}
	err := pgtenant.Tx(t.Context(), l.api, l.db.Tenant(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, appendSQL, l.tenant, "key", "/x")
		return err
	})
	require.ErrorContains(t, err, "the tenant is not the session's")
}

func TestNobodyChangesWhatWasDone(t *testing.T) {
	t.Parallel()
	l := setup(t)
	l.fill(t, 300)
	l.seal(t, logKey(t))
	attacks := map[string]string{
		"disable a trigger":       `alter table audit.action disable trigger action_update`,
		"disable all triggers":    `alter table audit.chain disable trigger user`,
		"drop a trigger":          `drop trigger action_delete on audit.action`,
		"drop a table":            `drop table audit.cosignature`,
		"drop the schema":         `drop schema audit cascade`,
		"replace the guard":       `create or replace function audit.door_only() returns trigger language plpgsql as 'begin return null; end'`,
		"replace the door":        `create or replace function audit.genesis(p_tenant uuid) returns bytea language sql as 'select null::bytea'`,
		"a second door":           `create function audit.back_door() returns void language sql security definer as 'select'`,
		"row security not forced": `alter table audit.action no force row level security`,
		"widen a policy":          `alter policy action_own on audit.action using (true)`,
		"a rule":                  `create rule quiet as on insert to audit.action do instead nothing`,
		"drop a constraint":       `alter table audit.action drop constraint action_pkey`,
		"open the door":           `select set_config('audit.door', 'open', true); delete from audit.action`,
		"insert by the door":      `select set_config('audit.door', 'open', true); update audit.action set actor = actor`,
	}
	for table, column := range map[string]string{"chain": "seq", "action": "actor", "tile": "root", "checkpoint": "root", "cosignature": "line"} {
		attacks["insert "+table] = `insert into audit.` + table + ` overriding system value select (x).* from (select x from audit.` + table + ` x limit 1) y`
		attacks["update "+table] = `update audit.` + table + ` set ` + column + ` = ` + column
		attacks["delete "+table] = `delete from audit.` + table
		attacks["truncate "+table] = `truncate audit.` + table
	}
	var known int
	require.NoError(t, l.super.QueryRow(t.Context(), `select count(*) from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'r'`).Scan(&known))
	require.Equal(t, 5, known, "a new table needs its attacks")
	for _, a := range []struct{ name, role, first string }{
		{"app_api", "app_api", ""},
		{"app_worker", "app_worker", ""},
		{"sealer", "sealer", ""},
		{"finance_ro", "finance_ro", ""},
		{"auditor_ro", "auditor_ro", ""},
		{"migrator", "migrator", ""},
		{"migrator as owner", "migrator", `set local role audit_owner`},
		{"audit_owner", "", `set local role audit_owner`},
		{"superuser", "", ""},
		{"superuser as replica", "", `set local session_replication_role = replica`},
	} {
		url := l.db.SuperURL()
		if a.role != "" {
			url = l.db.URL(a.role)
		}
		pool, err := pgxpool.New(t.Context(), url)
		require.NoError(t, err)
		for name, sql := range attacks {
			before := false
			err := pgtenant.Tx(t.Context(), pool, l.tenant, func(ctx context.Context, tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, a.first); err != nil {
					return err
				}
				before = true
				for part := range strings.SplitSeq(sql, "; ") {
					if strings.HasPrefix(sql, "create") {
						part = sql
					}
					if _, err := tx.Exec(ctx, part); err != nil {
						return err
					}
				}
				return errors.New("it was let through")
			})
			require.True(t, before, "%s: %v", a.name, err)
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, "%s: %s", a.name, name)
		}
		pool.Close()
	}
	_, found := l.audit(t, postgres.Audit{})
	require.Empty(t, found)
}

// attack is what a superuser can do who takes the guards away.
func (l *log) attack(tb testing.TB, sql ...string) {
	tb.Helper()
	for _, q := range append([]string{`do $$ declare t text; begin
		perform guard.open_maintenance('an attack');
		foreach t in array array['chain', 'action', 'tile', 'checkpoint', 'cosignature'] loop
			execute format('alter table audit.%I disable trigger all', t);
		end loop; end $$`}, sql...) {
		_, err := l.super.Exec(tb.Context(), q)
		require.NoError(tb, err, q)
	}
}

// chainAgain makes the chain follow from what the actions say now.
const chainAgain = `do $$ declare a audit.action; prev bytea; c audit.chain; begin
	for c in select * from audit.chain loop
		prev := audit.genesis(c.tenant_id);
		for a in select * from audit.action where chain_id = c.id order by seq loop
			prev := sha256(prev || '\x00'::bytea || audit.record(a));
			update audit.action set hash = prev where chain_id = c.id and seq = a.seq;
			update audit.chain set seq = a.seq, hash = prev where id = c.id;
		end loop;
	end loop; end $$`

func TestEveryEditIsFound(t *testing.T) {
	t.Parallel()
	l, key := setup(t), logKey(t)
	l.fill(t, 300)
	kept := l.seal(t, key)
	keys := postgres.Audit{Keys: []seal.PublicKey{key.PublicKey}, Kept: []seal.Checkpoint{kept}}
	reports, found := l.audit(t, keys)
	require.Empty(t, found)
	require.Equal(t, int64(300), reports[0].Actions)
	require.Equal(t, int64(1), reports[0].Checkpoints)
	tables := []string{"chain", "action", "tile", "checkpoint"}
	for _, table := range tables {
		_, err := l.super.Exec(t.Context(), `create table public.`+table+` as select * from audit.`+table)
		require.NoError(t, err)
	}
	for name, c := range map[string]struct {
		edit  []string
		first int64
	}{
		"who did it":            {[]string{`update audit.action set actor = 'somebody else' where seq = 200`}, 200},
		"what was done":         {[]string{`update audit.action set operation = 'releaseQuarantine' where seq = 200`}, 200},
		"on what":               {[]string{`update audit.action set path = '/v1/quarantines/0' where seq = 200`}, 200},
		"what was answered":     {[]string{`update audit.action set status = 422 where seq = 200`}, 200},
		"when":                  {[]string{`update audit.action set recorded_at = recorded_at - interval '1 year' where seq = 200`}, 200},
		"the digest":            {[]string{`update audit.action set request = sha256('other') where seq = 200`}, 200},
		"one gone":              {[]string{`delete from audit.action where seq = 200`}, 200},
		"the first gone":        {[]string{`delete from audit.action where seq = 1`}, 1},
		"two swapped":           {[]string{`update audit.action set seq = -seq where seq in (200, 201)`, `update audit.action set seq = 401 + seq where seq < 0`}, 200},
		"the head":              {[]string{`update audit.chain set hash = sha256('x')`}, 301},
		"the head back":         {[]string{`update audit.chain set seq = 290`}, 301},
		"cut":                   {[]string{`delete from audit.action where seq > 290`}, 291},
		"all of it, recomputed": {[]string{`update audit.action set actor = 'somebody else' where seq = 200`, chainAgain}, 200},
		"cut, recomputed":       {[]string{`delete from audit.action where seq > 290`, chainAgain}, 291},
		"one edit in a tile":    {[]string{`update audit.tile set hashes = overlay(hashes placing '\x00'::bytea from 32 * 199 + 1)`}, 200},
		"a tile gone":           {[]string{`delete from audit.tile`}, 0},
		"a checkpoint's root":   {[]string{`update audit.checkpoint set root = sha256('x')`}, 0},
		"the log gone":          {[]string{`delete from audit.action`, `delete from audit.chain`}, 0},
	} {
		l.attack(t, c.edit...)
		reports, found := l.audit(t, keys)
		require.NotEmpty(t, found, name)
		if c.first > 0 {
			require.Equal(t, c.first, reports[0].FirstBad, "%s: %v", name, found)
		}
		if strings.HasSuffix(name, "recomputed") {
			l.attack(t, `delete from audit.checkpoint`, `delete from audit.tile`)
			_, found = l.audit(t, postgres.Audit{})
			require.Empty(t, found, "it agrees with itself")
			_, found = l.audit(t, keys)
			require.NotEmpty(t, found, "what somebody kept tells")
		}
		for _, table := range tables {
			l.attack(t, `delete from audit.`+table, `insert into audit.`+table+` overriding system value select * from public.`+table)
		}
	}
	_, found = l.audit(t, keys)
	require.Empty(t, found, "all is as it was")
}

func TestAnActionIsProved(t *testing.T) {
	t.Parallel()
	l, key := setup(t), logKey(t)
	l.fill(t, 5)
	store := postgres.New(l.api)
	_, err := store.Prove(t.Context(), l.tenant, 3)
	require.ErrorIs(t, err, sealpg.ErrNotSealed)
	l.seal(t, key)
	for seq := range int64(5) {
		b, err := store.Prove(t.Context(), l.tenant, seq+1)
		require.NoError(t, err)
		facts, err := b.Verify(key.PublicKey)
		require.NoError(t, err)
		require.Equal(t, seq+1, facts.Seq)
		require.Equal(t, fmt.Sprintf("/v1/quarantines/%d/ü", seq), facts.Path)
	}
	for tenant, seq := range map[uuid.UUID]int64{l.tenant: 6, l.db.Tenant(): 1} {
		_, err = store.Prove(t.Context(), tenant, seq)
		require.ErrorIs(t, err, postgres.ErrNoAction)
	}
	l.attack(t, `update audit.action set actor = 'somebody else' where seq = 3`)
	_, err = store.Prove(t.Context(), l.tenant, 3)
	require.ErrorIs(t, err, seal.ErrInconsistent)
	_, _, err = store.Audit(t.Context(), postgres.Audit{})
	require.ErrorIs(t, err, postgres.ErrSeesNotAll)
}
