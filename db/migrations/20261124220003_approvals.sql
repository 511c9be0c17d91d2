-- +goose Up
-- Maker and checker for everything that takes two people.
--
--   approval_rule       which action is proposed and decided by which roles
--   approval_tier       from which amount on a tenant wants two checkers
--   approval            what one person proposes; used up once
--   approval_decision   what each of the others said, never changed
--
-- Nobody writes approvals any more but the functions below, and those ask for
-- the proof of the key again: a session of the API's role that knows nobody's
-- key can propose nothing, decide nothing, and use nothing up.
set role recourse_owner;

create table app.approval_rule (
  action   text   not null,
  makers   text[] not null,
  checkers text[] not null,
  constraint approval_rule_pkey primary key (action),
  constraint approval_rule_for_people check (not ('marketplace' = any (makers || checkers)))
);
insert into app.approval_rule (action, makers, checkers) values
  ('saga.resolve',      array['operator', 'finance_preparer'],         array['operator', 'finance_reviewer']),
  ('ledger.journal',    array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('ledger.write_off',  array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('ledger.reversal',   array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('account.open',      array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('account.close',     array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('period.soft_close', array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('period.close',      array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']),
  ('period.reopen',     array['finance_preparer', 'finance_reviewer'], array['finance_reviewer']);

-- Without a row one checker is enough. The amount is the sum of the debits in
-- one currency, minor units.
create table app.approval_tier (
  tenant_id   uuid     not null,
  action      text     not null,
  currency    text     not null,
  from_amount bigint   not null,
  checkers    smallint not null default 2,
  constraint approval_tier_pkey primary key (tenant_id, action, currency, from_amount),
  constraint approval_tier_tenant_fkey foreign key (tenant_id) references app.tenant (id),
  constraint approval_tier_action_fkey foreign key (action) references app.approval_rule (action),
  constraint approval_tier_currency_shape check (currency ~ '^[a-z]{3}$'),
  constraint approval_tier_checkers_known check (checkers in (1, 2))
);

alter table app.approval
  add column ticket       text,
  add column amount       bigint,    -- sum of the debits when there is one currency, minor units
  add column currency     text,
  add column needed       smallint not null default 1,
  add column consumed_xid xid8,      -- the transaction that used it up
  add constraint approval_as_bound unique (tenant_id, id, maker, expires_at),
  add constraint approval_needed_known check (needed in (1, 2)) not valid,
  add constraint approval_ticket_length check (length(ticket) between 1 and 200) not valid,
  add constraint approval_money_used_by_the_ledger check (action = 'saga.resolve' or (consumed_at is null) = (consumed_xid is null)) not valid;
alter table app.approval
  validate constraint approval_needed_known,
  validate constraint approval_ticket_length,
  validate constraint approval_money_used_by_the_ledger;

create table app.approval_decision (
  tenant_id      uuid        not null,
  approval_id    text        not null,
  maker          text        not null,
  expires_at     timestamptz not null,
  checker        text        not null,   -- api key id
  role           text        not null,   -- the checker's at that moment
  decision       text        not null,
  payload_sha256 bytea       not null,   -- what the checker was shown
  decided_at     timestamptz not null default clock_timestamp(),
  constraint approval_decision_once primary key (tenant_id, approval_id, checker),
  constraint approval_decision_approval_fkey foreign key (tenant_id, approval_id, maker, expires_at) references app.approval (tenant_id, id, maker, expires_at),
  constraint approval_decision_two_people check (checker <> maker),
  constraint approval_decision_in_time check (decided_at < expires_at),
  constraint approval_decision_known check (decision in ('approved', 'rejected')),
  constraint approval_decision_by_people check (role <> 'marketplace')
);

create policy approval_owner          on app.approval          to recourse_owner using (true);
create policy approval_decision_owner on app.approval_decision to recourse_owner using (true);

-- What is open or decided already is carried over: hashed as the database
-- writes it, and with its one decision.
update app.approval set payload_sha256 = sha256(convert_to(payload::text, 'UTF8'));
insert into app.approval_decision (tenant_id, approval_id, maker, expires_at, checker, role, decision, payload_sha256, decided_at)
select a.tenant_id, a.id, a.maker, a.expires_at, a.checker, coalesce(k.role, 'operator'), a.decision, a.payload_sha256, a.decided_at
  from app.approval a left join app.api_key k on k.id = a.checker
 where a.decision is not null and a.decided_at < a.expires_at;

create trigger approval_decision_append_only before update or delete on app.approval_decision
  for each row execute function app.forbid();
create trigger approval_decision_no_truncate before truncate on app.approval_decision
  for each statement execute function app.forbid();
alter table app.approval_decision enable always trigger approval_decision_append_only;
alter table app.approval_decision enable always trigger approval_decision_no_truncate;

-- +goose StatementBegin
create function app.guard_approval() returns trigger
  language plpgsql set search_path = app, pg_temp as $$
begin
  if (new.tenant_id, new.id, new.action, new.subject, new.payload, new.payload_sha256, new.reason, new.maker, new.made_at, new.expires_at,
      new.ticket, new.amount, new.currency, new.needed)
     is distinct from
     (old.tenant_id, old.id, old.action, old.subject, old.payload, old.payload_sha256, old.reason, old.maker, old.made_at, old.expires_at,
      old.ticket, old.amount, old.currency, old.needed) then
    raise exception 'approval %: what was proposed is never changed', old.id using errcode = '23514', constraint = 'approval_content_is_final';
  end if;
  if old.decision is not null and (new.checker, new.decision, new.decided_at) is distinct from (old.checker, old.decision, old.decided_at) then
    raise exception 'approval % is decided', old.id using errcode = '23514', constraint = 'approval_decided_once';
  end if;
  if old.consumed_at is not null and (new.consumed_at, new.consumed_xid) is distinct from (old.consumed_at, old.consumed_xid) then
    raise exception 'approval % is used up', old.id using errcode = '23514', constraint = 'approval_used_once';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger approval_guard before update on app.approval for each row execute function app.guard_approval();
create trigger approval_no_delete before delete on app.approval for each row execute function app.forbid();
create trigger approval_no_truncate before truncate on app.approval for each statement execute function app.forbid();
alter table app.approval enable always trigger approval_guard;
alter table app.approval enable always trigger approval_no_delete;
alter table app.approval enable always trigger approval_no_truncate;

alter table app.approval_rule     enable row level security;
alter table app.approval_rule     force  row level security;
alter table app.approval_tier     enable row level security;
alter table app.approval_tier     force  row level security;
alter table app.approval_decision enable row level security;
alter table app.approval_decision force  row level security;
create policy approval_rule_all       on app.approval_rule     for select to app_api, finance_ro, auditor_ro using (true);
create policy approval_tier_own       on app.approval_tier     for select to app_api, finance_ro using (tenant_id = (select app.current_tenant()));
create policy approval_decision_own   on app.approval_decision for select to app_api, finance_ro using (tenant_id = (select app.current_tenant()));
create policy approval_tier_audit     on app.approval_tier     for select to auditor_ro using (true);
create policy approval_decision_audit on app.approval_decision for select to auditor_ro using (true);
create policy approval_rule_owner     on app.approval_rule     to recourse_owner using (true);
create policy approval_tier_owner     on app.approval_tier     to recourse_owner using (true);

-- The role behind a credential, now. The row is locked until the transaction
-- ends: a revocation comes before it or after it.
create function app.proven_role(p_tenant uuid, p_key text, p_secret_sha256 bytea) returns text
  language sql volatile
  set search_path = app, pg_temp
  as $$
    select k.role
      from app.api_key k
     where k.tenant_id = p_tenant and k.id = p_key and k.secret_sha256 = p_secret_sha256
       and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
       for share
  $$;

-- Records a proposal. 'proposed', or why not: 'not_allowed' by the key's role,
-- 'already_proposed' while another about the same is open.
-- +goose StatementBegin
create function app.propose(p_tenant uuid, p_key text, p_secret_sha256 bytea, p_id text, p_action text, p_subject text, p_payload jsonb,
                            p_reason text, p_ticket text) returns text
  language plpgsql security definer
  set search_path = app, pg_temp as $$
declare
  rule  approval_rule;
  money record;
  tier  smallint;
  at    timestamptz := clock_timestamp();
begin
  if p_tenant is distinct from current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into rule from approval_rule where action = p_action;
  if not coalesce(proven_role(p_tenant, p_key, p_secret_sha256) = any (rule.makers), false) then
    return 'not_allowed';
  end if;
  if exists (select from approval a where a.tenant_id = p_tenant and a.action = p_action and a.subject = p_subject
                and a.decision is null and a.expires_at > at) then
    return 'already_proposed';
  end if;
  with sums as (
    select e ->> 'currency' as currency, sum((e ->> 'amount')::bigint) as amount
      from jsonb_array_elements(case jsonb_typeof(p_payload -> 'entries') when 'array' then p_payload -> 'entries' else '[]' end) as x (e)
     where e ->> 'side' = 'D'
     group by 1
  )
  select case when count(*) = 1 then max(s.amount) end::bigint as amount, case when count(*) = 1 then max(s.currency) end as currency,
         coalesce(max((select max(t.checkers) from approval_tier t
                        where t.tenant_id = p_tenant and t.action = p_action and t.currency = s.currency and t.from_amount <= s.amount)), 1) as needed
    into money
    from sums s;
  insert into approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, made_at, expires_at, ticket, amount, currency, needed)
  values (p_tenant, p_id, p_action, p_subject, p_payload, sha256(convert_to(p_payload::text, 'UTF8')), p_reason, p_key, at, at + interval '24 hours',
          p_ticket, money.amount, money.currency, money.needed);
  return 'proposed';
end $$;
-- +goose StatementEnd

-- Records one person's word. 'approved' or 'rejected' when that decides it,
-- 'counted' when it takes one more; otherwise why not: 'not_found',
-- 'already_decided' (or too old), 'not_allowed', 'decided_before' by the same
-- key. The constraint approval_decision_two_people refuses the maker.
-- +goose StatementBegin
create function app.decide(p_tenant uuid, p_key text, p_secret_sha256 bytea, p_id text, p_decision text) returns text
  language plpgsql security definer
  set search_path = app, pg_temp as $$
declare
  a    approval;
  mine text;
  at   timestamptz;
  yes  integer;
begin
  if p_tenant is distinct from current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into a from approval where tenant_id = p_tenant and id = p_id for update;
  if not found then
    return 'not_found';
  end if;
  at := clock_timestamp();
  if a.decision is not null or a.expires_at <= at then
    return 'already_decided';
  end if;
  mine := proven_role(p_tenant, p_key, p_secret_sha256);
  if not coalesce(mine = any ((select r.checkers from approval_rule r where r.action = a.action)::text[]), false) then
    return 'not_allowed';
  end if;
  if exists (select from approval_decision d where d.tenant_id = p_tenant and d.approval_id = p_id and d.checker = p_key) then
    return 'decided_before';
  end if;
  insert into approval_decision (tenant_id, approval_id, maker, expires_at, checker, role, decision, payload_sha256, decided_at)
  values (p_tenant, p_id, a.maker, a.expires_at, p_key, mine, p_decision, a.payload_sha256, at);
  select count(*) into yes from approval_decision d where d.tenant_id = p_tenant and d.approval_id = p_id and d.decision = 'approved';
  if p_decision = 'approved' and yes < a.needed then
    return 'counted';
  end if;
  update approval set checker = p_key, decision = p_decision, decided_at = at where tenant_id = p_tenant and id = p_id;
  return p_decision;
end $$;
-- +goose StatementEnd

-- Whether everybody who approved could do so now, for the payload as it stands,
-- and they are as many as it takes. Their keys are locked until the transaction
-- ends.
-- +goose StatementBegin
create function app.approvers_hold(p_tenant uuid, p_id text) returns boolean
  language plpgsql security definer
  set search_path = app, pg_temp as $$
declare
  said integer;
  hold integer;
begin
  if p_tenant is distinct from current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  perform from api_key k join approval_decision d on d.checker = k.id where d.tenant_id = p_tenant and d.approval_id = p_id for share of k;
  select count(*), count(k.id) into said, hold
    from approval a
    join approval_decision d on d.tenant_id = a.tenant_id and d.approval_id = a.id and d.decision = 'approved'
    join approval_rule r on r.action = a.action
    left join api_key k on k.id = d.checker and k.tenant_id = p_tenant and k.role = any (r.checkers) and k.revoked_at is null
                       and (k.expires_at is null or k.expires_at > clock_timestamp()) and d.payload_sha256 = a.payload_sha256
   where a.tenant_id = p_tenant and a.id = p_id;
  return hold = said and said >= (select a.needed from approval a where a.tenant_id = p_tenant and a.id = p_id);
end $$;
-- +goose StatementEnd

-- Uses an approval up, once, for the payload whose hash the caller is about to
-- carry out. 'consumed', or why not. Whoever approved must be able to still.
-- +goose StatementBegin
create function app.consume_approval(p_tenant uuid, p_id text, p_action text, p_payload_sha256 bytea) returns text
  language plpgsql security definer
  set search_path = app, pg_temp as $$
declare
  a approval;
begin
  if p_tenant is distinct from current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into a from approval where tenant_id = p_tenant and id = p_id for update;
  if not found or a.action <> p_action then
    return 'not_found';
  elsif a.consumed_at is not null then
    return 'already_used';
  elsif a.decision is distinct from 'approved' then
    return 'not_approved';
  elsif a.expires_at <= clock_timestamp() then
    return 'expired';
  elsif a.payload_sha256 <> p_payload_sha256 or a.payload_sha256 <> sha256(convert_to(a.payload::text, 'UTF8')) then
    return 'changed';
  end if;
  if not approvers_hold(p_tenant, p_id) then
    return 'approver_lost_role';
  end if;
  update approval set consumed_at = transaction_timestamp(), consumed_xid = pg_current_xact_id()
   where tenant_id = p_tenant and id = p_id and consumed_at is null;
  return 'consumed';
end $$;
-- +goose StatementEnd

-- What an approval allows that was used up in this very transaction. The time
-- stands beside the transaction's number because a restored database counts
-- its transactions anew.
create function app.approval_used_here(p_tenant uuid, p_id text)
  returns table (action text, payload jsonb, maker text)
  language sql stable security definer
  set search_path = app, pg_temp
  as $$
    select a.action, a.payload, a.maker
      from app.approval a
     where a.tenant_id = p_tenant and a.id = p_id and p_tenant = app.current_tenant()
       and a.consumed_xid = pg_current_xact_id_if_assigned() and a.consumed_at = transaction_timestamp()
  $$;

revoke insert on app.approval from app_api;
revoke update (checker, decision, decided_at, consumed_at) on app.approval from app_api;
grant select on app.approval_rule, app.approval_tier, app.approval_decision to app_api, finance_ro, auditor_ro;
revoke all on function app.guard_approval(), app.proven_role(uuid, text, bytea),
  app.propose(uuid, text, bytea, text, text, text, jsonb, text, text), app.decide(uuid, text, bytea, text, text),
  app.approvers_hold(uuid, text), app.consume_approval(uuid, text, text, bytea), app.approval_used_here(uuid, text) from public;
grant execute on function app.propose(uuid, text, bytea, text, text, text, jsonb, text, text), app.decide(uuid, text, bytea, text, text),
  app.consume_approval(uuid, text, text, bytea) to app_api;
grant execute on function app.approvers_hold(uuid, text) to app_worker;
grant execute on function app.approval_used_here(uuid, text) to ledger_owner;

reset role;
