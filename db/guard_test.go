package db_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/recourse/recourse/internal/pgtest"
)

// reshapes are ways to change what schema app promises: barriers, approvals,
// idempotency, the outbox of started sagas.
var reshapes = map[string]string{
	"a barrier's trigger off":           `alter table app.saga_step disable trigger saga_step_guard`,
	"a barrier's trigger gone":          `drop trigger saga_step_guard on app.saga_step`,
	"all triggers of approvals off":     `alter table app.approval disable trigger user`,
	"a trigger not always":              `alter table app.approval enable trigger approval_guard`,
	"events that change":                `drop trigger saga_event_append_only on app.saga_event`,
	"one more trigger":                  `create trigger extra before insert on app.approval for each row execute function app.forbid()`,
	"another guard":                     `create or replace function app.guard_approval() returns trigger language plpgsql as $$ begin return new; end $$`,
	"another judge of approvals":        `create or replace function app.approvers_hold(p_tenant uuid, p_id text) returns boolean language sql as 'select true'`,
	"a guard without a path":            `alter function app.guard_saga() set search_path = public`,
	"no function":                       `drop function app.decide(uuid, text, bytea, text, text)`,
	"one more function":                 `create function app.back_door() returns void language sql security definer as 'select'`,
	"two people who are one":            `alter table app.approval_decision drop constraint approval_decision_two_people`,
	"keys used twice":                   `alter table app.idempotency drop constraint idempotency_pkey cascade`,
	"one more column":                   `alter table app.saga_step add column note text`,
	"a table by another name":           `alter table app.idempotency rename to was`,
	"no table":                          `drop table app.idempotency cascade`,
	"a table of one's own":              `create table app.approval_of_mine (x int)`,
	"an index":                          `create index mine on app.saga (id)`,
	"no index":                          `drop index app.saga_by_time_idx`,
	"row security off":                  `alter table app.approval disable row level security`,
	"row security not forced":           `alter table app.saga no force row level security`,
	"a policy gone":                     `drop policy approval_owner on app.approval`,
	"a policy for all":                  `create policy everybody on app.saga using (true)`,
	"a rule":                            `create rule quiet as on insert to app.saga_event do instead nothing`,
	"the schema gone":                   `drop schema app cascade`,
	"a right":                           `grant insert on app.approval to app_api`,
	"rights in advance":                 `alter default privileges in schema app grant all on tables to app_api`,
	"all that is owned":                 `drop owned by recourse_owner cascade`,
	"a table of custody":                `create table custody.mine (x int)`,
	"a trigger of custody":              `create trigger quiet before insert on custody.probe for each row execute function app.forbid()`,
	"a table of custody gone":           `drop table custody.probe`,
	"a function of custody":             `create function custody.f() returns int language sql as 'select 1'`,
	"rights on custody":                 `grant all on custody.probe to app_api`,
	"custody under another schema name": `alter table custody.probe rename to was`,
}

// The shape of what the product promises changes in a maintenance window only,
// whoever asks, and nothing a superuser may do by being one is in the list.
func TestTheShapeChangesInAMaintenanceWindowOnly(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	super, err := pgx.Connect(t.Context(), d.SuperURL())
	require.NoError(t, err)
	defer func() { _ = super.Close(context.WithoutCancel(t.Context())) }()
	var made bool // by a migration of its own
	require.NoError(t, super.QueryRow(t.Context(), `select to_regnamespace('custody') is not null`).Scan(&made))
	custody := `create table custody.probe (x int)`
	if !made {
		custody = `create schema custody; ` + custody
	}
	_, err = super.PgConn().Exec(t.Context(), `begin; select guard.open_maintenance('a test'); `+custody+`; commit`).ReadAll()
	require.NoError(t, err)

	grants := map[string]bool{"a right": true, "rights in advance": true, "rights on custody": true}
	for who, c := range map[string]struct {
		url, first string
		super      bool
	}{
		"the API":                      {d.URL("app_api"), ``, false},
		"the worker":                   {d.URL("app_worker"), ``, false},
		"the migrator":                 {d.URL("migrator"), ``, false},
		"the migrator as the owner":    {d.URL("migrator"), `set local role recourse_owner;`, false},
		"the owner":                    {d.SuperURL(), `set local role recourse_owner;`, false},
		"a superuser":                  {d.SuperURL(), ``, true},
		"a superuser without triggers": {d.SuperURL(), `set local session_replication_role = replica;`, true},
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			conn, err := pgx.Connect(t.Context(), c.url)
			require.NoError(t, err)
			defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
			for name, sql := range reshapes {
				if c.super && grants[name] || name == "rights in advance" && c.first == "" {
					continue // on what one makes oneself, which is nothing
				}
				var pg *pgconn.PgError
				for pg == nil || pg.Code == "40P01" || pg.Code == "55P03" { // the attackers are in each other's way: again
					_, err := conn.PgConn().Exec(t.Context(), `begin; `+c.first+sql).ReadAll()
					require.ErrorAs(t, err, &pg, name)
					_, err = conn.PgConn().Exec(t.Context(), `rollback`).ReadAll()
					require.NoError(t, err)
				}
				require.Equal(t, "42501", pg.Code, "%s: %s", name, pg.Message)
			}
		})
	}
}
