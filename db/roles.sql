-- Who may do what in this database. Run once by a superuser, connected to the
-- product's own database, before the first migration; running it again changes
-- nothing. Passwords and client certificates are the deployment's business and
-- are set with ALTER ROLE afterwards.
--
--   recourse_owner  NOLOGIN  owns the database and schema app
--   ledger_owner    NOLOGIN  owns schema ledger and its one door
--   custody_owner   NOLOGIN  owns schema custody and its doors
--   audit_owner     NOLOGIN  owns schema audit and its doors
--   migrator        LOGIN    becomes an owner to migrate; holds nothing at run time
--   app_api         LOGIN    the API: accepts and shows
--   app_worker      LOGIN    the worker: runs steps and posts through the door
--   finance_ro      LOGIN    reads the books
--   auditor_ro      LOGIN    reads the books and who did what
--   sealer          LOGIN    reads the chain's hashes, writes checkpoints and the tree
--
-- No software runs as a superuser or with BYPASSRLS.

-- Back in the end; until then what it guards can be made and replaced.
drop event trigger if exists guard_ddl;
drop event trigger if exists guard_drop;

do $$
declare
  r record;
begin
  for r in
    select * from (values
      ('recourse_owner', 'nologin'),
      ('ledger_owner',   'nologin'),
      ('custody_owner',  'nologin'),
      ('audit_owner',    'nologin'),
      ('migrator',       'login noinherit'),
      ('app_api',        'login'),
      ('app_worker',     'login'),
      ('finance_ro',     'login'),
      ('auditor_ro',     'login'),
      ('sealer',         'login')
    ) as t (name, attributes)
  loop
    if not exists (select from pg_roles where rolname = r.name) then
      begin
        execute format('create role %I %s', r.name, r.attributes);
      exception when duplicate_object or unique_violation then
        null; -- another database of this cluster is being set up at the same moment
      end;
    end if;
  end loop;

  execute format('alter database %I owner to recourse_owner', current_database());
  execute format('revoke all on database %I from public', current_database());
  execute format('grant connect on database %I to migrator, app_api, app_worker, finance_ro, auditor_ro, sealer', current_database());
end
$$;

grant recourse_owner, ledger_owner, custody_owner, audit_owner to migrator;

-- Nobody creates anything outside the owners' schemas.
revoke all on schema public from public;

-- The history of migrations belongs to the role that applies them.
create schema if not exists migration authorization migrator;

-- Every program reads which migration the schema is at, and refuses to run on
-- one it does not know.
grant usage on schema migration to app_api, app_worker, finance_ro, auditor_ro, sealer;
alter default privileges for role migrator in schema migration
  grant select on tables to app_api, app_worker, finance_ro, auditor_ro, sealer;

-- The owners of schemas ledger, custody and audit do not own the database, so the
-- schemas are made here, where all roles are at hand.
create schema if not exists app authorization recourse_owner;
create schema if not exists ledger authorization ledger_owner;
create schema if not exists custody authorization custody_owner;
create schema if not exists audit authorization audit_owner;

-- Limits that hold for every session of a role, whatever the program forgot.
alter role app_api set statement_timeout = '10s';
alter role app_api set lock_timeout = '2s';
alter role app_api set idle_in_transaction_session_timeout = '30s';
alter role app_worker set statement_timeout = '30s';
alter role app_worker set lock_timeout = '5s';
alter role app_worker set idle_in_transaction_session_timeout = '30s';
alter role finance_ro set default_transaction_read_only = on;
alter role auditor_ro set default_transaction_read_only = on;
alter role migrator set lock_timeout = '2s';
alter role sealer set statement_timeout = '60s';
alter role sealer set idle_in_transaction_session_timeout = '30s';

-- Compiling a statement pays for reports of minutes, not for what these do.
alter role app_api set jit = off;
alter role app_worker set jit = off;
alter role sealer set jit = off;

-- What is acknowledged is on disk, whatever the server's default.
alter role app_api set synchronous_commit = on;
alter role app_worker set synchronous_commit = on;
alter role sealer set synchronous_commit = on;

-- The shape of the books, of custody, of the audit log and of what the product promises (barriers,
-- approvals, idempotency, outbox) changes only in a maintenance window, which
-- the migrator opens for its own session, with a reason that stays on record.
-- The guard belongs to the superuser who runs this script: the owners cannot
-- take it away.
create schema if not exists guard;
revoke all on schema guard from public;
create table if not exists guard.maintenance (
  id        bigint      generated always as identity,
  backend   integer     not null,
  began_at  timestamptz not null,   -- of the backend, so that a number used again is told apart
  opened_by text        not null,
  reason    text        not null,
  opened_at timestamptz not null default clock_timestamp(),
  constraint maintenance_pkey primary key (id),
  constraint maintenance_reason_given check (length(reason) between 1 and 500)
);

create or replace function guard.open_maintenance(p_reason text) returns bigint
  language sql volatile security definer set search_path = guard, pg_temp as $$
    insert into guard.maintenance (backend, began_at, opened_by, reason)
    select pg_backend_pid(), a.backend_start, session_user, p_reason from pg_stat_activity a where a.pid = pg_backend_pid()
    returning id
  $$;

-- For an hour, in the session that opened it.
create or replace function guard.in_maintenance() returns boolean
  language sql stable security definer set search_path = guard, pg_temp as $$
    select exists (select from guard.maintenance m join pg_stat_activity a on a.pid = m.backend and a.backend_start = m.began_at
                    where m.backend = pg_backend_pid() and m.opened_at > clock_timestamp() - interval '1 hour')
  $$;
revoke all on function guard.open_maintenance(text), guard.in_maintenance() from public;
grant usage on schema guard to migrator, ledger_owner, custody_owner, audit_owner, recourse_owner, auditor_ro;
grant execute on function guard.open_maintenance(text) to migrator;
grant execute on function guard.in_maintenance() to migrator, ledger_owner, custody_owner, audit_owner, recourse_owner, auditor_ro;
grant select on guard.maintenance to auditor_ro;

create or replace function guard.refuse_ddl() returns event_trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  what text;
begin
  if tg_event = 'sql_drop' then
    select object_identity into what from pg_event_trigger_dropped_objects()
     where schema_name in ('app', 'ledger', 'custody', 'audit', 'guard') or object_identity ~ '( on |^)(app|ledger|custody|audit|guard)(\.|$)' limit 1;
  else
    select coalesce(object_identity, command_tag) into what from pg_event_trigger_ddl_commands()
     where schema_name in ('app', 'ledger', 'custody', 'audit', 'guard') or object_identity ~ '( on |^)(app|ledger|custody|audit|guard)(\.|$)'
        or command_tag in ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES')
           and current_user in ('recourse_owner', 'ledger_owner', 'custody_owner') limit 1;
  end if;
  if what is not null and not (select guard.in_maintenance()) then
    raise exception '% of % is refused: its shape changes only in a maintenance window', tg_tag, what
      using errcode = '42501', hint = 'recourse migrate opens one and puts it on record';
  end if;
end $$;
create event trigger guard_ddl on ddl_command_end execute function guard.refuse_ddl();
create event trigger guard_drop on sql_drop execute function guard.refuse_ddl();
alter event trigger guard_ddl enable always;
alter event trigger guard_drop enable always;
