-- +goose Up
-- Proof of the books for whoever trusts neither this program nor whoever runs
-- this database: the Merkle tree over each book's chain, and what was signed of
-- it.
--
--   tile        256 hashes of one level of a book's tree, only ever full ones;
--               what is right of the last is recomputed from the journal
--   checkpoint  size and root of a tree, signed by the sealer
--   cosignature what a witness added to one, later
--
-- Nothing here is believed by who verifies: tiles and roots are recomputed and
-- signatures checked with keys from elsewhere.
set role ledger_owner;

create table ledger.tile (
  book_id integer  not null,
  level   smallint not null,   -- 0: leaves; each level above holds the roots of the tiles below
  index   bigint   not null,   -- gap-free from 0 in its level
  root    bytea    not null,   -- of the 256
  hashes  bytea    not null,   -- 256 * 32 bytes
  constraint tile_pkey primary key (book_id, level, index),
  constraint tile_level_known check (level between 0 and 6),
  constraint tile_is_full check (octet_length(hashes) = 8192 and octet_length(root) = 32)
);
alter table ledger.tile alter column hashes set storage external; -- hashes do not compress

create table ledger.checkpoint (
  book_id   integer     not null,
  size      bigint      not null,   -- transactions, which is the last sequence
  root      bytea       not null,
  signed    text        not null,   -- the signed note, without cosignatures
  sealed_at timestamptz not null default clock_timestamp(),
  constraint checkpoint_pkey primary key (book_id, size),
  constraint checkpoint_size_positive check (size > 0),
  constraint checkpoint_root_length check (octet_length(root) = 32)
);

create table ledger.cosignature (
  book_id     integer     not null,
  size        bigint      not null,
  witness     text        not null,   -- name of its key
  line        text        not null,   -- as it is added to the note
  cosigned_at timestamptz not null default clock_timestamp(),
  constraint cosignature_pkey primary key (book_id, size, witness),
  constraint cosignature_of_checkpoint foreign key (book_id, size) references ledger.checkpoint (book_id, size),
  constraint cosignature_is_line check (line like '— %' and right(line, 1) = E'\n' and length(line) < 1000)
);

select ledger.guard_table('tile', false);
select ledger.guard_table('checkpoint', false);
select ledger.guard_table('cosignature', false);

alter table ledger.tile        enable row level security;
alter table ledger.tile        force  row level security;
alter table ledger.checkpoint  enable row level security;
alter table ledger.checkpoint  force  row level security;
alter table ledger.cosignature enable row level security;
alter table ledger.cosignature force  row level security;
create policy tile_own        on ledger.tile        to ledger_owner, app_api, app_worker, finance_ro, sealer using (book_id in (select b.id from ledger.book b));
create policy checkpoint_own  on ledger.checkpoint  to ledger_owner, app_api, app_worker, finance_ro, sealer using (book_id in (select b.id from ledger.book b));
create policy cosignature_own on ledger.cosignature to ledger_owner, app_api, app_worker, finance_ro, sealer using (book_id in (select b.id from ledger.book b));
create policy tile_audit        on ledger.tile        for select to auditor_ro using (true);
create policy checkpoint_audit  on ledger.checkpoint  for select to auditor_ro using (true);
create policy cosignature_audit on ledger.cosignature for select to auditor_ro using (true);

-- The sealer looks for books that moved in all tenants. It sees the heads of
-- their chains, hashes and what was signed; no transaction and no amount.
create policy book_seal        on ledger.book        for select to sealer using (true);
create policy journal_seal     on ledger.journal     for select to sealer using (true);
create policy tile_seal        on ledger.tile        for select to sealer using (true);
create policy checkpoint_seal  on ledger.checkpoint  for select to sealer using (true);
create policy cosignature_seal on ledger.cosignature for select to sealer using (true);

-- The sealer's door. It takes the tiles that became full and the checkpoint
-- that was signed; the sealer has proved to itself that the checkpoint
-- continues the last one. Answers false when another sealer was faster:
-- p_after is the size of the checkpoint this one follows, 0 for the first.
-- +goose StatementBegin
create function ledger.put_checkpoint(p_tenant uuid, p_book integer, p_after bigint, p_size bigint, p_root bytea, p_signed text,
                                      t_level smallint[], t_index bigint[], t_root bytea[], t_hashes bytea[])
  returns boolean
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  head  book;
  last  bigint;
  wrong bigint;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into head from book where id = p_book and tenant_id = p_tenant;
  if not found then
    raise exception 'there is no such book' using errcode = '42501';
  end if;
  -- Sealers of one book follow one another; writers of the book do not wait.
  perform pg_advisory_xact_lock(hashtext('ledger.put_checkpoint'), p_book);
  select coalesce(max(c.size), 0) into last from checkpoint c where c.book_id = p_book;
  if last <> p_after then
    return false;
  end if;
  if p_size <= last or p_size > head.seq then
    raise exception 'a checkpoint of size % does not follow % in a book of %', p_size, last, head.seq using errcode = 'LG003';
  end if;
  perform set_config('ledger.door', 'open', true);
  insert into tile (book_id, level, index, root, hashes)
  select p_book, u.level, u.index, u.root, u.hashes from unnest(t_level, t_index, t_root, t_hashes) as u (level, index, root, hashes);
  -- No gap in any level, and as many tiles as are full at this size.
  for lv in 0 .. 6 loop
    select count(*) into wrong from tile where book_id = p_book and level = lv and index >= p_size >> (8 * (lv + 1));
    if wrong > 0 or (p_size >> (8 * (lv + 1)) > 0
                     and not exists (select from tile where book_id = p_book and level = lv and index = (p_size >> (8 * (lv + 1))) - 1)) then
      raise exception 'the tiles of level % do not fit the size %', lv, p_size using errcode = 'LG003';
    end if;
  end loop;
  if exists (select from unnest(t_level, t_index) as u (level, index)
              where u.index > 0 and not exists (select from tile x where x.book_id = p_book and x.level = u.level and x.index = u.index - 1)) then
    raise exception 'a tile is missing' using errcode = 'LG003';
  end if;
  insert into checkpoint (book_id, size, root, signed) values (p_book, p_size, p_root, p_signed);
  perform set_config('ledger.door', '', true);
  return true;
end $$;
-- +goose StatementEnd

-- Adds what a witness answered. Again changes nothing.
-- +goose StatementBegin
create function ledger.put_cosignature(p_tenant uuid, p_book integer, p_size bigint, p_witness text, p_line text) returns void
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
begin
  if p_tenant is distinct from app.current_tenant() or not exists (select from book where id = p_book and tenant_id = p_tenant) then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('ledger.door', 'open', true);
  insert into cosignature (book_id, size, witness, line) values (p_book, p_size, p_witness, p_line)
  on conflict on constraint cosignature_pkey do nothing;
  perform set_config('ledger.door', '', true);
end $$;
-- +goose StatementEnd

grant select on ledger.tile, ledger.checkpoint, ledger.cosignature to app_api, app_worker, finance_ro, auditor_ro, sealer;
revoke all on function
  ledger.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  ledger.put_cosignature(uuid, integer, bigint, text, text) from public;
grant execute on function
  ledger.put_checkpoint(uuid, integer, bigint, bigint, bytea, text, smallint[], bigint[], bytea[], bytea[]),
  ledger.put_cosignature(uuid, integer, bigint, text, text) to sealer;

reset role;

-- One sealer leads, by a lease of its own name. What the migration before
-- meant to grant on schema app was not its owner's to grant.
set role recourse_owner;
grant usage on schema app to sealer;
grant execute on function app.current_tenant() to sealer;
create policy lease_sealer on app.lease to sealer using (name = 'sealer') with check (name = 'sealer');
grant select, insert, update on app.lease to sealer;
reset role;
