-- +goose Up
-- Holds end by themselves. A pending transaction with an end is noted in a list
-- when it is recorded; a job of the workers reads what of it is due, releases
-- it through the door like any caller, and takes off the list what has been
-- resolved by anybody. The list is a reminder and nothing follows from it: the
-- journal says what is pending.
set role ledger_owner;

create table ledger.hold (
  expires_at timestamptz not null,
  tenant_id  uuid        not null,
  id         uuid        not null,   -- the pending transaction
  book_id    integer     not null,
  entity     text        not null,
  saga_id    text,
  order_ref  text,
  constraint hold_pkey primary key (book_id, expires_at, id)
);

create trigger hold_door before insert or update or delete on ledger.hold
  for each statement execute function ledger.door_only();
create trigger hold_no_truncate before truncate on ledger.hold
  for each statement execute function ledger.forbid();
alter table ledger.hold enable always trigger hold_door;
alter table ledger.hold enable always trigger hold_no_truncate;

-- Its owner reads the list of all tenants: there are names in it and times.
alter table ledger.hold enable row level security;
alter table ledger.hold force  row level security;
create policy hold_owner on ledger.hold to ledger_owner using (true);
create policy hold_audit on ledger.hold for select to auditor_ro using (true);
grant select on ledger.hold to auditor_ro;

-- +goose StatementBegin
create function ledger.note_hold() returns trigger
  language plpgsql
  set search_path = ledger, pg_temp as $$
begin
  insert into hold (expires_at, tenant_id, id, book_id, entity, saga_id, order_ref)
  select new.expires_at, b.tenant_id, new.id, b.id, b.entity, new.saga_id, new.order_ref from book b where b.id = new.book_id;
  return null;
end $$;
-- +goose StatementEnd
create trigger journal_hold after insert on ledger.journal
  for each row when (new.expires_at is not null) execute function ledger.note_hold();
alter table ledger.journal enable always trigger journal_hold;

-- What is past its time, of all tenants: at most p_each of a book, so that none
-- waits for another, and those first that have waited longest. From book to
-- book it goes by the index.
create function ledger.due_holds(p_each integer, p_limit integer)
  returns table (tenant_id uuid, entity text, id uuid, expires_at timestamptz, saga_id text, order_ref text)
  language sql stable security definer
  set search_path = ledger, pg_temp
  as $$
    with recursive books (book_id) as (
      (select h.book_id from hold h order by h.book_id limit 1)
      union all
      select (select h.book_id from hold h where h.book_id > b.book_id order by h.book_id limit 1) from books b where b.book_id is not null
    )
    select d.tenant_id, d.entity, d.id, d.expires_at, d.saga_id, d.order_ref
      from books b
      cross join lateral (select * from hold h where h.book_id = b.book_id and h.expires_at <= statement_timestamp()
                           order by h.expires_at, h.id limit p_each) d
     order by d.expires_at, d.id
     limit p_limit
  $$;

-- Takes off the list what the journal says has been resolved; the rest stays.
-- +goose StatementBegin
create function ledger.forget_holds(p_tenant uuid, p_entity text, p_ids uuid[]) returns integer
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  gone integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('ledger.door', 'open', true);
  delete from hold h
   using book b, unnest(p_ids) as u (id)
    join journal_link l on l.target = u.id and l.relation = 'resolves'
    join journal_key k on k.id = u.id
    join journal j on j.book_id = k.book_id and j.seq = k.seq and j.recorded_at = k.recorded_at
   where b.tenant_id = p_tenant and b.entity = p_entity and l.book_id = b.id and k.book_id = b.id
     and h.book_id = b.id and h.expires_at = j.expires_at and h.id = u.id;
  get diagnostics gone = row_count;
  perform set_config('ledger.door', '', true);
  return gone;
end $$;
-- +goose StatementEnd

revoke all on function ledger.note_hold(), ledger.due_holds(integer, integer), ledger.forget_holds(uuid, text, uuid[]) from public;
grant execute on function ledger.due_holds(integer, integer), ledger.forget_holds(uuid, text, uuid[]) to app_worker;

reset role;
