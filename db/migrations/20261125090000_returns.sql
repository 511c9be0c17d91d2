-- +goose Up
-- What the returns of a transfer give back is at most what it cost, however
-- many are accepted at one moment: each locks its transfer and counts the
-- others, so the last one that fits is the last one. Returns that were refused
-- or undone gave nothing back.
set role recourse_owner;

-- +goose StatementBegin
create function app.guard_return() returns trigger
  language plpgsql set search_path = app, pg_temp as $$
declare
  sold  record;
  given numeric;
begin
  -- Nobody else changes a completed transfer's row, so nobody but returns waits.
  select s.id, s.status, s.amount, s.currency into sold
    from saga s
   where s.tenant_id = new.tenant_id and s.id = new.request ->> 'of' and s.type = 'transfer'
     for no key update;
  if not found or sold.status <> 'completed' or sold.currency <> new.currency then
    raise exception 'return %: there is no completed transfer in % that it takes back', new.id, new.currency
      using errcode = '23514', constraint = 'return_of_completed_transfer';
  end if;
  -- A statement of its own, so that it sees what was committed before the lock.
  select coalesce(sum(r.amount), 0) into given
    from saga r
   where r.tenant_id = new.tenant_id and r.type = 'return' and r.request ->> 'of' = sold.id and r.status not in ('compensated', 'rejected');
  if given + new.amount > sold.amount then
    raise exception 'return %: % of % is given back already', new.id, given, sold.amount
      using errcode = '23514', constraint = 'return_within_price';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger saga_return_guard before insert on app.saga
  for each row when (new.type = 'return') execute function app.guard_return();
alter table app.saga enable always trigger saga_return_guard;

reset role;
