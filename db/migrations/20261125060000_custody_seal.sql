-- +goose Up
-- Proof of custody for whoever trusts neither this program nor whoever runs
-- this database: as of the books (ledger.tile, checkpoint, cosignature), for
-- each tenant's custody chain.
--
--   tile        256 hashes of one level of a chain's tree, only ever full ones;
--               what is right of the last is recomputed from the entries
--   checkpoint  size and root of a tree, signed by the sealer
--   cosignature what a witness added to one, later
--
-- Nothing here is believed by who verifies: tiles and roots are recomputed and
-- signatures checked with keys from elsewhere.
set role custody_owner;

create table custody.tile (
  chain_id integer  not null,
  level    smallint not null,   -- 0: leaves; each level above holds the roots of the tiles below
  index    bigint   not null,   -- gap-free from 0 in its level
  root     bytea    not null,   -- of the 256
  hashes   bytea    not null,   -- 256 * 32 bytes
  constraint tile_pkey primary key (chain_id, level, index),
  constraint tile_level_known check (level between 0 and 6),
  constraint tile_is_full check (octet_length(hashes) = 8192 and octet_length(root) = 32)
);
alter table custody.tile alter column hashes set storage external; -- hashes do not compress

create table custody.checkpoint (
  chain_id  integer     not null,
  size      bigint      not null,   -- entries, which is the last sequence
  root      bytea       not null,
  signed    text        not null,   -- the signed note, without cosignatures
  sealed_at timestamptz not null default clock_timestamp(),
  constraint checkpoint_pkey primary key (chain_id, size),
  constraint checkpoint_size_positive check (size > 0),
  constraint checkpoint_root_length check (octet_length(root) = 32)
);

create table custody.cosignature (
  chain_id    integer     not null,
  size        bigint      not null,
  witness     text        not null,   -- name of its key
  line        text        not null,   -- as it is added to the note
  cosigned_at timestamptz not null default clock_timestamp(),
  constraint cosignature_pkey primary key (chain_id, size, witness),
  constraint cosignature_of_checkpoint foreign key (chain_id, size) references custody.checkpoint (chain_id, size),
  constraint cosignature_is_line check (line like '— %' and right(line, 1) = E'\n' and length(line) < 1000)
);

select custody.guard_table(t, false, false) from unnest(array['tile', 'checkpoint', 'cosignature']) as t;

alter table custody.tile        enable row level security;
alter table custody.tile        force  row level security;
alter table custody.checkpoint  enable row level security;
alter table custody.checkpoint  force  row level security;
alter table custody.cosignature enable row level security;
alter table custody.cosignature force  row level security;

-- The sealer looks for chains that moved in all tenants. It sees the heads of
-- the chains, hashes and what was signed; no document, event or item.
-- +goose StatementBegin
do $$
declare
  t text;
begin
  foreach t in array array['tile', 'checkpoint', 'cosignature'] loop
    execute format('create policy %I on custody.%I for select to app_api, app_worker
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_own', t);
    execute format('create policy %I on custody.%I to custody_owner
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_door', t);
    execute format('create policy %I on custody.%I for select to auditor_ro using (true)', t || '_audit', t);
    execute format('create policy %I on custody.%I for select to sealer using (true)', t || '_seal', t);
    execute format('grant select on custody.%I to app_api, app_worker, auditor_ro, sealer', t);
  end loop;
end $$;
-- +goose StatementEnd
create policy chain_seal on custody.chain for select to sealer using (true);
create policy entry_seal on custody.entry for select to sealer using (true);
grant select (id, tenant_id, seq) on custody.chain to sealer;
grant select (chain_id, seq, hash) on custody.entry to sealer;

-- The sealer's door. It takes the tiles that became full and the checkpoint
-- that was signed; the sealer has proved to itself that the checkpoint
-- continues the last one. Answers false when another sealer was faster:
-- p_after is the size of the checkpoint this one follows, 0 for the first.
-- +goose StatementBegin
create function custody.put_checkpoint(p_tenant uuid, p_chain integer, p_after bigint, p_size bigint, p_root bytea, p_signed text,
                                       t_level smallint[], t_index bigint[], t_root bytea[], t_hashes bytea[])
  returns boolean
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
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
  -- Sealers of one chain follow one another; writers of custody do not wait.
  perform pg_advisory_xact_lock(hashtext('custody.put_checkpoint'), p_chain);
  select coalesce(max(c.size), 0) into last from checkpoint c where c.chain_id = p_chain;
  if last <> p_after then
    return false;
  end if;
  if p_size <= last or p_size > head.seq then
    raise exception 'a checkpoint of size % does not follow % in a chain of %', p_size, last, head.seq using errcode = 'CU001';
  end if;
  perform set_config('custody.door', 'open', true);
  insert into tile (chain_id, level, index, root, hashes)
  select p_chain, u.level, u.index, u.root, u.hashes from unnest(t_level, t_index, t_root, t_hashes) as u (level, index, root, hashes);
  -- No gap in any level, and as many tiles as are full at this size.
  for lv in 0 .. 6 loop
    select count(*) into wrong from tile where chain_id = p_chain and level = lv and index >= p_size >> (8 * (lv + 1));
    if wrong > 0 or (p_size >> (8 * (lv + 1)) > 0
                     and not exists (select from tile where chain_id = p_chain and level = lv and index = (p_size >> (8 * (lv + 1))) - 1)) then
      raise exception 'the tiles of level % do not fit the size %', lv, p_size using errcode = 'CU001';
    end if;
  end loop;
  if exists (select from unnest(t_level, t_index) as u (level, index)
              where u.index > 0 and not exists (select from tile x where x.chain_id = p_chain and x.level = u.level and x.index = u.index - 1)) then
    raise exception 'a tile is missing' using errcode = 'CU001';
  end if;
  insert into checkpoint (chain_id, size, root, signed) values (p_chain, p_size, p_root, p_signed);
  perform set_config('custody.door', '', true);
  return true;
end $$;
-- +goose StatementEnd

-- Adds what a witness answered. Again changes nothing.
-- +goose StatementBegin
create function custody.put_cosignature(p_tenant uuid, p_chain integer, p_size bigint, p_witness text, p_line text) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  if p_tenant is distinct from app.current_tenant() or not exists (select from chain where id = p_chain and tenant_id = p_tenant) then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('custody.door', 'open', true);
  insert into cosignature (chain_id, size, witness, line) values (p_chain, p_size, p_witness, p_line)
  on conflict on constraint cosignature_pkey do nothing;
  perform set_config('custody.door', '', true);
end $$;
-- +goose StatementEnd

revoke all on function
  custody.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  custody.put_cosignature(uuid, integer, bigint, text, text) from public;
grant execute on function
  custody.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  custody.put_cosignature(uuid, integer, bigint, text, text) to sealer;
reset role;
