-- Who may do what in this database. Run once by a superuser, connected to the
-- product's own database, before the first migration; running it again changes
-- nothing. Passwords and client certificates are the deployment's business and
-- are set with ALTER ROLE afterwards.
--
--   recourse_owner  NOLOGIN  owns the database and schema app
--   ledger_owner    NOLOGIN  owns schema ledger and its one door
--   migrator        LOGIN    becomes an owner to migrate; holds nothing at run time
--   app_api         LOGIN    the API: accepts and shows
--   app_worker      LOGIN    the worker: runs steps and posts through the door
--   finance_ro      LOGIN    reads the books
--   auditor_ro      LOGIN    reads the books and who did what
--
-- No software runs as a superuser or with BYPASSRLS.

do $$
declare
  r record;
begin
  for r in
    select * from (values
      ('recourse_owner', 'nologin'),
      ('ledger_owner',   'nologin'),
      ('migrator',       'login noinherit'),
      ('app_api',        'login'),
      ('app_worker',     'login'),
      ('finance_ro',     'login'),
      ('auditor_ro',     'login')
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
  execute format('grant connect on database %I to migrator, app_api, app_worker, finance_ro, auditor_ro', current_database());
end
$$;

grant recourse_owner, ledger_owner to migrator;

-- Nobody creates anything outside the owners' schemas.
revoke all on schema public from public;

-- The history of migrations belongs to the role that applies them.
create schema if not exists migration authorization migrator;

-- Every program reads which migration the schema is at, and refuses to run on
-- one it does not know.
grant usage on schema migration to app_api, app_worker, finance_ro, auditor_ro;
alter default privileges for role migrator in schema migration
  grant select on tables to app_api, app_worker, finance_ro, auditor_ro;

-- The owner of schema ledger is not the owner of the database, so the schema
-- is made here, where both roles are at hand.
create schema if not exists app authorization recourse_owner;
create schema if not exists ledger authorization ledger_owner;

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
