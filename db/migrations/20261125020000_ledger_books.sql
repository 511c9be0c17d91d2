-- +goose Up
-- Who opens what in the ledger. A tenant has the books of its first legal
-- entity, main; those of another are opened by whoever looks after the
-- deployment, not by the first that names it. The door's callers open the
-- standard chart of accounts and nothing else: any other account takes an
-- approval that is used up in the same transaction.
set role ledger_owner;

-- Locks the head of a book and returns it, opening the first book of a tenant
-- if it is not open; LG004: the entity has no books. Writers of one book follow
-- one another; nothing else is locked, so there is nothing to deadlock on.
-- p_fence moves the version: whatever an earlier writer still has under way,
-- with the version it knew, is refused.
-- +goose StatementBegin
create or replace function ledger.lock_book(p_tenant uuid, p_entity text, p_fence boolean)
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
      if p_entity <> 'main' then
        raise exception 'the books of entity % are not open', p_entity using errcode = 'LG004', constraint = 'book_is_open',
          hint = 'recourse ledger open-book opens them';
      end if;
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

-- Opens the books of another legal entity. False: they are open.
-- +goose StatementBegin
create function ledger.open_book(p_tenant uuid, p_entity text) returns boolean
  language plpgsql
  set search_path = ledger, pg_temp as $$
declare
  opened integer;
begin
  perform set_config('app.tenant', p_tenant::text, true);
  perform set_config('ledger.door', 'open', true);
  insert into book (tenant_id, entity, genesis, hash)
  values (p_tenant, p_entity, genesis(p_tenant, p_entity), genesis(p_tenant, p_entity))
  on conflict on constraint book_once do nothing;
  get diagnostics opened = row_count;
  perform set_config('ledger.door', '', true);
  return opened > 0;
end $$;
-- +goose StatementEnd

-- The chart of accounts every book starts with; ledger.Chart in the program is
-- the same, and a test holds them against each other.
create function ledger.standard_chart() returns table (code text, name text, type text, side text)
  language sql immutable parallel safe
  set search_path = ledger, pg_temp as $$ values
    ('1010', 'Cash, bank', 'asset', 'D'),
    ('1020', 'Stripe clearing', 'asset', 'D'),
    ('1030', 'Authorisations held', 'asset', 'D'),
    ('1200', 'Receivable', 'asset', 'D'),
    ('1900', 'Suspense', 'asset', 'D'),
    ('2010', 'Customer deposits', 'liability', 'C'),
    ('2100', 'Seller payable', 'liability', 'C'),
    ('2200', 'Sales tax payable', 'liability', 'C'),
    ('2300', 'Refunds payable', 'liability', 'C'),
    ('4010', 'Booking revenue', 'revenue', 'C'),
    ('4020', 'Usage revenue', 'revenue', 'C'),
    ('4030', 'Commission', 'revenue', 'C'),
    ('4900', 'Refunds', 'revenue', 'D'),
    ('5010', 'Processor fees', 'expense', 'D'),
    ('5020', 'Chargebacks', 'expense', 'D'),
    ('5030', 'FX gain and loss', 'expense', 'D')
  $$;

-- Opens accounts in a book; those already open stay as they are. For the
-- ledger's own functions and its owner.
-- +goose StatementBegin
create function ledger.add_accounts(p_tenant uuid, p_entity text, p_codes text[], p_names text[], p_types text[], p_sides text[],
                                     p_currencies text[], p_floors bigint[], p_ceilings bigint[])
  returns integer
  language plpgsql
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

-- Opens accounts of the standard chart, as they stand there, in a book.
-- +goose StatementBegin
create or replace function ledger.open_accounts(p_tenant uuid, p_entity text, p_codes text[], p_names text[], p_types text[], p_sides text[],
                                     p_currencies text[], p_floors bigint[], p_ceilings bigint[])
  returns integer
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  other text;
begin
  select coalesce(u.code, '') into other
    from unnest(p_codes, p_names, p_types, p_sides, p_currencies, p_floors, p_ceilings) as u (code, name, type, side, currency, floor, ceiling)
    left join standard_chart() c on (c.code, c.name, c.type, c.side) = (u.code, u.name, u.type, u.side)
   where c.code is null or u.floor is not null or u.ceiling is not null
   limit 1;
  if found then
    raise exception 'account % is not of the standard chart: opening it takes an approval', other
      using errcode = '42501', constraint = 'account_approval_holds';
  end if;
  return add_accounts(p_tenant, p_entity, p_codes, p_names, p_types, p_sides, p_currencies, p_floors, p_ceilings);
end $$;
-- +goose StatementEnd

-- Does to the chart of accounts or to a period what an approval says that was
-- used up in this very transaction, and nothing else: the words come from its
-- payload, not from the caller.
-- +goose StatementBegin
create or replace function ledger.apply_approved(p_tenant uuid, p_approval text) returns jsonb
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  a       record;
  p       jsonb;
  whose   text;   -- the legal entity's books
  had     account;
  version integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into a from app.approval_used_here(p_tenant, p_approval);
  if a.action is null then
    raise exception 'approval % was not used in this transaction', p_approval using errcode = '42501';
  end if;
  p := a.payload;
  whose := p ->> 'entity';
  case a.action
    when 'account.open' then
      if add_accounts(p_tenant, whose, array[p ->> 'code'], array[p ->> 'name'], array[p ->> 'type'], array[p ->> 'normal_side'],
                      array[p ->> 'currency'], array[(p ->> 'floor')::bigint], array[(p ->> 'ceiling')::bigint]) = 0 then
        raise exception 'account % % is there already', p ->> 'code', p ->> 'currency' using errcode = 'LG001', constraint = 'account_code_once';
      end if;
    when 'account.close' then
      perform lock_book(p_tenant, whose, false);
      select c.* into had from account c join book b on b.id = c.book_id
       where b.tenant_id = p_tenant and b.entity = whose and c.code = p ->> 'code' and c.currency = p ->> 'currency';
      if had.closed_at is not null then
        raise exception 'account % % is closed already', p ->> 'code', p ->> 'currency' using errcode = 'LG001', constraint = 'account_closed_once';
      end if;
      if not change_account(p_tenant, whose, p ->> 'code', p ->> 'currency', true, had.floor, had.ceiling) then
        raise exception 'there is no account % %', p ->> 'code', p ->> 'currency' using errcode = 'LG001', constraint = 'account_is_there';
      end if;
    when 'period.soft_close', 'period.close', 'period.reopen' then
      version := move_period(p_tenant, whose, (p ->> 'period' || '-01')::date,
                             case a.action when 'period.soft_close' then 'soft_closed' when 'period.close' then 'closed' else 'reopened' end,
                             p_approval, a.maker);
      return jsonb_build_object('entity', whose, 'period', p ->> 'period', 'version', version);
    else
      raise exception '% is not done here', a.action using errcode = '42501';
  end case;
  return (select jsonb_build_object('entity', whose, 'id', c.id, 'code', c.code, 'currency', c.currency)
            from account c join book b on b.id = c.book_id
           where b.tenant_id = p_tenant and b.entity = whose and c.code = p ->> 'code' and c.currency = p ->> 'currency');
end $$;
-- +goose StatementEnd

revoke all on function ledger.open_book(uuid, text), ledger.standard_chart(),
  ledger.add_accounts(uuid, text, text[], text[], text[], text[], text[], bigint[], bigint[]) from public;

reset role;
