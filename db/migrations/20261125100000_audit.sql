-- +goose Up
-- The audit log: who changed what, when, and what was answered. One chain a
-- tenant, gap-free, append-only, sealed as the books and custody are;
-- docs/audit.md gives its bytes.
--
--   chain        the head: sequence, hash, time
--   action       one changing request under an idempotency key, or one change
--                of credentials, with its hash on the one before
--
-- Written by audit.append alone, in the transaction of what it tells of. The
-- head is the last thing such a transaction locks, so that requests of a tenant
-- wait for one another for no more than a commit.
set role recourse_owner;
grant usage on schema app to audit_owner;
grant execute on function app.current_tenant() to audit_owner;
reset role;
set role audit_owner;

create table audit.chain (
  id          integer     generated always as identity,
  tenant_id   uuid        not null,
  seq         bigint      not null default 0,
  hash        bytea       not null,              -- before the first action: audit.genesis
  recorded_at timestamptz not null default 'epoch',
  constraint chain_pkey primary key (id),
  constraint chain_once unique (tenant_id),
  constraint chain_hash_length check (octet_length(hash) = 32)
) with (fillfactor = 10);

create table audit.action (
  chain_id    integer     not null,
  seq         bigint      not null,   -- gap-free from 1
  recorded_at timestamptz not null,   -- never falls
  actor       text        not null,   -- id of the key, or cli: and the database role
  role        text        not null,   -- the actor's at that moment
  operation   text        not null,   -- of the API's contract, or of the command line
  path        text        not null,   -- which object
  request_id  text        not null,   -- as it was answered; empty from the command line
  remote      text        not null,   -- address the request came from
  status      integer     not null,   -- of the answer; 0 from the command line
  request     bytea       not null,   -- SHA-256 of the request: method, path and canonical body
  answer      bytea       not null,   -- SHA-256 of the answer's body
  hash        bytea       not null,   -- sha256(hash before || 0x00 || canonical bytes)
  constraint action_pkey primary key (chain_id, seq),
  constraint action_named check (length(actor) between 1 and 200 and length(operation) between 1 and 100),
  constraint action_bounded check (length(role) <= 100 and length(path) <= 500 and length(request_id) <= 100 and length(remote) <= 100),
  constraint action_status_known check (status between 0 and 599),
  constraint action_digest_length check (octet_length(request) = 32 and octet_length(answer) = 32 and octet_length(hash) = 32)
);
create index action_by_actor_idx on audit.action (chain_id, actor, seq);

-- The guards of the books, for this schema.
-- +goose StatementBegin
create function audit.forbid() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on %.% is refused: what was done is only added to', tg_op, tg_table_schema, tg_table_name using errcode = '42501';
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function audit.door_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'audit_owner' or coalesce(current_setting('audit.door', true), '') <> 'open' then
    raise exception '% on %.% is refused: only the audit log''s own functions write here', tg_op, tg_table_schema, tg_table_name
      using errcode = '42501';
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function audit.guard_table(p_table text, p_updates boolean) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  op text;
begin
  foreach op in array array['insert', 'update', 'delete', 'truncate'] loop
    execute format('create trigger %I before %s on audit.%I for each statement execute function audit.%I()', p_table || '_' || op, op, p_table,
      case when op = 'insert' or op = 'update' and p_updates then 'door_only' else 'forbid' end);
    execute format('alter table audit.%I enable always trigger %I', p_table, p_table || '_' || op);
  end loop;
end $$;
-- +goose StatementEnd

-- What the first action's hash follows.
create function audit.genesis(p_tenant uuid) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp as $$
    select sha256(convert_to('recourse audit chain 1', 'UTF8') || '\x00'::bytea || uuid_send(p_tenant))
  $$;

-- A text in the canonical bytes: its length, then itself.
create function audit.said(p_text text) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp as $$
    select int4send(octet_length(convert_to(p_text, 'UTF8'))) || convert_to(p_text, 'UTF8')
  $$;

-- The canonical bytes of an action: version 1, sequence, microseconds since
-- 1970, the texts, the status, the two digests.
create function audit.record(p audit.action) returns bytea
  language sql immutable set search_path = pg_catalog, pg_temp as $$
    select '\x01'::bytea || int8send(p.seq) || int8send((extract(epoch from p.recorded_at) * 1000000)::bigint)
        || audit.said(p.actor) || audit.said(p.role) || audit.said(p.operation) || audit.said(p.path) || audit.said(p.request_id) || audit.said(p.remote)
        || int4send(p.status) || p.request || p.answer
  $$;

-- The door. Returns the action's sequence.
-- +goose StatementBegin
create function audit.append(p_tenant uuid, p_actor text, p_role text, p_operation text, p_path text, p_request_id text, p_remote text,
                             p_status integer, p_request bytea, p_answer bytea)
  returns bigint
  language plpgsql security definer
  set search_path = audit, pg_temp as $$
declare
  head chain;
  said action;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('audit.door', 'open', true);
  select * into head from chain where tenant_id = p_tenant for update;
  if not found then
    insert into chain (tenant_id, hash) values (p_tenant, genesis(p_tenant)) on conflict on constraint chain_once do nothing;
    select * into strict head from chain where tenant_id = p_tenant for update;
  end if;
  said := row (head.id, head.seq + 1, greatest(clock_timestamp(), head.recorded_at), p_actor, p_role, p_operation, p_path, p_request_id, p_remote,
               p_status, p_request, p_answer, null)::action;
  said.hash := sha256(head.hash || '\x00'::bytea || record(said));
  insert into action select said.*;
  update chain set seq = said.seq, hash = said.hash, recorded_at = said.recorded_at where id = head.id;
  perform set_config('audit.door', '', true);
  return said.seq;
end $$;
-- +goose StatementEnd

create table audit.tile (
  chain_id integer  not null,
  level    smallint not null,   -- 0: leaves; each level above holds the roots of the tiles below
  index    bigint   not null,   -- gap-free from 0 in its level
  root     bytea    not null,   -- of the 256
  hashes   bytea    not null,   -- 256 * 32 bytes
  constraint tile_pkey primary key (chain_id, level, index),
  constraint tile_level_known check (level between 0 and 6),
  constraint tile_is_full check (octet_length(hashes) = 8192 and octet_length(root) = 32)
);
alter table audit.tile alter column hashes set storage external; -- hashes do not compress

create table audit.checkpoint (
  chain_id  integer     not null,
  size      bigint      not null,   -- entries, which is the last sequence
  root      bytea       not null,
  signed    text        not null,   -- the signed note, without cosignatures
  sealed_at timestamptz not null default clock_timestamp(),
  constraint checkpoint_pkey primary key (chain_id, size),
  constraint checkpoint_size_positive check (size > 0),
  constraint checkpoint_root_length check (octet_length(root) = 32)
);

create table audit.cosignature (
  chain_id    integer     not null,
  size        bigint      not null,
  witness     text        not null,   -- name of its key
  line        text        not null,   -- as it is added to the note
  cosigned_at timestamptz not null default clock_timestamp(),
  constraint cosignature_pkey primary key (chain_id, size, witness),
  constraint cosignature_of_checkpoint foreign key (chain_id, size) references audit.checkpoint (chain_id, size),
  constraint cosignature_is_line check (line like '— %' and right(line, 1) = E'\n' and length(line) < 1000)
);

select audit.guard_table(t, t = 'chain') from unnest(array['chain', 'action', 'tile', 'checkpoint', 'cosignature']) as t;

alter table audit.chain       enable row level security;
alter table audit.chain       force  row level security;
alter table audit.action      enable row level security;
alter table audit.action      force  row level security;

alter table audit.tile        enable row level security;
alter table audit.tile        force  row level security;
alter table audit.checkpoint  enable row level security;
alter table audit.checkpoint  force  row level security;
alter table audit.cosignature enable row level security;
alter table audit.cosignature force  row level security;

create policy chain_own on audit.chain for select to app_api using (tenant_id = (select app.current_tenant()));
create policy chain_door on audit.chain to audit_owner using (tenant_id = (select app.current_tenant()));
create policy chain_audit on audit.chain for select to auditor_ro using (true);
grant usage on schema audit to app_api, auditor_ro, sealer, recourse_owner;
grant select on audit.chain to app_api, auditor_ro;

-- The sealer looks for chains that moved in all tenants. It sees the heads of
-- the chains, hashes and what was signed; not who did what.
-- +goose StatementBegin
do $$
declare
  t text;
begin
  foreach t in array array['action', 'tile', 'checkpoint', 'cosignature'] loop
    execute format('create policy %I on audit.%I for select to app_api
                      using (chain_id = (select c.id from audit.chain c where c.tenant_id = app.current_tenant()))', t || '_own', t);
    execute format('create policy %I on audit.%I to audit_owner
                      using (chain_id = (select c.id from audit.chain c where c.tenant_id = app.current_tenant()))', t || '_door', t);
    execute format('create policy %I on audit.%I for select to auditor_ro using (true)', t || '_audit', t);
    execute format('create policy %I on audit.%I for select to sealer using (true)', t || '_seal', t);
    execute format('grant select on audit.%I to app_api, auditor_ro', t);
    if t <> 'action' then
      execute format('grant select on audit.%I to sealer', t);
    end if;
  end loop;
end $$;
-- +goose StatementEnd
create policy chain_seal on audit.chain for select to sealer using (true);
grant select (id, tenant_id, seq) on audit.chain to sealer;
grant select (chain_id, seq, hash) on audit.action to sealer;

-- The sealer's door. It takes the tiles that became full and the checkpoint
-- that was signed; the sealer has proved to itself that the checkpoint
-- continues the last one. Answers false when another sealer was faster:
-- p_after is the size of the checkpoint this one follows, 0 for the first.
-- +goose StatementBegin
create function audit.put_checkpoint(p_tenant uuid, p_chain integer, p_after bigint, p_size bigint, p_root bytea, p_signed text,
                                       t_level smallint[], t_index bigint[], t_root bytea[], t_hashes bytea[])
  returns boolean
  language plpgsql security definer
  set search_path = audit, pg_temp as $$
declare
  head  chain;
  last  bigint;
  wrong bigint;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into head from chain where id = p_chain and tenant_id = p_tenant;
  if not found then
    raise exception 'there is no such chain' using errcode = '42501';
  end if;
  -- Sealers of one chain follow one another; who appends does not wait.
  perform pg_advisory_xact_lock(hashtext('audit.put_checkpoint'), p_chain);
  select coalesce(max(c.size), 0) into last from checkpoint c where c.chain_id = p_chain;
  if last <> p_after then
    return false;
  end if;
  if p_size <= last or p_size > head.seq then
    raise exception 'a checkpoint of size % does not follow % in a chain of %', p_size, last, head.seq using errcode = 'AU001';
  end if;
  perform set_config('audit.door', 'open', true);
  insert into tile (chain_id, level, index, root, hashes)
  select p_chain, u.level, u.index, u.root, u.hashes from unnest(t_level, t_index, t_root, t_hashes) as u (level, index, root, hashes);
  -- No gap in any level, and as many tiles as are full at this size.
  for lv in 0 .. 6 loop
    select count(*) into wrong from tile where chain_id = p_chain and level = lv and index >= p_size >> (8 * (lv + 1));
    if wrong > 0 or (p_size >> (8 * (lv + 1)) > 0
                     and not exists (select from tile where chain_id = p_chain and level = lv and index = (p_size >> (8 * (lv + 1))) - 1)) then
      raise exception 'the tiles of level % do not fit the size %', lv, p_size using errcode = 'AU001';
    end if;
  end loop;
  if exists (select from unnest(t_level, t_index) as u (level, index)
              where u.index > 0 and not exists (select from tile x where x.chain_id = p_chain and x.level = u.level and x.index = u.index - 1)) then
    raise exception 'a tile is missing' using errcode = 'AU001';
  end if;
  insert into checkpoint (chain_id, size, root, signed) values (p_chain, p_size, p_root, p_signed);
  perform set_config('audit.door', '', true);
  return true;
end $$;
-- +goose StatementEnd

-- Adds what a witness answered. Again changes nothing.
-- +goose StatementBegin
create function audit.put_cosignature(p_tenant uuid, p_chain integer, p_size bigint, p_witness text, p_line text) returns void
  language plpgsql security definer
  set search_path = audit, pg_temp as $$
begin
  if p_tenant is distinct from app.current_tenant() or not exists (select from chain where id = p_chain and tenant_id = p_tenant) then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('audit.door', 'open', true);
  insert into cosignature (chain_id, size, witness, line) values (p_chain, p_size, p_witness, p_line)
  on conflict on constraint cosignature_pkey do nothing;
  perform set_config('audit.door', '', true);
end $$;
-- +goose StatementEnd

revoke all on function
  audit.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  audit.put_cosignature(uuid, integer, bigint, text, text) from public;
grant execute on function
  audit.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  audit.put_cosignature(uuid, integer, bigint, text, text) to sealer;
revoke all on function audit.forbid(), audit.door_only(), audit.guard_table(text, boolean), audit.genesis(uuid), audit.said(text), audit.record(audit.action),
  audit.append(uuid, text, text, text, text, text, text, integer, bytea, bytea) from public;
grant execute on function audit.append(uuid, text, text, text, text, text, text, integer, bytea, bytea) to app_api, recourse_owner;
reset role;
