-- +goose Up
-- Keeping records and letting them go, by people:
--
--   purge_order   that documents go whose time is over: by whom and under which
--                 approval is its decision's; how far it is carried out
--   purged        which decision tells that a document's bytes are gone
--
-- A document's bytes go only with an entry of the chain that names the document
-- and its hash, under an order that two people gave, when no legal hold, no
-- hold in force and no date keeps it. A legal hold is placed by one person and
-- lifted by two. The approval is used up in the very transaction of the
-- decision, and the decision names it: the chain tells who agreed.
set role recourse_owner;

insert into app.approval_rule (action, makers, checkers) values
  ('custody.lift_legal_hold', array['operator', 'recall_operator'], array['operator', 'recall_operator']),
  ('custody.purge',           array['operator', 'recall_operator'], array['operator', 'recall_operator']);

-- Who has approved, by api key ids in order.
create function app.approved_by(p_tenant uuid, p_id text) returns jsonb
  language sql stable security definer
  set search_path = app, pg_temp
  as $$
    select coalesce(jsonb_agg(d.checker order by d.checker), '[]')
      from app.approval_decision d
     where d.tenant_id = p_tenant and d.approval_id = p_id and d.decision = 'approved' and p_tenant = app.current_tenant()
  $$;
revoke all on function app.approved_by(uuid, text) from public;
grant execute on function app.approved_by(uuid, text), app.approval_used_here(uuid, text) to custody_owner;

reset role;

set role custody_owner;

alter table custody.decision
  drop constraint decision_kind_known,
  add constraint decision_kind_known check (kind in
    ('hold', 'release', 'legal_hold', 'legal_hold_lifted', 'purge_ordered', 'purged')) not valid;
alter table custody.decision validate constraint decision_kind_known;

create table custody.purge_order (
  chain_id  integer not null,
  id        bigint  not null,                 -- the decision that ordered it
  before    date    not null,                 -- what is kept until a day before this one goes
  up_to     bigint  not null,                 -- documents recorded up to here
  reached   bigint  not null default 0,       -- documents up to here have been looked at
  documents bigint  not null default 0,       -- removed so far
  bytes     bigint  not null default 0,
  done      boolean not null default false,   -- nothing more was found to go
  constraint purge_order_pkey primary key (chain_id, id),
  constraint purge_order_of_the_past check (up_to < id),
  constraint purge_order_only_grows check (reached <= up_to and documents >= 0 and bytes >= 0)
);

create table custody.purged (
  chain_id    integer not null,
  document    bigint  not null,
  purge_order bigint  not null,
  decision    bigint  not null,   -- the entry that tells of it
  constraint purged_once primary key (chain_id, document),
  constraint purged_order_fkey foreign key (chain_id, purge_order) references custody.purge_order (chain_id, id)
);

select custody.guard_table('purge_order', true, false);
select custody.guard_table('purged', false, false);

alter table custody.purge_order enable row level security;
alter table custody.purge_order force  row level security;
alter table custody.purged      enable row level security;
alter table custody.purged      force  row level security;

-- +goose StatementBegin
do $$
declare
  t text;
begin
  foreach t in array array['purge_order', 'purged'] loop
    execute format('create policy %I on custody.%I for select to app_api, app_worker
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_own', t);
    execute format('create policy %I on custody.%I to custody_owner
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_door', t);
    execute format('create policy %I on custody.%I for select to auditor_ro using (true)', t || '_audit', t);
    execute format('grant select on custody.%I to app_api, app_worker, auditor_ro', t);
  end loop;
end $$;
-- +goose StatementEnd

-- Today as the chain counts days.
create function custody.today() returns date
  language sql stable
  set search_path = custody, pg_temp
  return (clock_timestamp() at time zone 'UTC')::date;

-- The last day a record is kept: six years after the latest of its dates and
-- of the events that came with it. Null while that is open: a class has no date
-- yet, none is on record, or a hold in force is about it. The events of a
-- document follow it in the chain, before the next document.
create or replace function custody.kept_until(p_chain integer, p_subject bigint) returns date
  language sql stable
  set search_path = custody, pg_temp
  return case when exists (select from custody.legal_hold l where l.chain_id = p_chain and (l.subject is null or l.subject = p_subject) and l.lifted is null)
                or exists (select from custody.hold h where h.chain_id = p_chain and h.document = p_subject and h.released is null)
                or not exists (select from custody.retention r where r.chain_id = p_chain and r.subject = p_subject)
                or exists (select from custody.retention r where r.chain_id = p_chain and r.subject = p_subject and r.starts_on is null)
              then null
              else (greatest((select max(r.starts_on) from custody.retention r where r.chain_id = p_chain and r.subject = p_subject),
                             (select (max(e.event_time) at time zone 'UTC')::date from custody.event e
                               where e.chain_id = p_chain and e.document = p_subject and e.seq > p_subject
                                 and e.seq < coalesce((select min(d.seq) from custody.document d where d.chain_id = p_chain and d.seq > p_subject),
                                                      9223372036854775807)))
                    + interval '6 years')::date end;

-- The law, for each document that goes, whoever lets it go.
-- +goose StatementBegin
create function custody.purge_is_lawful() returns trigger
  language plpgsql set search_path = custody, pg_temp as $$
declare
  o     purge_order;
  until date := kept_until(new.chain_id, new.document);
begin
  select * into o from purge_order where chain_id = new.chain_id and id = new.purge_order;
  if o.id is null or new.document > o.up_to or until is null or until >= least(o.before, today()) then
    raise exception 'document % is to be kept%', new.document, coalesce(' until ' || until, '')
      using errcode = 'CU003', constraint = 'retention_is_over';
  end if;
  return new;
end $$;
-- +goose StatementEnd
create trigger purged_lawful before insert on custody.purged for each row execute function custody.purge_is_lawful();
alter table custody.purged enable always trigger purged_lawful;

-- Bytes go when it is on record that they go.
-- +goose StatementBegin
create or replace function custody.purge_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'custody_owner' or not exists (select from custody.purged p where p.chain_id = old.chain_id and p.document = old.document) then
    raise exception '% on %.% is refused: document % is to be kept', tg_op, tg_table_schema, tg_table_name, old.document
      using errcode = '42501';
  end if;
  return old;
end $$;
-- +goose StatementEnd

-- What a decision says, once it is known that it says what two people approved
-- in this very transaction, and who they are.
-- +goose StatementBegin
create function custody.approved(p_tenant uuid, c custody.decision, p_action text) returns jsonb
  language plpgsql
  set search_path = custody, pg_temp as $$
declare
  body jsonb := convert_from(c.body, 'UTF8')::jsonb;
  a    record;
begin
  select * into a from app.approval_used_here(p_tenant, body ->> 'approval_id');
  if a.action is distinct from p_action or a.maker is distinct from c.actor or a.payload ->> 'reason' is distinct from c.reason
     or not body @> (a.payload - 'reason') or body -> 'approved_by' is distinct from app.approved_by(p_tenant, body ->> 'approval_id') then
    raise exception 'entry % is not what an approval of this transaction allows', c.seq
      using errcode = '42501', constraint = 'decision_approval_holds';
  end if;
  return body;
end $$;
-- +goose StatementEnd

-- Puts a legal hold on a document, or on everything (null), by a decision of
-- this transaction; or lifts one, as two people approved. False: there is none
-- to lift.
-- +goose StatementBegin
create or replace function custody.put_legal_hold(p_tenant uuid, p_chain integer, p_decision bigint, p_subject bigint, p_lift bigint) returns boolean
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c    decision;
  body jsonb;
  done bigint;
begin
  perform enter(p_tenant, p_chain);
  select * into c from decision where chain_id = p_chain and seq = p_decision
                                  and kind = case when p_lift is null then 'legal_hold' else 'legal_hold_lifted' end;
  body := convert_from(c.body, 'UTF8')::jsonb;
  if c.seq is null or (p_lift is null and (body ->> 'subject')::bigint is distinct from p_subject)
                   or (p_lift is not null and (body ->> 'hold')::bigint is distinct from p_lift) then
    raise exception 'the legal hold is wrong: entry % is not its decision', p_decision using errcode = 'CU001';
  end if;
  if p_lift is not null then
    perform approved(p_tenant, c, 'custody.lift_legal_hold');
    update legal_hold set lifted = p_decision where chain_id = p_chain and id = p_lift and lifted is null;
  elsif p_subject is null or exists (select from document d where d.chain_id = p_chain and d.seq = p_subject) then
    insert into legal_hold (chain_id, id, subject) values (p_chain, p_decision, p_subject);
  else
    raise exception 'there is no document %', p_subject using errcode = 'CU003', constraint = 'legal_hold_document_is_there';
  end if;
  get diagnostics done = row_count;
  perform leave();
  return done > 0;
end $$;
-- +goose StatementEnd

-- Makes the order that a decision of this transaction gives.
-- +goose StatementBegin
create function custody.order_purge(p_tenant uuid, p_chain integer, p_decision bigint) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c    decision;
  body jsonb;
begin
  perform enter(p_tenant, p_chain);
  select * into c from decision where chain_id = p_chain and seq = p_decision and kind = 'purge_ordered';
  if not found then
    raise exception 'the purge is wrong: entry % does not order it', p_decision using errcode = 'CU001';
  end if;
  body := approved(p_tenant, c, 'custody.purge');
  if (body ->> 'before')::date > today() then
    raise exception 'a purge is of what is over, not of what will be' using errcode = 'CU003', constraint = 'purge_order_is_of_today';
  end if;
  insert into purge_order (chain_id, id, before, up_to) values (p_chain, p_decision, (body ->> 'before')::date, (body ->> 'up_to')::bigint);
  perform leave();
end $$;
-- +goose StatementEnd

-- Removes the bytes of the documents that a decision of this transaction names,
-- under an order, if there are any; every document up to p_reached has been
-- looked at then, and with p_done all of them. A document's entry, hash and
-- events stay.
-- +goose StatementBegin
create function custody.purge(p_tenant uuid, p_chain integer, p_order bigint, p_decision bigint, p_reached bigint, p_done boolean) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c    decision;
  body jsonb;
begin
  perform enter(p_tenant, p_chain);
  perform from purge_order where chain_id = p_chain and id = p_order;
  if not found then
    raise exception 'there is no such order' using errcode = 'CU003', constraint = 'purge_order_is_there';
  end if;
  if p_decision is not null then
    select * into c from decision where chain_id = p_chain and seq = p_decision and kind = 'purged';
    body := convert_from(c.body, 'UTF8')::jsonb;
    if c.seq is null or (body ->> 'order')::bigint is distinct from p_order
       or exists (select from jsonb_to_recordset(body -> 'documents') as x (seq bigint, sha256 text, size bigint, kept_until date)
                    left join document d on d.chain_id = p_chain and d.seq = x.seq
                   where (encode(d.sha256, 'hex'), d.size, kept_until(p_chain, x.seq)) is distinct from (x.sha256, x.size, x.kept_until)) then
      raise exception 'the purge is wrong: entry % does not tell it', p_decision using errcode = 'CU001';
    end if;
    insert into purged (chain_id, document, purge_order, decision)
    select p_chain, x.seq, p_order, p_decision from jsonb_to_recordset(body -> 'documents') as x (seq bigint);
    delete from document_part p using jsonb_to_recordset(body -> 'documents') as x (seq bigint) where p.chain_id = p_chain and p.document = x.seq;
    update purge_order o
       set documents = o.documents + x.documents, bytes = o.bytes + x.bytes
      from (select count(*) as documents, sum(x.size) as bytes from jsonb_to_recordset(body -> 'documents') as x (seq bigint, size bigint)) x
     where o.chain_id = p_chain and o.id = p_order;
  end if;
  update purge_order set reached = greatest(reached, p_reached), done = done or p_done where chain_id = p_chain and id = p_order;
  perform leave();
end $$;
-- +goose StatementEnd

-- What let bytes go without an entry; no program called it.
drop function custody.purge_document(uuid, integer, bigint);

revoke all on function custody.today(), custody.purge_is_lawful(), custody.approved(uuid, custody.decision, text),
  custody.order_purge(uuid, integer, bigint), custody.purge(uuid, integer, bigint, bigint, bigint, boolean) from public;
grant execute on function custody.today() to app_api, app_worker, auditor_ro;
grant execute on function custody.order_purge(uuid, integer, bigint), custody.purge(uuid, integer, bigint, bigint, bigint, boolean) to app_api;
reset role;
