-- +goose Up
-- The saga's own tables: who may ask, what was accepted, where it stands.
--
-- Every table has row-level security forced. A session sees the tenant named by
-- the transaction-local setting app.tenant and nothing when it is unset.
set role recourse_owner;

create function app.current_tenant() returns uuid
  language sql stable parallel safe
  set search_path = pg_catalog, pg_temp
  as $$ select nullif(pg_catalog.current_setting('app.tenant', true), '')::uuid $$;

-- A customer of ours: one marketplace, one set of books.
create table app.tenant (
  id         uuid        not null,
  name       text        not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint tenant_pkey primary key (id),
  constraint tenant_name_length check (length(name) between 1 and 200)
);

-- A credential. id is the public part of sk_<env>_<id>_<secret>; of the secret
-- only the SHA-256 is kept (32 random bytes need no slow hash).
create table app.api_key (
  id            text        not null,
  tenant_id     uuid        not null,
  role          text        not null,
  name          text        not null,
  secret_sha256 bytea       not null,
  created_at    timestamptz not null default clock_timestamp(),
  expires_at    timestamptz,
  revoked_at    timestamptz,
  constraint api_key_pkey primary key (id),
  constraint api_key_tenant_fkey foreign key (tenant_id) references app.tenant (id),
  constraint api_key_role_known check (role in
    ('marketplace', 'finance_preparer', 'finance_reviewer', 'recall_operator', 'auditor', 'operator')),
  constraint api_key_id_shape check (id ~ '^[0-9A-Za-z]{8,32}$'),
  constraint api_key_digest_length check (octet_length(secret_sha256) = 32)
);
create index api_key_tenant_idx on app.api_key (tenant_id);

-- One accepted order and where it stands. Postgres is the authority on what
-- exists; Temporal on what runs.
--
--   pending ─► running ─► completed
--                 │
--                 ├─► rejected                     (nothing had happened)
--                 └─► compensating ─► compensated
--                          │
--                          └─► attention ─► compensating | compensated | completed
create table app.saga (
  tenant_id           uuid        not null,
  id                  text        not null,
  type                text        not null,
  status              text        not null default 'pending',
  order_ref           text        not null,
  amount              bigint      not null,   -- minor units of currency
  currency            text        not null,   -- ISO 4217, lower case
  request             jsonb       not null,   -- the order as accepted; holds personal data
  plan                jsonb       not null,   -- what the workflow needs to know of it; never personal data
  metadata            jsonb       not null default '{}',
  failure             jsonb,                  -- {code, message, step, decline_code} for the frontend
  version             bigint      not null default 1,
  created_by          text        not null,   -- api key id
  created_at          timestamptz not null default clock_timestamp(),
  updated_at          timestamptz not null default clock_timestamp(),
  started_at          timestamptz,            -- handed to Temporal
  run_id              text,                   -- the Temporal run that holds it
  recoveries          integer     not null default 0,
  checked_at          timestamptz,            -- last look of the sweeper
  pivot_at            timestamptz,            -- past the point of no return
  cancel_requested_at timestamptz,
  cancel_reason       text,
  finished_at         timestamptz,
  constraint saga_pkey primary key (tenant_id, id),
  constraint saga_tenant_fkey foreign key (tenant_id) references app.tenant (id),
  constraint saga_order_ref_once unique (tenant_id, type, order_ref),
  constraint saga_id_shape check (id ~ '^sg_[0-9a-z]{26}$'),
  constraint saga_status_known check (status in
    ('pending', 'running', 'completed', 'compensating', 'compensated', 'rejected', 'attention')),
  constraint saga_amount_positive check (amount > 0 and amount <= 9007199254740991),
  constraint saga_currency_shape check (currency ~ '^[a-z]{3}$'),
  constraint saga_order_ref_length check (length(order_ref) between 1 and 255),
  constraint saga_finished_when_terminal check
    ((status in ('completed', 'compensated', 'rejected')) = (finished_at is not null)),
  constraint saga_version_positive check (version > 0)
);
create index saga_by_time_idx on app.saga (tenant_id, created_at desc, id desc);
create index saga_open_idx on app.saga (checked_at nulls first, created_at)
  where finished_at is null;

-- The barrier and the step history are one row: unique (saga, step, op).
-- The row is written before the effect and settled with it.
create table app.saga_step (
  tenant_id   uuid        not null,
  saga_id     text        not null,
  step        text        not null,
  op          text        not null,   -- do | undo
  ordinal     integer     not null,   -- place in the flow, from 1
  status      text        not null,
  attempt     integer     not null default 1,
  epoch       integer     not null default 0,  -- part of the foreign key; moves only on a proven non-effect
  result      jsonb,                  -- what the other side answered, ids and amounts only
  failure     jsonb,                  -- {code, message, decline_code}
  started_at  timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  constraint saga_step_pkey primary key (tenant_id, saga_id, step, op),
  constraint saga_step_saga_fkey foreign key (tenant_id, saga_id) references app.saga (tenant_id, id),
  constraint saga_step_op_known check (op in ('do', 'undo')),
  constraint saga_step_status_known check (
    (op = 'do' and status in ('running', 'succeeded', 'refused', 'abandoned')) or
    (op = 'undo' and status in ('running', 'succeeded', 'skipped', 'attention'))),
  constraint saga_step_ordinal_positive check (ordinal > 0),
  constraint saga_step_attempt_positive check (attempt > 0),
  constraint saga_step_finished_when_settled check
    ((status in ('running', 'attention')) = (finished_at is null))
);

-- What happened to a saga, in order: the outbox that feeds streams and, later,
-- webhooks. Written in the transaction of the change it tells of.
create table app.saga_event (
  tenant_id  uuid        not null,
  saga_id    text        not null,
  version    bigint      not null,
  type       text        not null,   -- saga.created | saga.status | saga.step
  data       jsonb       not null,
  created_at timestamptz not null default clock_timestamp(),
  constraint saga_event_pkey primary key (tenant_id, saga_id, version),
  constraint saga_event_saga_fkey foreign key (tenant_id, saga_id) references app.saga (tenant_id, id),
  constraint saga_event_type_known check (type in ('saga.created', 'saga.status', 'saga.step'))
);

-- One row a key: the first answer, byte for byte.
create table app.idempotency (
  tenant_id   uuid        not null,
  key         text        not null,
  fingerprint bytea       not null,
  state       text        not null,
  lease_until timestamptz,
  saga_id     text,
  request_id  text        not null,
  status      integer,
  headers     jsonb,
  body        bytea,
  created_at  timestamptz not null default clock_timestamp(),
  expires_at  timestamptz not null,
  constraint idempotency_pkey primary key (tenant_id, key),
  constraint idempotency_tenant_fkey foreign key (tenant_id) references app.tenant (id),
  constraint idempotency_key_length check (length(key) between 1 and 255),
  constraint idempotency_fingerprint_length check (octet_length(fingerprint) = 32),
  constraint idempotency_state_known check (state in ('started', 'done')),
  constraint idempotency_done_has_answer check
    (state <> 'done' or (status is not null and headers is not null and body is not null)),
  constraint idempotency_started_has_lease check (state <> 'started' or lease_until is not null)
);
create index idempotency_expiry_idx on app.idempotency (expires_at);

-- Single-use tickets for browsers, whose EventSource cannot send a header.
create table app.stream_ticket (
  token_sha256 bytea       not null,
  tenant_id    uuid        not null,
  saga_id      text        not null,
  key_id       text        not null,
  expires_at   timestamptz not null,
  used_at      timestamptz,
  constraint stream_ticket_pkey primary key (token_sha256),
  constraint stream_ticket_saga_fkey foreign key (tenant_id, saga_id) references app.saga (tenant_id, id),
  constraint stream_ticket_digest_length check (octet_length(token_sha256) = 32)
);
create index stream_ticket_expiry_idx on app.stream_ticket (expires_at);

-- Maker and checker: what one person proposes another decides. The decision
-- holds for the payload whose hash is recorded, once, until it expires.
create table app.approval (
  tenant_id      uuid        not null,
  id             text        not null,
  action         text        not null,   -- saga.resolve, ...
  subject        text        not null,   -- the saga, the journal, ...
  payload        jsonb       not null,
  payload_sha256 bytea       not null,
  reason         text        not null,
  maker          text        not null,   -- api key id
  made_at        timestamptz not null default clock_timestamp(),
  checker        text,
  decision       text,
  decided_at     timestamptz,
  expires_at     timestamptz not null,
  consumed_at    timestamptz,
  constraint approval_pkey primary key (tenant_id, id),
  constraint approval_tenant_fkey foreign key (tenant_id) references app.tenant (id),
  constraint approval_id_shape check (id ~ '^apr_[0-9a-z]{26}$'),
  constraint approval_two_people check (checker is null or checker <> maker),
  constraint approval_decision_known check (decision in ('approved', 'rejected')),
  constraint approval_decided_whole check
    ((decision is null) = (checker is null) and (decision is null) = (decided_at is null)),
  constraint approval_used_only_if_approved check (consumed_at is null or decision = 'approved'),
  constraint approval_reason_given check (length(reason) between 1 and 2000)
);
create index approval_open_idx on app.approval (tenant_id, action, subject) where decision is null;

-- Who leads a background job just now. epoch grows with every change of
-- holder, so that a leader that slept through its lease can be refused.
create table app.lease (
  name       text        not null,
  holder     text        not null,
  epoch      bigint      not null default 1,
  expires_at timestamptz not null,
  constraint lease_pkey primary key (name)
);

-- Rules that hold whoever writes.

-- +goose StatementBegin
create function app.guard_saga() returns trigger
  language plpgsql set search_path = app, pg_temp as $$
begin
  if old.finished_at is not null and
     (new.status, new.finished_at, new.failure) is distinct from (old.status, old.finished_at, old.failure) then
    raise exception 'saga % is %: a terminal state is never left', old.id, old.status
      using errcode = '23514', constraint = 'saga_terminal_is_final';
  end if;
  if (new.tenant_id, new.id, new.type, new.order_ref, new.amount, new.currency, new.request, new.plan, new.created_at, new.created_by)
     is distinct from
     (old.tenant_id, old.id, old.type, old.order_ref, old.amount, old.currency, old.request, old.plan, old.created_at, old.created_by) then
    raise exception 'saga %: what was accepted is never changed', old.id
      using errcode = '23514', constraint = 'saga_order_is_final';
  end if;
  if new.version < old.version then
    raise exception 'saga %: version % after %', old.id, new.version, old.version
      using errcode = '23514', constraint = 'saga_version_monotone';
  end if;
  if old.pivot_at is not null and new.pivot_at is distinct from old.pivot_at then
    raise exception 'saga %: the point of no return is passed once', old.id
      using errcode = '23514', constraint = 'saga_pivot_once';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger saga_guard before update on app.saga
  for each row execute function app.guard_saga();

-- +goose StatementBegin
create function app.guard_step() returns trigger
  language plpgsql set search_path = app, pg_temp as $$
begin
  if old.finished_at is not null then
    raise exception 'saga %: % of step % is settled as %', old.saga_id, old.op, old.step, old.status
      using errcode = '23514', constraint = 'saga_step_settled_once';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger saga_step_guard before update on app.saga_step
  for each row execute function app.guard_step();

-- +goose StatementBegin
create function app.forbid() returns trigger
  language plpgsql set search_path = app, pg_temp as $$
begin
  raise exception '% on %.% is refused: rows are only ever added', tg_op, tg_table_schema, tg_table_name
    using errcode = '42501';
end $$;
-- +goose StatementEnd
create trigger saga_event_append_only before update or delete on app.saga_event
  for each row execute function app.forbid();
create trigger saga_event_no_truncate before truncate on app.saga_event
  for each statement execute function app.forbid();
create trigger saga_no_delete before delete on app.saga
  for each row execute function app.forbid();
create trigger saga_step_no_delete before delete on app.saga_step
  for each row execute function app.forbid();
alter table app.saga_event enable always trigger saga_event_append_only;
alter table app.saga_event enable always trigger saga_event_no_truncate;

-- Row-level security: forced on the owner too, closed when no tenant is set.

alter table app.tenant        enable row level security;
alter table app.tenant        force  row level security;
alter table app.api_key       enable row level security;
alter table app.api_key       force  row level security;
alter table app.saga          enable row level security;
alter table app.saga          force  row level security;
alter table app.saga_step     enable row level security;
alter table app.saga_step     force  row level security;
alter table app.saga_event    enable row level security;
alter table app.saga_event    force  row level security;
alter table app.idempotency   enable row level security;
alter table app.idempotency   force  row level security;
alter table app.stream_ticket enable row level security;
alter table app.stream_ticket force  row level security;
alter table app.approval      enable row level security;
alter table app.approval      force  row level security;
alter table app.lease         enable row level security;
alter table app.lease         force  row level security;

create policy tenant_own        on app.tenant        to app_api, app_worker, finance_ro using (id = app.current_tenant());
create policy api_key_own       on app.api_key       to app_api, finance_ro using (tenant_id = app.current_tenant());
create policy saga_own          on app.saga          to app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy saga_step_own     on app.saga_step     to app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy saga_event_own    on app.saga_event    to app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy idempotency_own   on app.idempotency   to app_api using (tenant_id = app.current_tenant());
create policy stream_ticket_own on app.stream_ticket to app_api using (tenant_id = app.current_tenant());
create policy approval_own      on app.approval      to app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy lease_all         on app.lease         to app_api, app_worker using (true);

-- The auditor reads every tenant; the owner's own policies serve the
-- SECURITY DEFINER functions below and nothing else can act as the owner.
create policy tenant_audit     on app.tenant     for select to auditor_ro using (true);
create policy api_key_audit    on app.api_key    for select to auditor_ro using (true);
create policy saga_audit       on app.saga       for select to auditor_ro using (true);
create policy saga_step_audit  on app.saga_step  for select to auditor_ro using (true);
create policy saga_event_audit on app.saga_event for select to auditor_ro using (true);
create policy approval_audit   on app.approval   for select to auditor_ro using (true);
create policy tenant_owner        on app.tenant        to recourse_owner using (true);
create policy api_key_owner       on app.api_key       to recourse_owner using (true);
create policy saga_owner          on app.saga          to recourse_owner using (true);
create policy idempotency_owner   on app.idempotency   to recourse_owner using (true);
create policy stream_ticket_owner on app.stream_ticket to recourse_owner using (true);

-- Grants: the columns a role needs, no others. Nobody at run time reads
-- secret_sha256; personal data (request) is for the API and the worker only.

grant usage on schema app to app_api, app_worker, finance_ro, auditor_ro;
grant execute on function app.current_tenant() to app_api, app_worker, finance_ro, auditor_ro, ledger_owner;
grant usage on schema app to ledger_owner;

grant select on app.tenant to app_api, app_worker, finance_ro, auditor_ro;
grant select (id, tenant_id, role, name, created_at, expires_at, revoked_at) on app.api_key to app_api, finance_ro, auditor_ro;
grant select, insert on app.saga to app_api;
grant update (status, failure, version, updated_at, started_at, cancel_requested_at, cancel_reason) on app.saga to app_api;
grant select on app.saga to app_worker;
grant update (status, failure, version, updated_at, started_at, run_id, recoveries, checked_at, pivot_at,
  cancel_requested_at, cancel_reason, finished_at) on app.saga to app_worker;
grant select (tenant_id, id, type, status, order_ref, amount, currency, metadata, failure, version, created_by, created_at,
  updated_at, started_at, recoveries, pivot_at, cancel_requested_at, cancel_reason, finished_at)
  on app.saga to finance_ro, auditor_ro;
grant select on app.saga_step to app_api, finance_ro, auditor_ro;
grant select, insert on app.saga_step to app_worker;
grant update (status, attempt, epoch, result, failure, started_at, finished_at) on app.saga_step to app_worker;
grant select, insert on app.saga_event to app_api, app_worker;
grant select on app.saga_event to finance_ro, auditor_ro;
grant select, insert on app.idempotency to app_api;
grant update (state, lease_until, status, headers, body, saga_id, fingerprint, request_id, created_at, expires_at) on app.idempotency to app_api;
grant select, insert on app.stream_ticket to app_api;
grant select, insert on app.approval to app_api;
grant update (checker, decision, decided_at, consumed_at) on app.approval to app_api;
grant select on app.approval to app_worker, finance_ro, auditor_ro;
grant update (consumed_at) on app.approval to app_worker;
grant select, insert, update on app.lease to app_api, app_worker;

-- Doors that cross tenants, each as narrow as its one use.

-- Who is behind a credential? No row: unknown, revoked, expired or wrong, and
-- the caller cannot tell which.
create function app.authenticate(p_key_id text, p_secret_sha256 bytea)
  returns table (tenant_id uuid, key_id text, role text)
  language sql stable security definer
  set search_path = app, pg_temp
  as $$
    select k.tenant_id, k.id, k.role
      from app.api_key k
     where k.id = p_key_id
       and k.secret_sha256 = p_secret_sha256
       and k.revoked_at is null
       and (k.expires_at is null or k.expires_at > clock_timestamp())
  $$;

-- Redeems a stream ticket once, within its time.
create function app.redeem_stream_ticket(p_token_sha256 bytea)
  returns table (tenant_id uuid, saga_id text, key_id text)
  language sql volatile security definer
  set search_path = app, pg_temp
  as $$
    update app.stream_ticket t
       set used_at = clock_timestamp()
     where t.token_sha256 = p_token_sha256
       and t.used_at is null
       and t.expires_at > clock_timestamp()
       and exists (select from app.api_key k
                    where k.id = t.key_id and k.revoked_at is null
                      and (k.expires_at is null or k.expires_at > clock_timestamp()))
    returning t.tenant_id, t.saga_id, t.key_id
  $$;

-- Sagas accepted but not yet handed to Temporal, oldest first.
create function app.unstarted_sagas(p_older_than interval, p_limit integer)
  returns table (tenant_id uuid, id text, type text, order_ref text, plan jsonb)
  language sql stable security definer
  set search_path = app, pg_temp
  as $$
    select s.tenant_id, s.id, s.type, s.order_ref, s.plan
      from app.saga s
     where s.finished_at is null and s.started_at is null
       and s.created_at < clock_timestamp() - p_older_than
     order by s.created_at
     limit p_limit
  $$;

-- Open sagas the sweeper has not looked at for a while, longest first.
create function app.unchecked_sagas(p_older_than interval, p_limit integer)
  returns table (tenant_id uuid, id text, type text, order_ref text, plan jsonb)
  language sql stable security definer
  set search_path = app, pg_temp
  as $$
    select s.tenant_id, s.id, s.type, s.order_ref, s.plan
      from app.saga s
     where s.finished_at is null
       and s.started_at < clock_timestamp() - p_older_than
       and (s.checked_at is null or s.checked_at < clock_timestamp() - p_older_than)
     order by s.checked_at nulls first, s.created_at
     limit p_limit
  $$;

-- Answers and tickets past their time are forgotten, in small bites.
create function app.prune(p_limit integer) returns integer
  language sql volatile security definer
  set search_path = app, pg_temp
  as $$
    with keys as (
      delete from app.idempotency i
       where (i.tenant_id, i.key) in (select e.tenant_id, e.key from app.idempotency e
                                       where e.expires_at < clock_timestamp() limit p_limit)
      returning 1
    ), tickets as (
      delete from app.stream_ticket t
       where t.token_sha256 in (select e.token_sha256 from app.stream_ticket e
                                 where e.expires_at < clock_timestamp() - interval '1 hour' limit p_limit)
      returning 1
    )
    select (select count(*) from keys)::integer + (select count(*) from tickets)::integer
  $$;

revoke all on function app.authenticate(text, bytea), app.redeem_stream_ticket(bytea),
  app.unstarted_sagas(interval, integer), app.unchecked_sagas(interval, integer), app.prune(integer),
  app.current_tenant(), app.guard_saga(), app.guard_step(), app.forbid() from public;
grant execute on function app.current_tenant() to app_api, app_worker, finance_ro, auditor_ro, ledger_owner;
grant execute on function app.authenticate(text, bytea), app.redeem_stream_ticket(bytea) to app_api;
grant execute on function app.unstarted_sagas(interval, integer), app.unchecked_sagas(interval, integer),
  app.prune(integer) to app_worker;

reset role;
