-- +goose Up
-- People in the ledger: what they post is held against what was approved, and
-- periods are closed, kept and reopened.
--
--   period_event   what happened to the periods of a book, in order
--   period_total   what each account had in a period when it was closed; a
--                  period that is reopened and closed again has both versions
--
-- The functions of schema app that this file calls are made by the next one.
set role ledger_owner;

create table ledger.period_event (
  id          bigint      generated always as identity,
  book_id     integer     not null,
  period      date        not null,   -- first day of the month
  version     integer     not null,   -- the closing it belongs to: the period's first, second, ...
  event       text        not null,
  approval_id text        not null,
  actor       text        not null,   -- who asked for it: api key id
  at          timestamptz not null default clock_timestamp(),
  seq         bigint      not null,   -- the book's last transaction then
  hash        bytea       not null,   -- and where its chain stood
  constraint period_event_pkey primary key (book_id, id),
  constraint period_event_approval_once unique (book_id, approval_id),
  constraint period_event_known check (event in ('soft_closed', 'closed', 'reopened')),
  constraint period_event_is_month check (extract(day from period) = 1),
  constraint period_event_version_positive check (version > 0)
);

create table ledger.period_total (
  book_id    integer not null,
  period     date    not null,
  version    integer not null,
  account_id bigint  not null,
  debits     bigint  not null,   -- posted in the period, minor units
  credits    bigint  not null,
  constraint period_total_pkey primary key (book_id, period, version, account_id),
  constraint period_total_not_negative check (debits >= 0 and credits >= 0)
);

select ledger.guard_table('period_event', false);
select ledger.guard_table('period_total', false);
alter table ledger.period_event enable row level security;
alter table ledger.period_event force  row level security;
alter table ledger.period_total enable row level security;
alter table ledger.period_total force  row level security;
create policy period_event_own on ledger.period_event to ledger_owner, app_api, app_worker, finance_ro using (book_id in (select b.id from ledger.book b));
create policy period_total_own on ledger.period_total to ledger_owner, app_api, app_worker, finance_ro using (book_id in (select b.id from ledger.book b));
create policy period_event_audit on ledger.period_event for select to auditor_ro using (true);
create policy period_total_audit on ledger.period_total for select to auditor_ro using (true);

-- What names an approval is what was approved: the approval was used up in this
-- very transaction, and every word and line is that of its payload. Deferred to
-- the commit, because the door writes the lines after the transaction; a
-- transaction without an approval costs one look at a null.
-- +goose StatementBegin
create function ledger.check_approved() returns trigger
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  b     book;
  a     record;
  lines jsonb;
begin
  select * into b from book where id = new.book_id;
  select * into a from app.approval_used_here(b.tenant_id, new.approval_id);
  select jsonb_agg(jsonb_build_object('account', c.code, 'side', p.side, 'amount', p.amount, 'currency', c.currency) order by p.line) into lines
    from posting p join account c on c.id = p.account_id
   where p.book_id = new.book_id and p.recorded_at = new.recorded_at;
  if a.action is null or a.action not in ('ledger.journal', 'ledger.write_off', 'ledger.reversal')
     or (b.entity, new.id::text, new.kind, new.purpose, new.actor, new.reason, new.effective_on::text, lines)
        is distinct from
        (a.payload ->> 'entity', a.payload ->> 'transaction_id', 'posted', 'manual.' || substr(a.action, 8), a.maker, a.payload ->> 'reason',
         a.payload ->> 'effective_on', a.payload -> 'entries')
     or (coalesce(new.document, ''), coalesce(new.reverses::text, '')) <> (coalesce(a.payload ->> 'document', ''), coalesce(a.payload ->> 'reverses', ''))
     or new.saga_id is not null or new.order_ref is not null or new.expires_at is not null then
    raise exception 'transaction % is not what approval % allows', new.id, new.approval_id
      using errcode = '42501', constraint = 'journal_approval_holds';
  end if;
  return null;
end $$;
-- +goose StatementEnd
create constraint trigger journal_approval after insert on ledger.journal
  deferrable initially deferred
  for each row when (new.approval_id is not null) execute function ledger.check_approved();
alter table ledger.journal enable always trigger journal_approval;

-- Why a period cannot be moved; null: it can. Months are UTC's.
-- +goose StatementBegin
create function ledger.period_refusal(p_book integer, p_period date, p_event text) returns text
  language plpgsql stable
  set search_path = ledger, pg_temp as $$
declare
  b     book;
  shut  date;   -- up to here nothing is left to do for this event
  next  date;
  month text := to_char(p_period, 'YYYY-MM');
begin
  select * into b from book where id = p_book;
  if not found then
    return 'these books have not been opened yet: nothing was posted';
  end if;
  shut := case p_event when 'closed' then b.closed_through else greatest(b.closed_through, b.soft_closed_through) end;
  if p_event = 'reopened' then
    if shut is null or p_period > shut then
      return format('%s is not closed', month);
    end if;
    if p_period < shut then
      return format('%s was closed after it: reopen that first', to_char(shut, 'YYYY-MM'));
    end if;
    return null;
  end if;
  if (p_period + interval '1 month')::date > (clock_timestamp() at time zone 'UTC')::date then
    return format('%s is not over: a period is closed when its month has ended in UTC', month);
  end if;
  if p_period <= shut then
    return format('%s is %s already', month, case when p_period <= b.closed_through then 'closed' else 'soft-closed' end);
  end if;
  next := (shut + interval '1 month')::date;
  if next is null then
    select min(j.period) into next from journal j where j.book_id = b.id;
    if next is null then
      return 'nothing was posted to these books yet';
    end if;
    if p_period < next then
      return format('nothing was posted before %s: begin there', to_char(next, 'YYYY-MM'));
    end if;
  end if;
  if p_period > next then
    return format('%s comes first', to_char(next, 'YYYY-MM'));
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- Moves a period on, with the book locked: nothing is posted meanwhile, and
-- what a writer has computed before is refused and computed again, because the
-- book's version moves. Returns the version.
-- +goose StatementBegin
create function ledger.move_period(p_tenant uuid, p_entity text, p_period date, p_event text, p_approval text, p_actor text) returns integer
  language plpgsql
  set search_path = ledger, pg_temp as $$
declare
  head    record;
  wrong   text;
  closing integer;
  before  date := (p_period - interval '1 month')::date;
begin
  select * into head from lock_book(p_tenant, p_entity, false);
  wrong := period_refusal(head.id, p_period, p_event);
  if wrong is not null then
    raise exception '%', wrong using errcode = 'LG001', constraint = 'period_moves_in_order';
  end if;
  select count(*) + case p_event when 'reopened' then 0 else 1 end into closing
    from period_event e where e.book_id = head.id and e.period = p_period and e.event = 'closed';
  perform set_config('ledger.door', 'open', true);
  insert into period_event (book_id, period, version, event, approval_id, actor, seq, hash)
  values (head.id, p_period, greatest(closing, 1), p_event, p_approval, p_actor, head.seq, head.hash);
  if p_event = 'closed' then
    insert into period_total (book_id, period, version, account_id, debits, credits)
    select head.id, p_period, closing, p.account_id,
           coalesce(sum(p.amount) filter (where p.side = 'D'), 0), coalesce(sum(p.amount) filter (where p.side = 'C'), 0)
      from posting p
     where p.book_id = head.id and p.period = p_period and p.layer = 'P'
     group by p.account_id;
  end if;
  update book
     set closed_through = case p_event when 'closed' then p_period when 'reopened' then least(closed_through, before) else closed_through end,
         soft_closed_through = case p_event when 'reopened' then before else greatest(soft_closed_through, p_period) end,
         version = version + 1
   where id = head.id;
  perform set_config('ledger.door', '', true);
  return greatest(closing, 1);
end $$;
-- +goose StatementEnd

-- Does to the chart of accounts or to a period what an approval says that was
-- used up in this very transaction, and nothing else: the words come from its
-- payload, not from the caller.
-- +goose StatementBegin
create function ledger.apply_approved(p_tenant uuid, p_approval text) returns jsonb
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
      if open_accounts(p_tenant, whose, array[p ->> 'code'], array[p ->> 'name'], array[p ->> 'type'], array[p ->> 'normal_side'],
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

grant select on ledger.period_event, ledger.period_total to app_api, app_worker, finance_ro, auditor_ro;
revoke all on function ledger.check_approved(), ledger.period_refusal(integer, date, text),
  ledger.move_period(uuid, text, date, text, text, text), ledger.apply_approved(uuid, text) from public;
grant execute on function ledger.period_refusal(integer, date, text), ledger.apply_approved(uuid, text) to app_api;

reset role;
