-- +goose Up
-- What every policy asks: bound when it is made, so that it needs no search
-- path of its own and the planner can see through it.
set role recourse_owner;
create or replace function app.current_tenant() returns uuid
  language sql stable parallel safe
  return nullif(pg_catalog.current_setting('app.tenant', true), '')::uuid;
reset role;

-- The ledger, second form: one hash chain for each tenant and legal entity, a
-- door that takes a batch computed by the caller and checks it set by set, and
-- balances that can be read as of any moment.
--
--   book         the head of one chain: sequence, hash, time, closed periods
--   journal      the transactions, append-only, a partition a month
--   posting      their lines, each with the account's balances after it
--   journal_key  which id is which transaction: ids are unique for ever, and a
--                unique index cannot span the months
--   journal_link what resolves or reverses what: once each
--
-- The first form's tables transaction, entry and head are copied and then left
-- as they are, closed to everybody; a later release drops them. Its door goes
-- at once: a program of the release before fails to post and repeats until it
-- is replaced, rather than write where nobody reads.
set role ledger_owner;

create table ledger.book (
  id                  integer     generated always as identity,
  tenant_id           uuid        not null,
  entity              text        not null,   -- legal entity of the tenant; 'main' is the first
  genesis             bytea       not null,   -- what the first transaction's hash follows
  seq                 bigint      not null default 0,
  hash                bytea       not null,
  recorded_at         timestamptz not null default 'epoch',
  version             bigint      not null default 1,  -- moves when accounts or periods change, or a writer is fenced off
  closed_through      date,                   -- first day of the last closed period; every earlier one is closed too
  soft_closed_through date,                   -- up to here only what is approved is taken
  opened_at           timestamptz not null default clock_timestamp(),
  constraint book_pkey primary key (id),
  constraint book_once unique (tenant_id, entity),
  constraint book_entity_shape check (entity ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  constraint book_hash_length check (octet_length(hash) = 32 and octet_length(genesis) = 32),
  constraint book_periods_are_months check (extract(day from closed_through) = 1 and extract(day from soft_closed_through) = 1)
) with (fillfactor = 10);

alter table ledger.account
  add column book_id integer,
  add column ceiling bigint,  -- highest posted balance on the normal side, minor units; null: none
  drop constraint account_code_shape,
  add constraint account_code_form check (code ~ '^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$') not valid,
  add constraint account_bounds_ordered check (floor is null or ceiling is null or floor <= ceiling) not valid;

-- What the door asks of an account stands beside its sums, so that it is one
-- look-up; verify holds both against each other.
alter table ledger.balance
  add column book_id integer,
  add column name    text,                            -- code and currency, in one
  add column closed  boolean not null default false,
  add column bounded boolean not null default false;  -- it has a floor or a ceiling

create table ledger.journal (
  seq          bigint      not null,   -- gap-free from 1 in its book
  recorded_at  timestamptz not null,   -- grows with seq, never equal: the order of time is the order of seq
  id           uuid        not null,   -- made by the caller; names it for ever
  resolves     uuid,                   -- the pending transaction this one ends
  reverses     uuid,                   -- the posted transaction this one takes back
  expires_at   timestamptz,            -- of a pending one: from then on it can only expire
  book_id      integer     not null,
  effective_on date        not null,   -- when it happened, for the accountant
  period       date        not null,   -- accounting period: first day of the month it counts in
  kind         text        not null,
  purpose      text        not null,
  actor        text        not null,
  reason       text        not null,
  saga_id      text,
  order_ref    text,
  document     text,
  approval_id  text,
  hash         bytea       not null,   -- sha256(hash before || 0x00 || canonical bytes); docs/ledger-format.md
  constraint journal_pkey primary key (book_id, seq, recorded_at),
  constraint journal_kind_known check (kind in ('posted', 'pending', 'post_pending', 'void_pending', 'expire_pending')),
  constraint journal_resolves_when_due check ((kind in ('post_pending', 'void_pending', 'expire_pending')) = (resolves is not null)),
  constraint journal_reverses_posted check (reverses is null or kind = 'posted'),
  constraint journal_expiry_of_pending check (expires_at is null or kind = 'pending' and expires_at > 'epoch'),  -- the hash takes the epoch for none
  constraint journal_id_given check (id <> '00000000-0000-0000-0000-000000000000'),  -- and this for none
  constraint journal_manual_is_approved check (purpose not like 'manual.%' or coalesce(approval_id, '') <> ''),
  constraint journal_period_is_month check (extract(day from period) = 1),
  constraint journal_purpose_length check (length(purpose) between 1 and 100),
  constraint journal_actor_length check (length(actor) between 1 and 200),
  constraint journal_reason_length check (length(reason) <= 2000)
) partition by range (recorded_at);
create index journal_saga_idx on ledger.journal (book_id, saga_id) where saga_id is not null;
create index journal_order_idx on ledger.journal (book_id, order_ref) where order_ref is not null;

create table ledger.posting (
  recorded_at        timestamptz not null,
  seq                bigint      not null,
  account_id         bigint      not null,
  amount             bigint      not null,  -- minor units, always positive
  posted_after       bigint      not null,  -- debits less credits, after this line
  held_debits_after  bigint      not null,  -- pending debits after this line
  held_credits_after bigint      not null,
  book_id            integer     not null,
  period             date        not null,
  line               smallint    not null,
  side               text        not null,  -- D, C
  layer              text        not null,  -- P posted, H held (pending), R released (no longer pending)
  constraint posting_pkey primary key (recorded_at, book_id, line),
  constraint posting_side_known check (side in ('D', 'C')),
  constraint posting_layer_known check (layer in ('P', 'H', 'R')),
  constraint posting_amount_positive check (amount > 0),
  constraint posting_held_not_negative check (held_debits_after >= 0 and held_credits_after >= 0)
) partition by range (recorded_at);
create index posting_account_idx on ledger.posting (account_id, recorded_at);

create table ledger.journal_key (
  seq         bigint      not null,
  recorded_at timestamptz not null,
  id          uuid        not null,
  book_id     integer     not null,
  constraint journal_key_pkey primary key (book_id, id)
);

create table ledger.journal_link (
  seq      bigint  not null,   -- of the transaction that resolves or reverses
  target   uuid    not null,
  book_id  integer not null,
  relation text    not null,
  constraint journal_link_once primary key (book_id, target, relation),
  constraint journal_link_relation_known check (relation in ('resolves', 'reverses'))
);

-- Rules that hold whoever writes. Inserts and balance updates are guarded once
-- a statement, because the door writes thousands of rows in one.

-- +goose StatementBegin
create function ledger.door_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'ledger_owner' or coalesce(current_setting('ledger.door', true), '') <> 'open' then
    raise exception '% on %.% is refused: only the ledger''s own functions write here', tg_op, tg_table_schema, tg_table_name
      using errcode = '42501';
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- Guards a table: rows are only added, through the door, unless it keeps a
-- running state that the door also changes.
-- +goose StatementBegin
create function ledger.guard_table(p_table text, p_changes boolean) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create trigger %I before insert on ledger.%I for each statement execute function ledger.door_only()', p_table || '_door', p_table);
  execute format('alter table ledger.%I enable always trigger %I', p_table, p_table || '_door');
  if p_changes then
    execute format('create trigger %I before update on ledger.%I for each statement execute function ledger.door_only()', p_table || '_change', p_table);
    execute format('create trigger %I before delete on ledger.%I for each statement execute function ledger.forbid()', p_table || '_no_delete', p_table);
    execute format('alter table ledger.%I enable always trigger %I', p_table, p_table || '_change');
    execute format('alter table ledger.%I enable always trigger %I', p_table, p_table || '_no_delete');
  else
    execute format('create trigger %I before update or delete on ledger.%I for each statement execute function ledger.forbid()', p_table || '_append_only', p_table);
    execute format('alter table ledger.%I enable always trigger %I', p_table, p_table || '_append_only');
  end if;
  execute format('create trigger %I before truncate on ledger.%I for each statement execute function ledger.forbid()', p_table || '_no_truncate', p_table);
  execute format('alter table ledger.%I enable always trigger %I', p_table, p_table || '_no_truncate');
end $$;
-- +goose StatementEnd

select ledger.guard_table('book', true);
select ledger.guard_table('journal', false);
select ledger.guard_table('posting', false);
select ledger.guard_table('journal_key', false);
select ledger.guard_table('journal_link', false);

-- The guards of the first form on what stays in use, once a statement now.
drop trigger balance_door on ledger.balance;
drop trigger balance_no_delete on ledger.balance;
drop trigger balance_no_truncate on ledger.balance;
select ledger.guard_table('balance', true);
drop trigger account_append_only on ledger.account;
drop trigger account_door on ledger.account;
drop trigger account_no_truncate on ledger.account;
select ledger.guard_table('account', true);
alter table ledger.balance set (fillfactor = 50);

-- +goose StatementBegin
create function ledger.guard_account() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if (new.tenant_id, new.id, new.code, new.name, new.type, new.normal_side, new.currency, new.opened_at)
     is distinct from
     (old.tenant_id, old.id, old.code, old.name, old.type, old.normal_side, old.currency, old.opened_at)
     or old.book_id is not null and new.book_id is distinct from old.book_id then
    raise exception 'account %: only its bounds and whether it is closed change', old.code using errcode = '42501';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger account_identity before update on ledger.account for each row execute function ledger.guard_account();
alter table ledger.account enable always trigger account_identity;

-- Partitions, a month each. The default one takes what no month was made for,
-- so that a forgotten job never stops a posting.
-- +goose StatementBegin
create function ledger.add_partition(p_of text, p_name text, p_bounds text) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create table ledger.%I partition of ledger.%I %s', p_name, p_of, p_bounds);
  execute format('alter table ledger.%I enable row level security', p_name);
  execute format('alter table ledger.%I force row level security', p_name);
  perform ledger.guard_table(p_name, false);
end $$;
-- +goose StatementEnd

-- Makes the partitions that are missing from the month of p_from on; returns
-- how many tables it made. The migration job calls it. A month that has begun
-- in the default partition stays there.
-- +goose StatementBegin
create function ledger.add_partitions(p_from date, p_months integer) returns integer
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  month date;
  parent text;
  made integer := 0;
begin
  for i in 0 .. p_months - 1 loop
    month := (date_trunc('month', p_from::timestamp) + make_interval(months => i))::date;
    foreach parent in array array['journal', 'posting'] loop
      if to_regclass(format('ledger.%I', parent || to_char(month, '_YYYY_MM'))) is null then
        begin
          perform ledger.add_partition(parent, parent || to_char(month, '_YYYY_MM'), format('for values from (%L) to (%L)',
            month::timestamp at time zone 'UTC', (month + interval '1 month')::timestamp at time zone 'UTC'));
          made := made + 1;
        exception when check_violation then
          raise warning 'the rows of % are in the default partition and stay there', parent || to_char(month, '_YYYY_MM');
        end;
      end if;
    end loop;
  end loop;
  return made;
end $$;
-- +goose StatementEnd

select ledger.add_partition('journal', 'journal_rest', 'default');
select ledger.add_partition('posting', 'posting_rest', 'default');
select ledger.add_partitions('2026-11-01', 1);

alter table ledger.book         enable row level security;
alter table ledger.book         force  row level security;
alter table ledger.journal      enable row level security;
alter table ledger.journal      force  row level security;
alter table ledger.posting      enable row level security;
alter table ledger.posting      force  row level security;
alter table ledger.journal_key  enable row level security;
alter table ledger.journal_key  force  row level security;
alter table ledger.journal_link enable row level security;
alter table ledger.journal_link force  row level security;

-- (select …) makes the tenant a constant of the statement. A book one may not
-- see has no rows one may see. What the door writes must be of the book that
-- it has locked, as the tenant of the session, in this transaction.
create policy book_own         on ledger.book         to ledger_owner, app_api, app_worker, finance_ro, sealer using (tenant_id = (select app.current_tenant()));
create policy journal_own      on ledger.journal      for select to ledger_owner, app_api, app_worker, finance_ro, sealer using (book_id in (select b.id from ledger.book b));
create policy posting_own      on ledger.posting      for select to ledger_owner, app_api, app_worker, finance_ro using (book_id in (select b.id from ledger.book b));
create policy journal_key_own  on ledger.journal_key  for select to ledger_owner, app_api, app_worker, finance_ro using (book_id in (select b.id from ledger.book b));
create policy journal_link_own on ledger.journal_link for select to ledger_owner, app_api, app_worker, finance_ro using (book_id in (select b.id from ledger.book b));
create policy journal_write      on ledger.journal      for insert to ledger_owner with check (book_id = (select nullif(current_setting('ledger.book', true), '')::integer));
create policy posting_write      on ledger.posting      for insert to ledger_owner with check (book_id = (select nullif(current_setting('ledger.book', true), '')::integer));
create policy journal_key_write  on ledger.journal_key  for insert to ledger_owner with check (book_id = (select nullif(current_setting('ledger.book', true), '')::integer));
create policy journal_link_write on ledger.journal_link for insert to ledger_owner with check (book_id = (select nullif(current_setting('ledger.book', true), '')::integer));
create policy book_audit         on ledger.book         for select to auditor_ro using (true);
create policy journal_audit      on ledger.journal      for select to auditor_ro using (true);
create policy posting_audit      on ledger.posting      for select to auditor_ro using (true);
create policy journal_key_audit  on ledger.journal_key  for select to auditor_ro using (true);
create policy journal_link_audit on ledger.journal_link for select to auditor_ro using (true);
alter policy account_own on ledger.account using (tenant_id = (select app.current_tenant()));
alter policy balance_own on ledger.balance using (tenant_id = (select app.current_tenant()));

-- The canonical bytes of one line and of one transaction, version 1, as
-- docs/ledger-format.md gives them. The door writes these expressions out in
-- its statements, where a call a row would cost more than the hash; whoever
-- recomputes outside the door (the copy below, a person) calls them here, and
-- a test holds both and the program's own against one another.
create function ledger.line_bytes(p_line smallint, p_code text, p_currency text, p_side text, p_layer text, p_amount bigint,
                                  p_posted bigint, p_held_debits bigint, p_held_credits bigint) returns bytea
  language sql immutable strict parallel safe
  return int2send(p_line) || int2send(octet_length(p_code)::smallint) || convert_to(p_code || p_currency || p_side || p_layer, 'UTF8')
      || int8send(p_amount) || int8send(p_posted) || int8send(p_held_debits) || int8send(p_held_credits);

create function ledger.journal_hash(p_prev bytea, j ledger.journal, p_lines bytea) returns bytea
  language sql stable parallel safe
  return sha256(p_prev || '\x0001'::bytea || int8send(j.seq) || int8send((extract(epoch from j.recorded_at) * 1000000)::bigint) || uuid_send(j.id)
      || uuid_send(coalesce(j.resolves, '00000000-0000-0000-0000-000000000000')) || uuid_send(coalesce(j.reverses, '00000000-0000-0000-0000-000000000000'))
      || int8send(coalesce((extract(epoch from j.expires_at) * 1000000)::bigint, 0))
      || int4send(j.effective_on - date '1970-01-01') || int4send(j.period - date '1970-01-01')
      || int4send(octet_length(j.kind)) || int4send(octet_length(j.purpose)) || int4send(octet_length(j.actor)) || int4send(octet_length(j.reason))
      || int4send(octet_length(coalesce(j.saga_id, ''))) || int4send(octet_length(coalesce(j.order_ref, '')))
      || int4send(octet_length(coalesce(j.document, ''))) || int4send(octet_length(coalesce(j.approval_id, '')))
      || convert_to(concat(j.kind, j.purpose, j.actor, j.reason, j.saga_id, j.order_ref, j.document, j.approval_id), 'UTF8')
      || p_lines);

create function ledger.genesis(p_tenant uuid, p_entity text) returns bytea
  language sql immutable strict parallel safe
  return sha256(convert_to('recourse ledger book 1', 'UTF8') || '\x00'::bytea || uuid_send(p_tenant) || convert_to(p_entity, 'UTF8'));

-- Opens the book of a legal entity if it is not open, locks its head and
-- returns it. Writers of one book follow one another; nothing else is locked,
-- so there is nothing to deadlock on. p_fence moves the version: whatever an
-- earlier writer still has under way, with the version it knew, is refused.
-- +goose StatementBegin
create function ledger.lock_book(p_tenant uuid, p_entity text, p_fence boolean)
  returns table (id integer, seq bigint, hash bytea, recorded_at timestamptz, version bigint, closed_through date, soft_closed_through date)
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
  b book;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into b from book where tenant_id = p_tenant and entity = p_entity for no key update;
  if b.id is null or p_fence then
    perform set_config('ledger.door', 'open', true);
    if b.id is null then
      insert into book (tenant_id, entity, genesis, hash)
      values (p_tenant, p_entity, genesis(p_tenant, p_entity), genesis(p_tenant, p_entity))
      on conflict on constraint book_once do nothing;
      select * into b from book where tenant_id = p_tenant and entity = p_entity for no key update;
    end if;
    if p_fence then
      update book set version = version + 1 where id = b.id returning * into b;
    end if;
    perform set_config('ledger.door', '', true);
  end if;
  return query select b.id, b.seq, b.hash, b.recorded_at, b.version, b.closed_through, b.soft_closed_through;
end $$;
-- +goose StatementEnd

-- Opens accounts in a book; those already open stay as they are.
-- +goose StatementBegin
create function ledger.open_accounts(p_tenant uuid, p_entity text, p_codes text[], p_names text[], p_types text[], p_sides text[],
                                     p_currencies text[], p_floors bigint[], p_ceilings bigint[])
  returns integer
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  head   record;
  opened integer;
begin
  select * into head from lock_book(p_tenant, p_entity, false);
  perform set_config('ledger.door', 'open', true);
  with fresh as (
    insert into account (tenant_id, book_id, code, name, type, normal_side, currency, floor, ceiling)
    select p_tenant, head.id, u.code, u.name, u.type, u.side, u.currency, u.floor, u.ceiling
      from unnest(p_codes, p_names, p_types, p_sides, p_currencies, p_floors, p_ceilings) as u (code, name, type, side, currency, floor, ceiling)
     where not exists (select from account a where a.book_id = head.id and a.code = u.code and a.currency = u.currency)
     order by u.code, u.currency
    returning id, code, currency, floor, ceiling
  ), zero as (
    insert into balance (tenant_id, account_id, book_id, name, bounded)
    select p_tenant, f.id, head.id, f.code || f.currency, f.floor is not null or f.ceiling is not null from fresh f
  )
  select count(*) into opened from fresh;
  if opened > 0 then
    update book set version = version + 1 where book.id = head.id;
  end if;
  perform set_config('ledger.door', '', true);
  return opened;
end $$;
-- +goose StatementEnd

-- Closes an account that stands at zero with nothing pending, opens it again,
-- or moves its bounds. False: there is no such account; an error says why not.
-- +goose StatementBegin
create function ledger.change_account(p_tenant uuid, p_entity text, p_code text, p_currency text, p_closed boolean, p_floor bigint, p_ceiling bigint)
  returns boolean
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  head record;
  a    account;
  b    balance;
  net  numeric;
begin
  select * into head from lock_book(p_tenant, p_entity, false);
  select * into a from account where book_id = head.id and code = p_code and currency = p_currency;
  if not found then
    return false;
  end if;
  select * into b from balance where account_id = a.id;
  net := case a.normal_side when 'D' then 1 else -1 end * (b.debits_posted::numeric - b.credits_posted);
  if p_closed and (net <> 0 or b.debits_pending <> 0 or b.credits_pending <> 0) then
    raise exception 'account % % does not stand at zero', p_code, p_currency using errcode = 'LG001', constraint = 'account_closes_at_zero';
  end if;
  if net < p_floor or net > p_ceiling then
    raise exception 'account % % stands outside the bounds', p_code, p_currency using errcode = 'LG001', constraint = 'account_stands_within_bounds';
  end if;
  perform set_config('ledger.door', 'open', true);
  update account
     set closed_at = case when not p_closed then null else coalesce(closed_at, clock_timestamp()) end, floor = p_floor, ceiling = p_ceiling
   where id = a.id;
  update balance set closed = p_closed, bounded = p_floor is not null or p_ceiling is not null where account_id = a.id;
  update book set version = version + 1 where book.id = head.id;
  perform set_config('ledger.door', '', true);
  return true;
end $$;
-- +goose StatementEnd

-- Sums that fail rather than widen: faster than sum(), whose result is numeric.
create aggregate ledger.total(bigint) (sfunc = int8pl, stype = bigint, combinefunc = int8pl, parallel = safe);

-- The door. The caller has computed a batch on top of the head it knows:
-- sequence, hashes, balances after each line. The door checks all of it, set
-- by set, and writes. t_* describe the transactions in order; l_* their lines,
-- l_of being the transaction's place in the batch from 1. Transaction i gets
-- sequence p_seq + i and time p_at + i - 1 microseconds.
--
-- Rows are written before the head is locked, so that the next batch of a
-- caller, computed on the head that this one will leave, is written while this
-- one commits. Every error takes back all of it: LG003 when the head is not the
-- caller's, because somebody else has written or accounts or periods have
-- changed (read again and repeat); unique violations of journal_key_pkey (an
-- id is there already) and journal_link_once; LG002 when what the caller
-- computed is wrong.
-- +goose StatementBegin
create function ledger.post_batch(
  p_tenant       uuid,
  p_book         integer,
  p_version      bigint,
  p_seq          bigint,
  p_hash         bytea,
  p_at           timestamptz,
  t_id           uuid[],
  t_kind         text[],
  t_resolves     uuid[],
  t_reverses     uuid[],
  t_expires_at   timestamptz[],
  t_effective_on date[],
  t_period       date[],
  t_purpose      text[],
  t_actor        text[],
  t_reason       text[],
  t_saga_id      text[],
  t_order_ref    text[],
  t_document     text[],
  t_approval_id  text[],
  t_hash         bytea[],
  l_of           integer[],
  l_line         smallint[],
  l_account      bigint[],
  l_name         text[],      -- the account's code and currency, in one
  l_prev         integer[],   -- place of the batch's line before it on the same account; 0: none
  l_layer        smallint[],  -- 0 posted, 1 held, -1 released
  l_amount       bigint[],    -- debits positive, credits negative
  l_posted       bigint[],
  l_held_debits  bigint[],
  l_held_credits bigint[])
  returns bigint   -- the new head's sequence
  language plpgsql security definer
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  head    book;
  n       integer := cardinality(t_id);
  m       integer := cardinality(l_of);
  bytes   bytea[];
  posted  integer[];
  held    integer[];
  freed   integer[];
  wrong   text;
  last    bytea;
  at_us   bigint := (extract(epoch from p_at) * 1000000)::bigint;
  named   integer;
  moved   integer;
  bounded boolean;
  said    text;
  more_currencies boolean;
  ahead      boolean;
  earliest   date;
  late       boolean;
  open_from  date;      -- the first period that takes what has no approval; null: any
  open_approved date;   -- and what has
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  if n is null or m is null or n = 0 or n > 10000 or m > 100000 then
    raise exception 'the batch is wrong: a batch has 1 to 10000 transactions and at most 100000 lines' using errcode = 'LG002';
  end if;
  -- Elements of these are taken by number.
  if array_dims(t_hash) || array_dims(t_period) is distinct from repeat(format('[1:%s]', n), 2)
     or array_dims(l_of) || array_dims(l_line) || array_dims(l_account) || array_dims(l_prev) || array_dims(l_layer) || array_dims(l_amount)
        || array_dims(l_posted) || array_dims(l_held_debits) || array_dims(l_held_credits) is distinct from repeat(format('[1:%s]', m), 9) then
    raise exception 'the batch is wrong: its arrays differ in length' using errcode = 'LG002';
  end if;
  said := set_config('ledger.door', 'open', true);
  said := set_config('ledger.book', p_book::text, true);
  -- The next batch, if it is there first, waits for this one to end.
  ahead := pg_try_advisory_xact_lock(p_book, ((p_seq + n) & 2147483647)::integer);

  -- The lines: each balance follows from the one before it on the same
  -- account. They are written, and their bytes kept for the hash.
  with l as materialized (
    select u.of, u.place, u.line, u.account, u.layer, u.amount, u.posted, u.held_debits, u.held_credits, right(u.name, 3) as currency,
           int2send(u.line) || int2send((octet_length(u.name) - 3)::smallint)
             || convert_to(u.name || case when u.amount > 0 then 'D' else 'C' end || case u.layer when 0 then 'P' when 1 then 'H' else 'R' end, 'UTF8')
             || int8send(abs(u.amount)) || int8send(u.posted) || int8send(u.held_debits) || int8send(u.held_credits) as bytes,
           case
             when u.amount is null or u.amount = 0 or u.layer is null or u.layer not between -1 and 1 or u.account is null or u.name is null or u.of is null
               or u.layer = -1 and u.line > 1 and l_layer[u.place - 1] <> -1  -- what is released comes first
               or u.of not between 1 and n or u.place > 1 and u.of < l_of[u.place - 1]
               or u.line is distinct from case when u.place > 1 and u.of = l_of[u.place - 1] then l_line[u.place - 1] + 1 else 1 end then 'line'
             when u.held_debits < 0 or u.held_credits < 0 or u.prev is null or u.prev < 0 or u.prev >= u.place then 'balance'
             when u.prev > 0 and (
                  l_account[u.prev] <> u.account
               or u.posted is distinct from l_posted[u.prev] + case when u.layer = 0 then u.amount else 0 end
               or u.held_debits is distinct from l_held_debits[u.prev] + case when u.amount > 0 then u.layer * u.amount else 0 end
               or u.held_credits is distinct from l_held_credits[u.prev] + case when u.amount < 0 then -u.layer * u.amount else 0 end) then 'balance'
           end as wrong
      from unnest(l_of, l_line, l_account, l_name, l_prev, l_layer, l_amount, l_posted, l_held_debits, l_held_credits)
           with ordinality as u (of, line, account, name, prev, layer, amount, posted, held_debits, held_credits, place)
  ), written as (
    insert into posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
    select p_at + (l.of - 1) * interval '1 microsecond', p_seq + l.of, l.account, abs(l.amount), l.posted, l.held_debits, l.held_credits, p_book,
           t_period[l.of], l.line, case when l.amount > 0 then 'D' else 'C' end, case l.layer when 0 then 'P' when 1 then 'H' else 'R' end
      from l
  )
  select array_agg(g.bytes order by g.of), array_agg(g.posted order by g.of), array_agg(g.held order by g.of),
         array_agg(g.freed order by g.of), min(g.wrong), bool_or(g.more_currencies)
    into bytes, posted, held, freed, wrong, more_currencies
    from (
      select l.of, string_agg(l.bytes, ''::bytea order by l.place) as bytes, min(l.currency) <> max(l.currency) as more_currencies,
             (count(*) filter (where l.layer = 0))::integer as posted,
             (count(*) filter (where l.layer = 1))::integer as held,
             (count(*) filter (where l.layer = -1))::integer as freed,
             coalesce(min(l.wrong), case when total(l.amount) filter (where l.layer = 0) <> 0 or total(l.amount) filter (where l.layer = 1) <> 0
                                           or total(l.amount) filter (where l.layer = -1) <> 0 then 'unbalanced' end) as wrong
        from l
       group by l.of
    ) g;
  if wrong is not null then
    raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
  end if;
  if cardinality(bytes) is distinct from n then
    raise exception 'the batch is wrong: lines' using errcode = 'LG002';
  end if;
  if more_currencies and exists (
    select from unnest(l_of, l_name, l_layer, l_amount) as u (of, name, layer, amount)
     group by u.of, right(u.name, 3), u.layer having total(u.amount) <> 0) then
    raise exception 'the batch is wrong: unbalanced' using errcode = 'LG002';
  end if;

  -- The transactions: kinds and layers fit, and each hash follows from the one
  -- before it.
  with t as materialized (
    select u.*,
           case
             when u.hash is distinct from sha256(lag(u.hash, 1, p_hash) over (order by u.place)
                  || '\x0001'::bytea || int8send(p_seq + u.place)
                  || int8send(at_us + u.place - 1) || uuid_send(u.id)
                  || uuid_send(coalesce(u.resolves, '00000000-0000-0000-0000-000000000000'))
                  || uuid_send(coalesce(u.reverses, '00000000-0000-0000-0000-000000000000'))
                  || int8send(coalesce((extract(epoch from u.expires_at) * 1000000)::bigint, 0))
                  || int4send(u.effective_on - date '1970-01-01') || int4send(u.period - date '1970-01-01')
                  || int4send(octet_length(u.kind)) || int4send(octet_length(u.purpose)) || int4send(octet_length(u.actor))
                  || int4send(octet_length(u.reason)) || int4send(octet_length(coalesce(u.saga_id, '')))
                  || int4send(octet_length(coalesce(u.order_ref, ''))) || int4send(octet_length(coalesce(u.document, '')))
                  || int4send(octet_length(coalesce(u.approval_id, '')))
                  || convert_to(concat(u.kind, u.purpose, u.actor, u.reason, u.saga_id, u.order_ref, u.document, u.approval_id), 'UTF8')
                  || u.bytes) then 'chain'
             when not case u.kind
                        when 'posted' then u.held = 0 and u.freed = 0 and u.posted between 2 and 1000
                        when 'pending' then u.posted = 0 and u.freed = 0 and u.held between 2 and 1000
                        when 'post_pending' then u.held = 0 and u.freed >= 2 and u.posted between 2 and 1000
                        else u.held = 0 and u.posted = 0 and u.freed >= 2 end then 'layers'
           end as wrong
      from unnest(t_id, t_kind, t_resolves, t_reverses, t_expires_at, t_effective_on, t_period, t_purpose, t_actor, t_reason,
                  t_saga_id, t_order_ref, t_document, t_approval_id, t_hash, bytes, posted, held, freed)
           with ordinality as u (id, kind, resolves, reverses, expires_at, effective_on, period, purpose, actor, reason,
                  saga_id, order_ref, document, approval_id, hash, bytes, posted, held, freed, place)
  ), written as (
    insert into journal (seq, recorded_at, id, resolves, reverses, expires_at, book_id, effective_on, period, kind, purpose, actor, reason,
                         saga_id, order_ref, document, approval_id, hash)
    select p_seq + t.place, p_at + (t.place - 1) * interval '1 microsecond', t.id, t.resolves, t.reverses, t.expires_at, p_book, t.effective_on,
           t.period, t.kind, t.purpose, t.actor, t.reason, t.saga_id, t.order_ref, t.document, t.approval_id, t.hash
      from t
  ), named as (
    insert into journal_key (seq, recorded_at, id, book_id)
    select p_seq + t.place, p_at + (t.place - 1) * interval '1 microsecond', t.id, p_book from t
  )
  select min(t.wrong), min(t.effective_on), bool_or(t.period is distinct from t.effective_on - extract(day from t.effective_on)::integer + 1)
    into wrong, earliest, late from t;
  if wrong is not null then
    raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
  end if;

  -- While the one before it has not ended, this one waits. Whoever has locked
  -- the head already never waits here, so that nobody waits in a circle.
  for look in 1 .. 100 loop
    select b.seq < p_seq into ahead from book b where b.id = p_book;
    exit when not ahead;
    if look = 1 then
      perform pg_advisory_xact_lock_shared(p_book, (p_seq & 2147483647)::integer);
    else
      perform pg_sleep(0.0005); -- it has not begun yet
    end if;
  end loop;

  -- The head: the one that the caller has computed on, and the periods as it
  -- knows them: what counts in another month than it happened in is late for
  -- one that is closed, and counts in the first that is open to it.
  select * into head from book where id = p_book and tenant_id = p_tenant for no key update;
  if not found then
    raise exception 'there is no such book' using errcode = '42501';
  end if;
  if (head.seq, head.hash, head.version) is distinct from (p_seq, p_hash, p_version) then
    raise exception 'the book has moved: it is at % of version %', head.seq, head.version using errcode = 'LG003';
  end if;
  if p_at is null or p_at <= head.recorded_at
     or p_at > greatest(clock_timestamp() + interval '5 minutes', head.recorded_at + interval '1 microsecond')
     or p_at < clock_timestamp() - interval '5 minutes' then
    raise exception 'the batch is wrong: the time % is not now: the database has %, the book %', p_at, clock_timestamp(), head.recorded_at
      using errcode = 'LG002';
  end if;
  open_approved := head.closed_through + interval '1 month';
  open_from := greatest(head.closed_through, head.soft_closed_through) + interval '1 month';
  if (late or earliest < open_from) and exists (
    select from unnest(t_period, t_effective_on, t_approval_id) as u (period, effective_on, approval_id)
     where u.period is distinct from greatest(u.effective_on - extract(day from u.effective_on)::integer + 1,
             case when coalesce(u.approval_id, '') = '' then open_from else open_approved end)) then
    raise exception 'the batch is wrong: period' using errcode = 'LG002';
  end if;

  -- The accounts: the book's own, open, named right. The first line of each
  -- follows from the stored balance, and a line's prev is the very last before
  -- it: it can only point to an earlier line of its account, so the sum of all
  -- is largest, and equal to this, when none is passed over.
  with s as (
    select u.account, min(u.place)::integer as first, max(u.place)::integer as last, min(u.name) as name, max(u.name) as name_too,
           sum(u.place::integer) - max(u.place) - sum(u.prev) as passed_over,
           coalesce(total(u.amount) filter (where u.layer = 0 and u.amount > 0), 0) as debits
      from unnest(l_account, l_name, l_prev, l_layer, l_amount) with ordinality as u (account, name, prev, layer, amount, place)
     group by u.account
  ), up as (
    update balance b
       set debits_posted = b.debits_posted + s.debits, credits_posted = b.debits_posted + s.debits - l_posted[s.last],
           debits_pending = l_held_debits[s.last], credits_pending = l_held_credits[s.last]
      from s
     where b.account_id = s.account and b.book_id = p_book and not b.closed and b.name = s.name and s.name = s.name_too
       and s.passed_over = 0 and l_prev[s.first] = 0
       and b.debits_posted - b.credits_posted = l_posted[s.first] - case when l_layer[s.first] = 0 then l_amount[s.first] else 0 end
       and b.debits_pending = l_held_debits[s.first] - case when l_amount[s.first] > 0 then l_layer[s.first] * l_amount[s.first] else 0 end
       and b.credits_pending = l_held_credits[s.first] - case when l_amount[s.first] < 0 then -l_layer[s.first] * l_amount[s.first] else 0 end
    returning b.bounded
  )
  select (select count(*) from s), count(*), bool_or(up.bounded) into named, moved, bounded from up;
  if moved <> named then
    raise exception 'the batch is wrong: balance or account' using errcode = 'LG002';
  end if;
  if bounded and exists (
    select from (
      select u.layer, u.posted, u.held_debits, u.held_credits, a.normal_side, a.floor, a.ceiling,
             lead(u.of) over (partition by u.account order by u.place) is distinct from u.of as done
        from unnest(l_of, l_account, l_layer, l_posted, l_held_debits, l_held_credits)
             with ordinality as u (of, account, layer, posted, held_debits, held_credits, place)
        join account a on a.id = u.account and (a.floor is not null or a.ceiling is not null)) x
     where x.done and x.layer <> -1
       and case x.normal_side
             when 'D' then x.posted::numeric - x.held_credits < x.floor or x.posted::numeric + x.held_debits > x.ceiling
             else -x.posted::numeric - x.held_debits < x.floor or -x.posted::numeric + x.held_credits > x.ceiling end) then
    raise exception 'the batch is wrong: bounds' using errcode = 'LG002';
  end if;

  if not (t_kind <@ array['posted', 'pending']) or array_remove(t_reverses, null) <> '{}' then
    wrong := ledger.check_links(p_book, p_seq, p_at, t_id, t_kind, t_resolves, t_reverses);
    if wrong is not null then
      raise exception 'the batch is wrong: %', wrong using errcode = 'LG002';
    end if;
  end if;

  last := t_hash[n];
  update book set seq = p_seq + n, hash = last, recorded_at = p_at + (n - 1) * interval '1 microsecond' where id = p_book;
  said := set_config('ledger.door', '', true);
  said := set_config('ledger.book', '', true);
  return p_seq + n;
end $$;
-- +goose StatementEnd

-- What resolves or reverses something, checked after the batch is written: it
-- may concern a transaction of the same batch. Writes the links; returns what
-- is wrong.
-- +goose StatementBegin
create function ledger.check_links(p_book integer, p_seq bigint, p_at timestamptz, t_id uuid[], t_kind text[], t_resolves uuid[], t_reverses uuid[])
  returns text
  language plpgsql
  set search_path = ledger, pg_temp as $$
declare
  x      record;
  target journal;
begin
  insert into journal_link (seq, target, book_id, relation)
  select p_seq + u.place, coalesce(u.resolves, u.reverses), p_book, case when u.resolves is null then 'reverses' else 'resolves' end
    from unnest(t_resolves, t_reverses) with ordinality as u (resolves, reverses, place)
   where u.resolves is not null or u.reverses is not null;
  for x in
    select u.place, u.kind, u.resolves, u.reverses, k.seq as target_seq, k.recorded_at as target_at, p_seq + u.place as seq,
           p_at + (u.place - 1) * interval '1 microsecond' as at
      from unnest(t_kind, t_resolves, t_reverses) with ordinality as u (kind, resolves, reverses, place)
      left join journal_key k on k.book_id = p_book and k.id = coalesce(u.resolves, u.reverses)
     where u.resolves is not null or u.reverses is not null
  loop
    select j.* into target from journal j where j.book_id = p_book and j.seq = x.target_seq and j.recorded_at = x.target_at;
    if not found or x.target_seq >= x.seq then
      return 'target';
    end if;
    if x.reverses is not null then
      if target.kind not in ('posted', 'post_pending') then
        return 'not reversible';
      end if;
      -- The reversal is the mirror of what it takes back.
      if exists (
        select from (
          select p.account_id, case p.side when 'D' then 'C' else 'D' end as side, sum(p.amount) as amount from posting p
           where p.book_id = p_book and p.recorded_at = x.target_at and p.layer = 'P' group by 1, 2
          except
          select p.account_id, p.side, sum(p.amount) from posting p where p.book_id = p_book and p.recorded_at = x.at group by 1, 2) d)
        or (select sum(p.amount) from posting p where p.book_id = p_book and p.recorded_at = x.at)
           <> (select sum(p.amount) from posting p where p.book_id = p_book and p.recorded_at = x.target_at and p.layer = 'P') then
        return 'not the mirror';
      end if;
    else
      if target.kind <> 'pending' then
        return 'not pending';
      end if;
      if (x.kind = 'expire_pending') <> (target.expires_at is not null and target.expires_at <= x.at) then
        return 'expiry';
      end if;
      -- All that was held is released, and no more than that is posted.
      if exists (
        select from (
          select p.account_id, p.side, sum(p.amount) as amount from posting p
           where p.book_id = p_book and p.recorded_at = x.target_at group by 1, 2) h
          full join (
          select p.account_id, p.side, sum(p.amount) filter (where p.layer = 'R') as freed, sum(p.amount) filter (where p.layer = 'P') as posted
            from posting p where p.book_id = p_book and p.recorded_at = x.at group by 1, 2) m
            on m.account_id = h.account_id and m.side = h.side
         where h.amount is distinct from m.freed or m.posted > coalesce(h.amount, 0)) then
        return 'exceeds pending';
      end if;
    end if;
  end loop;
  return null;
end $$;
-- +goose StatementEnd

-- The balances of an account after the last line at or before a moment,
-- without reading its history.
create function ledger.balance_at(p_account bigint, p_at timestamptz)
  returns table (posted bigint, held_debits bigint, held_credits bigint, seq bigint, recorded_at timestamptz)
  language sql stable
  set search_path = ledger, pg_temp as $$
    select p.posted_after, p.held_debits_after, p.held_credits_after, p.seq, p.recorded_at
      from posting p
     where p.account_id = p_account and p.recorded_at <= p_at
     order by p.recorded_at desc, p.line desc
     limit 1
  $$;

-- What a writer looks up before it posts. The tables may be empty when a plan
-- is made and large when it is used: it always goes by the indexes.
-- +goose StatementBegin
create function ledger.accounts_of(p_tenant uuid, p_entity text, p_codes text[], p_currencies text[])
  returns table (id bigint, code text, currency text, normal_side text, floor bigint, ceiling bigint, closed boolean,
                 debits_posted bigint, credits_posted bigint, debits_pending bigint, credits_pending bigint)
  language plpgsql stable
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query
    select a.id, a.code, a.currency, a.normal_side, a.floor, a.ceiling, a.closed_at is not null,
           b.debits_posted, b.credits_posted, b.debits_pending, b.credits_pending
      from book k
      cross join unnest(p_codes, p_currencies) as u (code, currency)
      join account a on a.book_id = k.id and a.code = u.code and a.currency = u.currency
      join balance b on b.account_id = a.id
     where k.tenant_id = p_tenant and k.entity = p_entity;
end $$;
-- +goose StatementEnd

-- What is recorded under some ids, a row a line, and whether it has been
-- resolved or reversed.
-- +goose StatementBegin
create function ledger.known(p_tenant uuid, p_entity text, p_ids uuid[])
  returns table (journal ledger.journal, resolved boolean, reversed boolean, posting ledger.posting, code text, currency text)
  language plpgsql stable
  set search_path = ledger, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query
    select j, exists (select from journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'resolves'),
           exists (select from journal_link l where l.book_id = k.book_id and l.target = j.id and l.relation = 'reverses'),
           p, a.code, a.currency
      from book b
      join journal_key k on k.book_id = b.id and k.id = any (p_ids)
      join journal j on j.book_id = k.book_id and j.seq = k.seq and j.recorded_at = k.recorded_at
      join posting p on p.book_id = k.book_id and p.recorded_at = k.recorded_at
      join account a on a.id = p.account_id
     where b.tenant_id = p_tenant and b.entity = p_entity
     order by j.seq, p.line;
end $$;
-- +goose StatementEnd

-- The first form's rows, carried over in their order with a chain of their
-- own. A void had no entries: it releases what its target held.
-- +goose StatementBegin
create function ledger.carry_over() returns void
  language plpgsql
  set search_path = ledger, pg_temp as $$
declare
  t       record;
  l       record;
  b       book;
  j       journal;
  sums    balance;
  lines   bytea;
  at      timestamptz;
  place   smallint;
  target  bigint;  -- sequence of what this one resolves
begin
  perform set_config('ledger.door', 'open', true);
  for t in select distinct tenant_id from account loop
    perform set_config('app.tenant', t.tenant_id::text, true);
    insert into book (tenant_id, entity, genesis, hash) values (t.tenant_id, 'main', genesis(t.tenant_id, 'main'), genesis(t.tenant_id, 'main'));
  end loop;
  update account a set book_id = b2.id from book b2 where b2.tenant_id = a.tenant_id and a.book_id is null;
  update balance z
     set debits_posted = 0, credits_posted = 0, debits_pending = 0, credits_pending = 0, book_id = a.book_id, name = a.code || a.currency,
         bounded = a.floor is not null, closed = a.closed_at is not null
    from account a where a.id = z.account_id;

  for t in select * from transaction x order by x.tenant_id, x.seq loop
    perform set_config('app.tenant', t.tenant_id::text, true);
    select * into b from book where tenant_id = t.tenant_id and entity = 'main';
    at := greatest(date_trunc('microsecond', t.recorded_at), b.recorded_at + interval '1 microsecond');
    lines := ''; place := 0; target := null;
    if t.resolves is not null then
      select x.seq into target from transaction x where x.tenant_id = t.tenant_id and x.id = t.resolves;
    end if;
    for l in
      select 1 as part, e.line, e.account_id, e.side, 'R' as layer, e.amount, a.code, a.currency
        from entry e join account a on a.id = e.account_id
       where t.resolves is not null and e.tenant_id = t.tenant_id and e.seq = target
      union all
      select 2, e.line, e.account_id, e.side, case t.kind when 'pending' then 'H' else 'P' end, e.amount, a.code, a.currency
        from entry e join account a on a.id = e.account_id where e.tenant_id = t.tenant_id and e.seq = t.seq
      order by 1, 2
    loop
      place := place + 1;
      update balance
         set debits_posted   = debits_posted   + case when l.layer = 'P' and l.side = 'D' then l.amount else 0 end,
             credits_posted  = credits_posted  + case when l.layer = 'P' and l.side = 'C' then l.amount else 0 end,
             debits_pending  = debits_pending  + case when l.side <> 'D' then 0 when l.layer = 'H' then l.amount when l.layer = 'R' then -l.amount else 0 end,
             credits_pending = credits_pending + case when l.side <> 'C' then 0 when l.layer = 'H' then l.amount when l.layer = 'R' then -l.amount else 0 end
       where account_id = l.account_id
      returning * into sums;
      insert into posting (recorded_at, seq, account_id, amount, posted_after, held_debits_after, held_credits_after, book_id, period, line, side, layer)
      values (at, t.seq, l.account_id, l.amount, sums.debits_posted - sums.credits_posted, sums.debits_pending, sums.credits_pending, b.id,
              date_trunc('month', t.effective_on)::date, place, l.side, l.layer);
      lines := lines || line_bytes(place, l.code, l.currency, l.side, l.layer, l.amount, sums.debits_posted - sums.credits_posted,
                                   sums.debits_pending, sums.credits_pending);
    end loop;
    j := (t.seq, at, t.id, t.resolves, t.reverses, null, b.id, t.effective_on, date_trunc('month', t.effective_on)::date, t.kind, t.purpose,
          t.actor, t.reason, t.saga_id, t.order_ref, t.document, null, null)::journal;
    j.hash := journal_hash(b.hash, j, lines);
    insert into journal select j.*;
    insert into journal_key (seq, recorded_at, id, book_id) values (t.seq, at, t.id, b.id);
    if t.resolves is not null or t.reverses is not null then
      insert into journal_link (seq, target, book_id, relation)
      values (t.seq, coalesce(t.resolves, t.reverses), b.id, case when t.resolves is null then 'reverses' else 'resolves' end);
    end if;
    update book set seq = t.seq, hash = j.hash, recorded_at = at where id = b.id;
  end loop;
  perform set_config('ledger.door', '', true);
end $$;
-- +goose StatementEnd

-- The copy reads and writes every tenant; row-level security comes back at
-- once, forced as before.
alter table ledger.account     no force row level security;
alter table ledger.transaction no force row level security;
alter table ledger.entry       no force row level security;
alter table ledger.balance     no force row level security;
alter table ledger.book        no force row level security;
alter table ledger.journal     no force row level security;
alter table ledger.posting     no force row level security;
alter table ledger.journal_key no force row level security;
alter table ledger.journal_link no force row level security;
select ledger.carry_over();
drop function ledger.carry_over();
alter table ledger.account     force row level security;
alter table ledger.transaction force row level security;
alter table ledger.entry       force row level security;
alter table ledger.balance     force row level security;
alter table ledger.book        force row level security;
alter table ledger.journal     force row level security;
alter table ledger.posting     force row level security;
alter table ledger.journal_key force row level security;
alter table ledger.journal_link force row level security;
select set_config('app.tenant', '', true);

alter table ledger.account
  validate constraint account_code_form,
  validate constraint account_bounds_ordered,
  drop constraint account_code_once,
  add constraint account_code_once unique (book_id, code, currency);

drop function ledger.post(uuid, uuid[], text[], uuid[], uuid[], text[], date[], text[], text[], text[], text[], text[], bytea[],
                          integer[], text[], text[], text[], bigint[]);
drop function ledger.open_accounts(uuid, text, text[], text[], text[], text[]);
revoke select on ledger.transaction, ledger.entry from app_api, app_worker, finance_ro;
revoke select on ledger.head from app_worker;

create or replace view ledger.trial_balance with (security_invoker = true) as
  select a.tenant_id, a.code, a.name, a.type, a.normal_side, a.currency,
         b.debits_pending, b.credits_pending, b.debits_posted, b.credits_posted, k.entity
    from ledger.account a
    join ledger.balance b on b.account_id = a.id
    join ledger.book k on k.id = a.book_id;

grant usage on schema ledger to sealer;
grant select on ledger.book, ledger.journal, ledger.posting, ledger.journal_key, ledger.journal_link to app_api, app_worker, finance_ro, auditor_ro;
grant select on ledger.book to sealer;
grant select (book_id, seq, recorded_at, hash) on ledger.journal to sealer;

revoke all on function ledger.door_only(), ledger.guard_table(text, boolean), ledger.guard_account(), ledger.add_partition(text, text, text),
  ledger.add_partitions(date, integer), ledger.check_links(integer, bigint, timestamptz, uuid[], text[], uuid[], uuid[]),
  ledger.line_bytes(smallint, text, text, text, text, bigint, bigint, bigint, bigint), ledger.journal_hash(bytea, ledger.journal, bytea),
  ledger.genesis(uuid, text), ledger.lock_book(uuid, text, boolean), ledger.balance_at(bigint, timestamptz),
  ledger.accounts_of(uuid, text, text[], text[]), ledger.known(uuid, text, uuid[]),
  ledger.open_accounts(uuid, text, text[], text[], text[], text[], text[], bigint[], bigint[]),
  ledger.change_account(uuid, text, text, text, boolean, bigint, bigint),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, uuid[], text[], uuid[], uuid[], timestamptz[], date[], date[], text[],
    text[], text[], text[], text[], text[], text[], bytea[], integer[], smallint[], bigint[], text[], integer[], smallint[], bigint[],
    bigint[], bigint[], bigint[]) from public;
grant execute on function ledger.line_bytes(smallint, text, text, text, text, bigint, bigint, bigint, bigint),
  ledger.journal_hash(bytea, ledger.journal, bytea), ledger.genesis(uuid, text), ledger.balance_at(bigint, timestamptz),
  ledger.accounts_of(uuid, text, text[], text[]), ledger.known(uuid, text, uuid[])
  to app_api, app_worker, finance_ro, auditor_ro;
grant execute on function ledger.lock_book(uuid, text, boolean),
  ledger.open_accounts(uuid, text, text[], text[], text[], text[], text[], bigint[], bigint[]),
  ledger.post_batch(uuid, integer, bigint, bigint, bytea, timestamptz, uuid[], text[], uuid[], uuid[], timestamptz[], date[], date[], text[],
    text[], text[], text[], text[], text[], text[], bytea[], integer[], smallint[], bigint[], text[], integer[], smallint[], bigint[],
    bigint[], bigint[], bigint[]) to app_api, app_worker;

reset role;

set role recourse_owner;
grant usage on schema app to sealer;
grant execute on function app.current_tenant() to sealer;
reset role;
