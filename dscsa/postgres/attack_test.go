package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/dscsa"
	"github.com/recourse/recourse/dscsa/dscsatest"
	"github.com/recourse/recourse/internal/pgtenant"
)

// Whoever it is and however it comes in, nobody changes what is recorded, and
// nobody changes what guards it.
func TestNobodyChangesWhatIsRecorded(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(20), dscsa.Flag)
	c.hold(t, dscsa.HoldOrder{Class: dscsa.Recall, Things: []string{dscsatest.Unit("000001")}, Actor: "Ada", Reason: "class II"})
	super := c.db.Super()
	rows, err := super.Query(t.Context(), `
		select c.relname, (select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.attidentity = '' order by a.attnum limit 1)
		  from pg_class c where c.relnamespace = 'custody'::regnamespace and c.relkind = 'r'
		   and exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = c.relname || '_insert')`) // guarded by custody.guard_table
	require.NoError(t, err)
	attacks := map[string]string{
		"disable a trigger":       `alter table custody.entry disable trigger entry_update`,
		"disable all triggers":    `alter table custody.item disable trigger user`,
		"drop a trigger":          `drop trigger event_delete on custody.event`,
		"drop a table":            `drop table custody.hop`,
		"drop the schema":         `drop schema custody cascade`,
		"replace the guard":       `create or replace function custody.door_only() returns trigger language plpgsql as $$ begin return null; end $$`,
		"a second door":           `create function custody.back_door() returns void language sql security definer as 'select'`,
		"row security not forced": `alter table custody.item no force row level security`,
		"widen a policy":          `alter policy item_own on custody.item using (true)`,
		"a rule":                  `create rule quiet as on insert to custody.event do instead nothing`,
		"drop a constraint":       `alter table custody.hop drop constraint hop_pkey`,
		"grant a right":           `grant insert, update, delete on all tables in schema custody to app_worker`,
		"open the door":           `select set_config('custody.door', 'open', true); delete from custody.entry`,
		"the purge":               `select set_config('custody.purge', '1', true), set_config('custody.door', 'open', true); delete from custody.document_part`,
	}
	var table, column string
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&table, &column}, func() error {
		n++
		attacks["insert "+table] = `insert into custody.` + table + ` overriding system value select (x).* from (select x from custody.` + table + ` x limit 1) y`
		attacks["update "+table] = `update custody.` + table + ` set ` + column + ` = ` + column
		attacks["delete "+table] = `delete from custody.` + table
		attacks["truncate "+table] = `truncate custody.` + table
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 22, n)

	for _, a := range []struct{ name, role, first string }{
		{"app_api", "app_api", ""},
		{"app_worker", "app_worker", ""},
		{"sealer", "sealer", ""},
		{"finance_ro", "finance_ro", ""},
		{"auditor_ro", "auditor_ro", ""},
		{"migrator", "migrator", ""},
		{"migrator as owner", "migrator", `set local role custody_owner`},
		{"custody_owner", "", `set local role custody_owner`},
		{"superuser", "", ""},
		{"superuser as replica", "", `set local session_replication_role = replica`},
	} {
		url := c.db.SuperURL()
		if a.role != "" {
			url = c.db.URL(a.role)
		}
		pool, err := pgxpool.New(t.Context(), url)
		require.NoError(t, err)
		for name, sql := range attacks {
			if a.role == "" && a.first != `set local role custody_owner` && name == "grant a right" {
				continue // a superuser's grant gains nobody more than the superuser has; the ledger's tests tell that at length
			}
			err := pgtenant.Tx(t.Context(), pool, c.tenant, func(ctx context.Context, tx pgx.Tx) error {
				if a.first != "" {
					if _, err := tx.Exec(ctx, a.first); err != nil {
						return fmt.Errorf("before the attack: %w", err)
					}
				}
				for part := range strings.SplitSeq(sql, "; ") {
					if strings.Contains(sql, "$$") {
						part = sql
					}
					if _, err := tx.Exec(ctx, part); err != nil {
						return err
					}
					if strings.Contains(sql, "$$") {
						break
					}
				}
				return errNothing
			})
			var refused *pgconn.PgError
			require.ErrorAs(t, err, &refused, "%s: %s", a.name, name)
			require.NotContains(t, err.Error(), "before the attack")
		}
		pool.Close()
	}
	c.verify(t)
}

var errNothing = errors.New("it was let through")

// The doors take nothing that is wrong, and nothing of another tenant.
func TestTheDoorsTakeNothingThatIsWrong(t *testing.T) {
	t.Parallel()
	c := setup(t)
	c.record(t, stocked(10), dscsa.Accept)
	other := c.another()
	other.record(t, stocked(10), dscsa.Accept)
	u := dscsatest.Unit("000001")

	// What one tenant records, another neither sees nor touches.
	stranger := c.another()
	list, err := stranger.store.Units(t.Context(), stranger.tenant, []string{u})
	require.NoError(t, err)
	require.Empty(t, list[0].Key)
	_, err = stranger.reserve(t, "sg_1", u)
	requireRefused(t, err, dscsa.UnitUnknown, u)

	for name, sql := range map[string]string{
		"another tenant":         fmt.Sprintf(`select custody.lock_chain('%s')`, other.tenant),
		"another's chain":        fmt.Sprintf(`select custody.place_hold('%s', (select max(id) + 1 from custody.chain), 1, 'recall', '', '', null)`, c.tenant),
		"a hold by nobody":       fmt.Sprintf(`select custody.place_hold('%s', (select id from custody.chain), 1, 'recall', '', '', null)`, c.tenant),
		"a release by none":      fmt.Sprintf(`select custody.release_hold('%s', (select id from custody.chain), 1, 1)`, c.tenant),
		"a purge by none":        fmt.Sprintf(`select custody.purge('%s', (select id from custody.chain), 1, null, 0, true)`, c.tenant),
		"a part too much":        fmt.Sprintf(`select custody.put_part('%s', (select id from custody.chain), 1, 1, 'x')`, c.tenant),
		"the inner door":         fmt.Sprintf(`select custody.enter('%s', (select id from custody.chain))`, c.tenant),
		"a reservation by other": fmt.Sprintf(`select custody.reserve('%s', 'sg_1', 'x', array[1])`, other.tenant),
	} {
		err := c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
			return errNothing
		})
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, name)
	}
	// A fork, a hop from who does not hold it, an owner out of nothing.
	project := func(hop, item, n, from, to, hops, at, owner string) error {
		return c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`select custody.project('%s', c.id, c.seq, array['', 'in_stock', '%s', '%s', '%s'],
				array[%s]::bigint[], array[null], array[null]::int[], array[null], array[null]::bigint[], array[0]::smallint[], array[now()], array[5]::bigint[], array[null]::bigint[],
				array[1]::bigint[], array[null]::bigint[], array[1], array[%s], array[%s], array[1], array[null]::date[], array[2], array[1], array[5], array[true], array[5], array[5],
				'{}', '{}', array[%s]::bigint[], array[%s], array[7]::bigint[], array[%s::timestamptz], array[3], array[4]) from custody.chain c`,
				c.tenant, from, to, owner, item, hops, hop, item, n, at))
			return err
		})
	}
	item := fmt.Sprint(c.unit(t, u).ID)
	constraint := func(err error) string {
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused)
		return refused.ConstraintName
	}
	require.Equal(t, "hop_pkey", constraint(project("1", item, "1", maker, pharmacy, "1", "now()", pharmacy)), "a second first hop")
	require.Equal(t, "hop_follows", constraint(project("1", item, "2", maker, pharmacy, "2", "now()", pharmacy)), "from who has parted with it")
	require.Equal(t, "hop_follows", constraint(project("1", item, "3", wholesaler, pharmacy, "3", "now()", pharmacy)), "a hop left out")
	require.Equal(t, "hop_follows", constraint(project("1", item, "2", wholesaler, pharmacy, "2", "'2020-01-01'", pharmacy)), "before the one before it")
	require.Equal(t, "item_owner_is_last_hop", constraint(project("1", item, "2", wholesaler, pharmacy, "2", "now()", maker)), "owned by somebody else")
	require.Equal(t, "item_owner_is_last_hop", constraint(project("0", item, "2", wholesaler, pharmacy, "1", "now()", wholesaler)), "a hop nobody counts")
	// A batch that was changed on the way: its entry covers something else, or
	// does not follow.
	decide := func(content, prev, seq string) error {
		return c.tx(t, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`
				with head as (select id, seq, hash, greatest(clock_timestamp(), recorded_at) as at from custody.chain),
				e as (select h.*, %s as content, %s as prev from head h),
				f as (select e.*, sha256(e.prev || '\x0001'::bytea || int8send(e.seq + 1) || int8send((extract(epoch from e.at) * 1000000)::bigint) || int2send(3::smallint) || e.content) as next from e)
				select custody.append('%s', f.id, f.seq + %s, f.hash, f.at, array[3]::smallint[], array[f.content], array[f.next],
				  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', array[1], array['hold'], array['Ada'], array['why'], array['x'::bytea],
				  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
				  '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}') from f`, content, prev, c.tenant, seq))
			if err == nil {
				return errNothing
			}
			return err
		})
	}
	right := `custody.decision_content((f_chain.id, 0, 'hold', 'Ada', 'why', 'x'::bytea)::custody.decision)`
	right = strings.Replace(right, "f_chain.id", "1", 1)
	require.ErrorIs(t, decide(right, "h.hash", "0"), errNothing, "the right one is taken")
	for name, err := range map[string]error{
		"other content": decide(`sha256('y')`, "h.hash", "0"),
		"other past":    decide(right, `sha256('y')`, "0"),
	} {
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, name)
		require.Equal(t, "CU001", refused.Code, name)
	}
	var moved *pgconn.PgError
	require.ErrorAs(t, decide(right, "h.hash", "1"), &moved)
	require.Equal(t, "CU002", moved.Code)
	c.verify(t)
	other.verify(t)
}
