-- +goose Up
-- The ledger: accounts, transactions, entries, balances, and the one door
-- through which anything is written.
--
-- Nobody but ledger_owner's own functions can write here, and ledger_owner
-- cannot log in. Rows of transaction and entry are only ever added. Balances
-- change in the transaction of the entries they sum up, inside the door.
set role ledger_owner;

create table ledger.account (
  tenant_id   uuid        not null,
  id          bigint      generated always as identity,
  code        text        not null,
  name        text        not null,
  type        text        not null,
  normal_side text        not null,
  currency    text        not null,
  floor       bigint,                -- lowest posted balance on the normal side, minor units; null: none
  opened_at   timestamptz not null default clock_timestamp(),
  closed_at   timestamptz,
  constraint account_pkey primary key (id),
  constraint account_code_once unique (tenant_id, code, currency),
  constraint account_code_shape check (code ~ '^[0-9]{4}$'),
  constraint account_type_known check (type in ('asset', 'liability', 'equity', 'revenue', 'expense')),
  constraint account_side_known check (normal_side in ('D', 'C')),
  constraint account_currency_shape check (currency ~ '^[a-z]{3}$')
);

create table ledger.transaction (
  tenant_id    uuid        not null,
  seq          bigint      not null,   -- gap-free from 1 per tenant
  id           uuid        not null,   -- made by the caller; names it for ever
  kind         text        not null,
  resolves     uuid,                   -- the pending transaction this one ends
  reverses     uuid,                   -- the posted transaction this one takes back
  purpose      text        not null,
  effective_on date        not null,   -- accounting date
  recorded_at  timestamptz not null default clock_timestamp(),
  actor        text        not null,
  reason       text        not null,
  saga_id      text,
  order_ref    text,
  document     text,
  digest       bytea       not null,   -- of what the caller asked, to tell a repeat from another request
  constraint transaction_pkey primary key (tenant_id, seq),
  constraint transaction_id_once unique (tenant_id, id),
  constraint transaction_resolves_once unique (tenant_id, resolves),
  constraint transaction_reverses_once unique (tenant_id, reverses),
  constraint transaction_resolves_fkey foreign key (tenant_id, resolves) references ledger.transaction (tenant_id, id),
  constraint transaction_reverses_fkey foreign key (tenant_id, reverses) references ledger.transaction (tenant_id, id),
  constraint transaction_kind_known check (kind in ('posted', 'pending', 'post_pending', 'void_pending')),
  constraint transaction_resolves_when_due check ((kind in ('post_pending', 'void_pending')) = (resolves is not null)),
  constraint transaction_reverses_posted check (reverses is null or kind = 'posted'),
  constraint transaction_seq_positive check (seq > 0),
  constraint transaction_purpose_length check (length(purpose) between 1 and 100),
  constraint transaction_digest_length check (octet_length(digest) = 32)
);
create index transaction_saga_idx on ledger.transaction (tenant_id, saga_id) where saga_id is not null;

create table ledger.entry (
  tenant_id  uuid   not null,
  seq        bigint not null,
  line       integer not null,
  account_id bigint not null,
  side       text   not null,
  amount     bigint not null,   -- minor units, always positive
  constraint entry_pkey primary key (tenant_id, seq, line),
  constraint entry_transaction_fkey foreign key (tenant_id, seq) references ledger.transaction (tenant_id, seq),
  constraint entry_account_fkey foreign key (account_id) references ledger.account (id),
  constraint entry_side_known check (side in ('D', 'C')),
  constraint entry_amount_positive check (amount > 0)
);
create index entry_account_idx on ledger.entry (account_id, seq);

create table ledger.balance (
  tenant_id       uuid   not null,
  account_id      bigint not null,
  debits_pending  bigint not null default 0,
  credits_pending bigint not null default 0,
  debits_posted   bigint not null default 0,
  credits_posted  bigint not null default 0,
  constraint balance_pkey primary key (account_id),
  constraint balance_account_fkey foreign key (account_id) references ledger.account (id),
  constraint balance_pending_not_negative check (debits_pending >= 0 and credits_pending >= 0),
  constraint balance_posted_not_negative check (debits_posted >= 0 and credits_posted >= 0)
);

create table ledger.head (
  tenant_id uuid   not null,
  seq       bigint not null default 0,
  constraint head_pkey primary key (tenant_id)
);

-- Rules that hold whoever writes.

-- +goose StatementBegin
create function ledger.forbid() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on %.% is refused: the ledger only grows', tg_op, tg_table_schema, tg_table_name
    using errcode = '42501';
end $$;
-- +goose StatementEnd

-- The door says that it is open in a setting of the transaction. A caller can
-- make the same setting, but only ledger_owner can write the tables, and only
-- the door runs as ledger_owner: it takes both to get past this guard.
-- +goose StatementBegin
create function ledger.only_through_the_door() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'ledger_owner' or coalesce(current_setting('ledger.door', true), '') <> 'open' then
    raise exception '% on %.% is refused: only ledger.post and ledger.open_accounts write here', tg_op, tg_table_schema, tg_table_name
      using errcode = '42501';
  end if;
  return coalesce(new, old);
end $$;
-- +goose StatementEnd

create trigger transaction_append_only before update or delete on ledger.transaction for each row execute function ledger.forbid();
create trigger transaction_no_truncate before truncate on ledger.transaction for each statement execute function ledger.forbid();
create trigger transaction_door before insert on ledger.transaction for each row execute function ledger.only_through_the_door();
create trigger entry_append_only before update or delete on ledger.entry for each row execute function ledger.forbid();
create trigger entry_no_truncate before truncate on ledger.entry for each statement execute function ledger.forbid();
create trigger entry_door before insert on ledger.entry for each row execute function ledger.only_through_the_door();
create trigger account_append_only before update or delete on ledger.account for each row execute function ledger.forbid();
create trigger account_no_truncate before truncate on ledger.account for each statement execute function ledger.forbid();
create trigger account_door before insert on ledger.account for each row execute function ledger.only_through_the_door();
create trigger balance_door before insert or update on ledger.balance for each row execute function ledger.only_through_the_door();
create trigger balance_no_delete before delete on ledger.balance for each row execute function ledger.forbid();
create trigger balance_no_truncate before truncate on ledger.balance for each statement execute function ledger.forbid();
create trigger head_door before insert or update on ledger.head for each row execute function ledger.only_through_the_door();
create trigger head_no_delete before delete on ledger.head for each row execute function ledger.forbid();
create trigger head_no_truncate before truncate on ledger.head for each statement execute function ledger.forbid();

-- ENABLE ALWAYS: they also fire under session_replication_role = replica.
alter table ledger.transaction enable always trigger transaction_append_only;
alter table ledger.transaction enable always trigger transaction_no_truncate;
alter table ledger.transaction enable always trigger transaction_door;
alter table ledger.entry enable always trigger entry_append_only;
alter table ledger.entry enable always trigger entry_no_truncate;
alter table ledger.entry enable always trigger entry_door;
alter table ledger.account enable always trigger account_append_only;
alter table ledger.account enable always trigger account_no_truncate;
alter table ledger.account enable always trigger account_door;
alter table ledger.balance enable always trigger balance_door;
alter table ledger.balance enable always trigger balance_no_delete;
alter table ledger.balance enable always trigger balance_no_truncate;
alter table ledger.head enable always trigger head_door;
alter table ledger.head enable always trigger head_no_delete;
alter table ledger.head enable always trigger head_no_truncate;

alter table ledger.account     enable row level security;
alter table ledger.account     force  row level security;
alter table ledger.transaction enable row level security;
alter table ledger.transaction force  row level security;
alter table ledger.entry       enable row level security;
alter table ledger.entry       force  row level security;
alter table ledger.balance     enable row level security;
alter table ledger.balance     force  row level security;
alter table ledger.head        enable row level security;
alter table ledger.head        force  row level security;

create policy account_own     on ledger.account     to ledger_owner, app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy transaction_own on ledger.transaction to ledger_owner, app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy entry_own       on ledger.entry       to ledger_owner, app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy balance_own     on ledger.balance     to ledger_owner, app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy head_own        on ledger.head        to ledger_owner, app_api, app_worker, finance_ro using (tenant_id = app.current_tenant());
create policy account_audit     on ledger.account     for select to auditor_ro using (true);
create policy transaction_audit on ledger.transaction for select to auditor_ro using (true);
create policy entry_audit       on ledger.entry       for select to auditor_ro using (true);
create policy balance_audit     on ledger.balance     for select to auditor_ro using (true);
create policy head_audit        on ledger.head        for select to auditor_ro using (true);

-- Opens accounts; those already open stay as they are.
-- +goose StatementBegin
create function ledger.open_accounts(p_tenant uuid, p_currency text, p_codes text[], p_names text[], p_types text[], p_sides text[])
  returns integer
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
declare
  opened integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('ledger.door', 'open', true);
  with fresh as (
    insert into account (tenant_id, code, name, type, normal_side, currency)
    select p_tenant, u.code, u.name, u.type, u.side, p_currency
      from unnest(p_codes, p_names, p_types, p_sides) as u (code, name, type, side)
     order by u.code
    on conflict on constraint account_code_once do nothing
    returning id
  ), zero as (
    insert into balance (tenant_id, account_id) select p_tenant, id from fresh
  )
  select count(*) into opened from fresh;
  perform set_config('ledger.door', '', true);
  return opened;
end $$;
-- +goose StatementEnd

-- The door: a batch of transactions in, one outcome for each, in order.
--
-- t_* describe the transactions; e_* their entries, e_of being the transaction's
-- place in the batch from 1. Outcomes: created; exists (same id and content
-- were posted before); and refusals, which leave no trace: id_reused,
-- account_unknown, account_closed, too_few_entries, too_many_entries,
-- unbalanced, amount_out_of_range, floor_breached, pending_not_found,
-- pending_already_resolved, exceeds_pending, not_reversible, already_reversed.
-- A refusal concerns its transaction alone.
--
-- The head row is locked first, then the accounts in order of id: batches of
-- one tenant follow one another and cannot deadlock.
-- +goose StatementBegin
create function ledger.post(
  p_tenant       uuid,
  t_id           uuid[],
  t_kind         text[],
  t_resolves     uuid[],
  t_reverses     uuid[],
  t_purpose      text[],
  t_effective_on date[],
  t_actor        text[],
  t_reason       text[],
  t_saga_id      text[],
  t_order_ref    text[],
  t_document     text[],
  t_digest       bytea[],
  e_of           integer[],
  e_code         text[],
  e_currency     text[],
  e_side         text[],
  e_amount       bigint[])
  returns table (ord integer, id uuid, seq bigint, outcome text, detail text)
  language plpgsql security definer
  set search_path = ledger, pg_temp as $$
#variable_conflict use_column
declare
  next_seq bigint;
  known    record;
  target_seq  bigint;
  target_kind text;
  problem  text;
  n        integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform set_config('ledger.door', 'open', true);

  select h.seq into next_seq from head h where h.tenant_id = p_tenant for update;
  if not found then
    insert into head (tenant_id) values (p_tenant) on conflict on constraint head_pkey do nothing;
    select h.seq into next_seq from head h where h.tenant_id = p_tenant for update;
  end if;
  perform 1 from balance b
   where b.account_id in (
     select a.id from account a
      where a.tenant_id = p_tenant
        and (a.code, a.currency) in (select u.code, u.currency from unnest(e_code, e_currency) as u (code, currency))
     union
     select e.account_id from entry e join transaction t on t.tenant_id = e.tenant_id and t.seq = e.seq
      where t.tenant_id = p_tenant and t.id = any (t_resolves))
   order by b.account_id
     for update;

  for i in 1 .. coalesce(array_length(t_id, 1), 0) loop
    ord := i; id := t_id[i]; seq := null; outcome := null; detail := null;

    select t.seq, t.digest into known from transaction t where t.tenant_id = p_tenant and t.id = t_id[i];
    if found then
      seq := known.seq;
      outcome := case when known.digest = t_digest[i] then 'exists' else 'id_reused' end;
      return next;
      continue;
    end if;

    begin -- a subtransaction: what this transaction wrote goes if it is refused
      target_seq := null; target_kind := null;
      if t_kind[i] in ('post_pending', 'void_pending') then
        select t.seq, t.kind into target_seq, target_kind from transaction t where t.tenant_id = p_tenant and t.id = t_resolves[i];
        if not found or target_kind <> 'pending' then
          raise exception using errcode = 'P0001', message = 'pending_not_found';
        end if;
        if exists (select from transaction t where t.tenant_id = p_tenant and t.resolves = t_resolves[i]) then
          raise exception using errcode = 'P0001', message = 'pending_already_resolved';
        end if;
      end if;
      if t_reverses[i] is not null then
        if not exists (select from transaction t where t.tenant_id = p_tenant and t.id = t_reverses[i]
                          and t.kind in ('posted', 'post_pending')) then
          raise exception using errcode = 'P0001', message = 'not_reversible';
        end if;
        if exists (select from transaction t where t.tenant_id = p_tenant and t.reverses = t_reverses[i]) then
          raise exception using errcode = 'P0001', message = 'already_reversed';
        end if;
      end if;

      insert into transaction (tenant_id, seq, id, kind, resolves, reverses, purpose, effective_on, actor, reason,
                               saga_id, order_ref, document, digest)
      values (p_tenant, next_seq + 1, t_id[i], t_kind[i], t_resolves[i], t_reverses[i], t_purpose[i],
              coalesce(t_effective_on[i], (clock_timestamp() at time zone 'UTC')::date), t_actor[i], t_reason[i],
              t_saga_id[i], t_order_ref[i], t_document[i], t_digest[i]);

      select count(*) into n from unnest(e_of) as u (of) where u.of = i;
      if t_kind[i] = 'void_pending' then
        if n <> 0 then raise exception using errcode = 'P0001', message = 'too_many_entries'; end if;
      elsif n < 2 then
        raise exception using errcode = 'P0001', message = 'too_few_entries';
      elsif n > 1000 then
        raise exception using errcode = 'P0001', message = 'too_many_entries';
      end if;

      if n > 0 then
        insert into entry (tenant_id, seq, line, account_id, side, amount)
        select p_tenant, next_seq + 1, row_number() over (order by u.place), a.id, u.side, u.amount
          from unnest(e_of, e_code, e_currency, e_side, e_amount) with ordinality as u (of, code, currency, side, amount, place)
          join account a on a.tenant_id = p_tenant and a.code = u.code and a.currency = u.currency and a.closed_at is null
         where u.of = i;
        get diagnostics problem = row_count;
        if problem::integer <> n then
          if exists (select from unnest(e_of, e_code, e_currency) as u (of, code, currency)
                       join account a on a.tenant_id = p_tenant and a.code = u.code and a.currency = u.currency
                      where u.of = i and a.closed_at is not null) then
            raise exception using errcode = 'P0001', message = 'account_closed';
          end if;
          raise exception using errcode = 'P0001', message = 'account_unknown';
        end if;
        if exists (select from entry e join account a on a.id = e.account_id
                    where e.tenant_id = p_tenant and e.seq = next_seq + 1
                    group by a.currency
                   having sum(case e.side when 'D' then e.amount::numeric else -e.amount end) <> 0) then
          raise exception using errcode = 'P0001', message = 'unbalanced';
        end if;
      end if;

      if target_seq is not null then -- what was pending is pending no longer
        if n > 0 and exists (
             select from (select e.account_id, e.side, sum(e.amount) amount from entry e
                           where e.tenant_id = p_tenant and e.seq = next_seq + 1 group by 1, 2) mine
               left join (select e.account_id, e.side, sum(e.amount) amount from entry e
                           where e.tenant_id = p_tenant and e.seq = target_seq group by 1, 2) theirs
                      on theirs.account_id = mine.account_id and theirs.side = mine.side
              where theirs.amount is null or mine.amount > theirs.amount) then
          raise exception using errcode = 'P0001', message = 'exceeds_pending';
        end if;
        update balance b
           set debits_pending = b.debits_pending - s.debits, credits_pending = b.credits_pending - s.credits
          from (select e.account_id,
                       coalesce(sum(e.amount) filter (where e.side = 'D'), 0) debits,
                       coalesce(sum(e.amount) filter (where e.side = 'C'), 0) credits
                  from entry e where e.tenant_id = p_tenant and e.seq = target_seq group by 1) s
         where b.account_id = s.account_id;
      end if;

      update balance b
         set debits_pending  = b.debits_pending  + case when t_kind[i] = 'pending' then s.debits else 0 end,
             credits_pending = b.credits_pending + case when t_kind[i] = 'pending' then s.credits else 0 end,
             debits_posted   = b.debits_posted   + case when t_kind[i] = 'pending' then 0 else s.debits end,
             credits_posted  = b.credits_posted  + case when t_kind[i] = 'pending' then 0 else s.credits end
        from (select e.account_id,
                     coalesce(sum(e.amount) filter (where e.side = 'D'), 0) debits,
                     coalesce(sum(e.amount) filter (where e.side = 'C'), 0) credits
                from entry e where e.tenant_id = p_tenant and e.seq = next_seq + 1 group by 1) s
       where b.account_id = s.account_id;

      select string_agg(a.code || ' ' || a.currency, ', ') into problem
        from entry e
        join account a on a.id = e.account_id and a.floor is not null
        join balance b on b.account_id = a.id
       where e.tenant_id = p_tenant and e.seq = next_seq + 1
         and case a.normal_side when 'D' then b.debits_posted::numeric - b.credits_posted - b.credits_pending
                                else b.credits_posted::numeric - b.debits_posted - b.debits_pending end < a.floor;
      if problem is not null then
        raise exception using errcode = 'P0001', message = 'floor_breached', detail = problem;
      end if;

      next_seq := next_seq + 1;
      seq := next_seq;
      outcome := 'created';
    exception
      when raise_exception then
        outcome := sqlerrm;
        get stacked diagnostics detail = pg_exception_detail;
        detail := nullif(detail, '');
      when numeric_value_out_of_range then
        outcome := 'amount_out_of_range';
      when check_violation then
        get stacked diagnostics detail = constraint_name;
        outcome := case when detail = 'entry_amount_positive' then 'amount_out_of_range' else 'malformed' end;
      when not_null_violation then
        get stacked diagnostics detail = column_name;
        outcome := 'malformed';
    end;
    return next;
  end loop;

  update head h set seq = next_seq where h.tenant_id = p_tenant and h.seq <> next_seq;
  perform set_config('ledger.door', '', true);
end $$;
-- +goose StatementEnd

-- What finance reads. security_invoker: the reader's own row-level security
-- applies, not that of whoever made the view.
create view ledger.trial_balance with (security_invoker = true) as
  select a.tenant_id, a.code, a.name, a.type, a.normal_side, a.currency,
         b.debits_pending, b.credits_pending, b.debits_posted, b.credits_posted
    from ledger.account a
    join ledger.balance b on b.account_id = a.id;

grant usage on schema ledger to app_api, app_worker, finance_ro, auditor_ro;
grant select on ledger.account, ledger.transaction, ledger.entry, ledger.balance, ledger.trial_balance
  to app_api, app_worker, finance_ro, auditor_ro;
grant select on ledger.head to app_worker, auditor_ro;

revoke all on function ledger.forbid(), ledger.only_through_the_door(),
  ledger.open_accounts(uuid, text, text[], text[], text[], text[]),
  ledger.post(uuid, uuid[], text[], uuid[], uuid[], text[], date[], text[], text[], text[], text[], text[], bytea[],
              integer[], text[], text[], text[], bigint[]) from public;
grant execute on function ledger.open_accounts(uuid, text, text[], text[], text[], text[]),
  ledger.post(uuid, uuid[], text[], uuid[], uuid[], text[], date[], text[], text[], text[], text[], text[], bytea[],
              integer[], text[], text[], text[], bigint[]) to app_worker;

reset role;
