-- +goose Up
set role recourse_owner;
grant usage on schema app to custody_owner;
grant execute on function app.current_tenant() to custody_owner;
reset role;

-- Custody: who holds which serial number, and how that is known. One chain a
-- tenant; docs/custody.md explains the model.
--
-- Facts, append-only, each an entry of the chain under its sequence:
--   chain        the head: sequence, hash, time, how many items there are
--   entry        the chain itself: the hash of what each fact says, on the one before
--   document     a document received or sent; its bytes as they were in document_part
--   event        one EPCIS event, whole in body, with what is asked for beside it
--   decision     what a person or a rule decided: quarantine, release, legal hold
--   event_item, event_ref, event_quantity, event_copy
--                which events name an item, a transaction or party, a class; in
--                which other documents the same event came
--
-- Derived from the facts by one function of the program, which can derive it
-- again at any time:
--   item         one thing with a serial: who it is and where it stands
--   hop          its changes of owner, in order: the holder never forks
--   hold_item    which hold covers which item
--
-- Keys are compared byte by byte: collate "C".
--
-- Neither: reservation (a promise of minutes), hold, retention, legal_hold.
set role custody_owner;

create table custody.chain (
  id          integer     generated always as identity,
  tenant_id   uuid        not null,
  genesis     bytea       not null,   -- what the first entry's hash follows
  seq         bigint      not null default 0,
  hash        bytea       not null,
  recorded_at timestamptz not null default 'epoch',
  items       bigint      not null default 0,   -- the last item's id
  opened_at   timestamptz not null default clock_timestamp(),
  constraint chain_pkey primary key (id),
  constraint chain_once unique (tenant_id),
  constraint chain_hash_length check (octet_length(hash) = 32 and octet_length(genesis) = 32)
) with (fillfactor = 10);

create table custody.entry (
  chain_id    integer     not null,
  seq         bigint      not null,   -- gap-free from 1
  recorded_at timestamptz not null,   -- never falls
  kind        smallint    not null,   -- 1 document, 2 event, 3 decision
  content     bytea       not null,   -- sha256 of the fact's canonical bytes; docs/custody.md
  hash        bytea       not null,   -- sha256(hash before || 0x00 || canonical bytes of the entry)
  constraint entry_pkey primary key (chain_id, seq),
  constraint entry_kind_known check (kind between 1 and 3)
);

create table custody.document (
  chain_id   integer not null,
  seq        bigint  not null,
  sha256     bytea   not null,   -- of its bytes as they were
  size       bigint  not null,
  direction  text    not null,
  format     text    not null,   -- xml-1.2, xml-2.0, json-2.0
  sender     text    not null,   -- GLN, or the URI it named itself by; '' unknown
  receiver   text    not null,
  credential text    not null,   -- whose credential brought it
  saga_id    text,               -- the transfer it belongs to
  verdict    text    not null,
  findings   text    not null,   -- JSON, as the program's checks gave them
  constraint document_pkey primary key (chain_id, seq),
  constraint document_once unique (chain_id, sha256),
  constraint document_direction_known check (direction in ('received', 'sent')),
  constraint document_verdict_known check (verdict in ('accept', 'flag')),
  constraint document_sha256_length check (octet_length(sha256) = 32),
  constraint document_size_positive check (size > 0)
);
create index document_saga_idx on custody.document (chain_id, saga_id) where saga_id is not null;

create table custody.document_part (
  chain_id integer not null,
  document bigint  not null,
  part     integer not null,   -- gap-free from 0
  bytes    bytea   not null,
  constraint document_part_pkey primary key (chain_id, document, part)
);

create table custody.event (
  chain_id       integer     not null,
  seq            bigint      not null,
  event_time     timestamptz not null,
  document       bigint      not null,   -- it first came in
  parent         bigint,                 -- item
  ordinal        integer     not null,   -- its place in the document, from 1
  expiry         date,                   -- of what it commissions
  declared       boolean     not null,   -- an error declaration: the event of this id or content was wrong
  type           text        not null,
  action         text        not null,   -- ADD, OBSERVE, DELETE; '' of a transformation
  biz_step       text collate "C"        not null,   -- bare CBV word or URI; '' not given
  disposition    text        not null,
  event_id       text collate "C"        not null,   -- as given, or made of its hash
  read_point     text collate "C"        not null,   -- canonical key; '' not given
  biz_location   text collate "C"        not null,
  source_owner   text        not null,   -- GLN or key; '' not given
  dest_owner     text        not null,
  dest_holder    text        not null,
  dest_location  text        not null,
  persistent     text        not null,   -- dispositions set and unset: '+recalled -damaged'
  lot            text collate "C"        not null,   -- of what it commissions
  transformation text        not null,
  hash           bytea       not null,   -- CBV event hash: the same in every format
  members        bytea       not null,   -- items it names, 8 bytes each: epcList, childEPCs or inputs
  outputs        bytea       not null,   -- of a transformation
  body           bytea       not null,   -- the whole event; docs/custody.md
  constraint event_pkey primary key (chain_id, seq),
  constraint event_id_once unique (chain_id, event_id, declared),
  constraint event_type_known check (type in
    ('ObjectEvent', 'AggregationEvent', 'TransactionEvent', 'TransformationEvent', 'AssociationEvent', 'QuantityEvent')),
  constraint event_action_known check (action in ('', 'ADD', 'OBSERVE', 'DELETE'))
);
create index event_hash_idx on custody.event (chain_id, hash);
create index event_time_idx on custody.event (chain_id, event_time, seq);
create index event_lot_idx on custody.event (chain_id, lot) where lot <> '';
create index event_step_idx on custody.event (chain_id, biz_step, event_time, seq);
create index event_disposition_idx on custody.event (chain_id, disposition, event_time, seq) where disposition <> '';
create index event_location_idx on custody.event (chain_id, biz_location, event_time, seq) where biz_location <> '';
create index event_read_point_idx on custody.event (chain_id, read_point, event_time, seq) where read_point <> '';

-- An item's first event stands on the item itself.
create table custody.event_item (
  chain_id integer  not null,
  item     bigint   not null,
  event    bigint   not null,
  role     smallint not null,   -- 0 epc, 1 parent, 2 child, 3 input, 4 output
  constraint event_item_pkey primary key (chain_id, item, event, role),
  constraint event_item_role_known check (role between 0 and 4)
);

create table custody.event_ref (
  chain_id integer  not null,
  event    bigint   not null,
  kind     smallint not null,   -- 1 business transaction, 2 source, 3 destination
  type     text collate "C"     not null,
  ref      text collate "C"     not null,   -- canonical key
  constraint event_ref_pkey primary key (chain_id, kind, ref, event, type),
  constraint event_ref_kind_known check (kind between 1 and 3)
);

create table custody.event_quantity (
  chain_id integer  not null,
  event    bigint   not null,
  role     smallint not null,   -- as of event_item
  place    integer  not null,
  class    text collate "C"     not null,   -- canonical key
  amount   numeric,
  uom      text     not null,
  constraint event_quantity_pkey primary key (chain_id, class, event, role, place)
);

create table custody.event_copy (
  chain_id integer not null,
  document bigint  not null,   -- that brought the event again
  event    bigint  not null,
  ordinal  integer not null,
  constraint event_copy_pkey primary key (chain_id, event, document, ordinal)
);

create table custody.decision (
  chain_id integer not null,
  seq      bigint  not null,
  kind     text    not null,
  actor    text    not null,   -- who decided: a named person, or the rule that did
  reason   text    not null,
  body     bytea   not null,   -- what was decided, JSON
  constraint decision_pkey primary key (chain_id, seq),
  constraint decision_kind_known check (kind in ('hold', 'release', 'legal_hold', 'legal_hold_lifted')),
  constraint decision_actor_named check (length(actor) between 1 and 200),
  constraint decision_reason_given check (length(reason) between 1 and 2000)
);

create table custody.item (
  chain_id     integer     not null,
  id           bigint      not null,
  last_time    timestamptz,            -- of the last event that concerns it
  last_event   bigint,
  parent       bigint,                 -- what it is in now
  commissioned bigint,                 -- the event that made it
  conflict     bigint,                 -- an event that contradicts what is known of it
  first_event  bigint,                 -- that named it: stands for its row of event_item
  version      integer     not null default 0,
  first_role   smallint,
  hops         integer     not null default 0,
  expiry       date,
  owner_sure   boolean     not null default false,   -- a party named it; else it is told from a place
  key          text collate "C"        not null,   -- canonical: one thing, one key, however it is spelled
  gtin         text collate "C"        not null,   -- '' of what has none
  serial       text        not null,   -- an SSCC's 18 digits for what has no GTIN
  lot          text collate "C"        not null default '',
  state        text        not null default 'unknown',
  blocked      text        not null default '',   -- the disposition that keeps it from sale
  owner        text        not null default '',
  holder       text        not null default '',
  location     text        not null default '',
  conflict_why text        not null default '',
  constraint item_pkey primary key (chain_id, id),
  constraint item_key_once unique (chain_id, key),
  constraint item_not_in_itself check (parent <> id),
  constraint item_state_known check (state in
    ('unknown', 'in_stock', 'in_transit', 'dispensed', 'destroyed', 'decommissioned'))
) with (fillfactor = 80);
create index item_parent_idx on custody.item (chain_id, parent) where parent is not null;

-- A chain of owners without a fork: hop n of an item follows hop n-1, once, and
-- goes from where that went to. Holding intervals run from one hop's time to
-- the next one's, so they cannot overlap.
create table custody.hop (
  chain_id   integer     not null,
  item       bigint      not null,
  n          integer     not null,   -- gap-free from 1
  event      bigint      not null,   -- that changed the owner
  at         timestamptz not null,   -- of the event
  from_owner text        not null,
  to_owner   text        not null,
  constraint hop_pkey primary key (chain_id, item, n),
  constraint hop_number_positive check (n > 0),
  constraint hop_moves check (from_owner <> to_owner)
);

create table custody.hold (
  chain_id       integer     not null,
  id             bigint      not null,   -- the decision that placed it
  class          text        not null,
  gtin           text collate "C"        not null,   -- of a hold on a lot; '' else
  lot            text collate "C"        not null,
  document       bigint,                 -- of a hold on what a document concerns
  placed_at      timestamptz not null,
  placed_by      text        not null,
  reason         text        not null,
  released       bigint,                 -- the decision that released it
  released_by    text,
  constraint hold_pkey primary key (chain_id, id),
  constraint hold_class_known check (class in ('suspect', 'illegitimate', 'recall', 'flagged')),
  constraint hold_lot_whole check ((gtin = '') = (lot = '')),
  constraint hold_released_whole check ((released is null) = (released_by is null)),
  constraint hold_illegitimate_two_people check (class <> 'illegitimate' or released_by is distinct from placed_by)
);
create index hold_lot_idx on custody.hold (chain_id, gtin, lot) where gtin <> '' and released is null;
create index hold_document_idx on custody.hold (chain_id, document) where document is not null;

create table custody.hold_item (
  chain_id integer not null,
  item     bigint  not null,
  hold     bigint  not null,
  direct   boolean not null,   -- named by who placed it; else what is or was inside
  constraint hold_item_pkey primary key (chain_id, item, hold)
);
create index hold_item_hold_idx on custody.hold_item (chain_id, hold);

create table custody.reservation (
  chain_id    integer     not null,
  item        bigint      not null,
  saga_id     text        not null,
  seller      text        not null,
  reserved_at timestamptz not null default clock_timestamp(),
  constraint reservation_once primary key (chain_id, item)
);
create index reservation_saga_idx on custody.reservation (chain_id, saga_id);

-- What must be kept how long: six years from a date of its own (FD&C 582; K1
-- the transaction, K2 the making, K3 the end of the investigation, K4 the end
-- of the disposition). The latest counts; without a date it is not over.
create table custody.retention (
  chain_id  integer not null,
  subject   bigint  not null,   -- document or decision
  class     text    not null,
  starts_on date,
  constraint retention_pkey primary key (chain_id, subject, class),
  constraint retention_class_known check (class in ('K1', 'K2', 'K3', 'K4'))
);

create table custody.legal_hold (
  chain_id integer not null,
  id       bigint  not null,   -- the decision that placed it
  subject  bigint,             -- document or decision; null: everything
  lifted   bigint,
  constraint legal_hold_pkey primary key (chain_id, id)
);

-- Guards, once a statement.
-- +goose StatementBegin
create function custody.forbid() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception '% on %.% is refused: what is recorded of custody is only added to', tg_op, tg_table_schema, tg_table_name
    using errcode = '42501';
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function custody.door_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'custody_owner' or coalesce(current_setting('custody.door', true), '') <> 'open' then
    raise exception '% on %.% is refused: only custody''s own functions write here', tg_op, tg_table_schema, tg_table_name
      using errcode = '42501';
  end if;
  return null;
end $$;
-- +goose StatementEnd

-- Documents go when their time is over, and by nobody's hand.
-- +goose StatementBegin
create function custody.purge_only() returns trigger
  language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if current_user <> 'custody_owner' or coalesce(current_setting('custody.purge', true), '') <> old.document::text
     or custody.kept_until(old.chain_id, old.document) is null or custody.kept_until(old.chain_id, old.document) >= current_date then
    raise exception '% on %.% is refused: document % is to be kept', tg_op, tg_table_schema, tg_table_name, old.document
      using errcode = '42501';
  end if;
  return old;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function custody.guard_table(p_table text, p_updates boolean, p_deletes boolean) returns void
  language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  op text;
begin
  foreach op in array array['insert', 'update', 'delete', 'truncate'] loop
    execute format('create trigger %I before %s on custody.%I for each statement execute function custody.%I()', p_table || '_' || op, op, p_table,
      case when op = 'insert' or op = 'update' and p_updates or op = 'delete' and p_deletes then 'door_only' else 'forbid' end);
    execute format('alter table custody.%I enable always trigger %I', p_table, p_table || '_' || op);
  end loop;
end $$;
-- +goose StatementEnd

select custody.guard_table(t, t in ('chain', 'item', 'hop', 'hold', 'retention', 'legal_hold'), t in ('hop', 'reservation', 'document_part'))
  from unnest(array['chain', 'entry', 'document', 'document_part', 'event', 'event_item', 'event_ref', 'event_quantity', 'event_copy', 'decision',
                    'item', 'hop', 'hold', 'hold_item', 'reservation', 'retention', 'legal_hold']) as t;
create trigger document_part_kept before delete on custody.document_part for each row execute function custody.purge_only();
alter table custody.document_part enable always trigger document_part_kept;

alter table custody.chain          enable row level security;
alter table custody.chain          force  row level security;
alter table custody.entry          enable row level security;
alter table custody.entry          force  row level security;
alter table custody.document       enable row level security;
alter table custody.document       force  row level security;
alter table custody.document_part  enable row level security;
alter table custody.document_part  force  row level security;
alter table custody.event          enable row level security;
alter table custody.event          force  row level security;
alter table custody.event_item     enable row level security;
alter table custody.event_item     force  row level security;
alter table custody.event_ref      enable row level security;
alter table custody.event_ref      force  row level security;
alter table custody.event_quantity enable row level security;
alter table custody.event_quantity force  row level security;
alter table custody.event_copy     enable row level security;
alter table custody.event_copy     force  row level security;
alter table custody.decision       enable row level security;
alter table custody.decision       force  row level security;
alter table custody.item           enable row level security;
alter table custody.item           force  row level security;
alter table custody.hop            enable row level security;
alter table custody.hop            force  row level security;
alter table custody.hold           enable row level security;
alter table custody.hold           force  row level security;
alter table custody.hold_item      enable row level security;
alter table custody.hold_item      force  row level security;
alter table custody.reservation    enable row level security;
alter table custody.reservation    force  row level security;
alter table custody.retention      enable row level security;
alter table custody.retention      force  row level security;
alter table custody.legal_hold     enable row level security;
alter table custody.legal_hold     force  row level security;

-- A tenant has one chain; what it may see, and what the doors write for it, is
-- of that chain.
create policy chain_own   on custody.chain to custody_owner, app_api, app_worker using (tenant_id = (select app.current_tenant()));
create policy chain_audit on custody.chain for select to auditor_ro using (true);

-- +goose StatementBegin
do $$
declare
  t text;
begin
  foreach t in array array['entry', 'document', 'document_part', 'event', 'event_item', 'event_ref', 'event_quantity', 'event_copy', 'decision',
                           'item', 'hop', 'hold', 'hold_item', 'reservation', 'retention', 'legal_hold'] loop
    execute format('create policy %I on custody.%I for select to app_api, app_worker
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_own', t);
    execute format('create policy %I on custody.%I to custody_owner
                      using (chain_id = (select c.id from custody.chain c where c.tenant_id = app.current_tenant()))', t || '_door', t);
    execute format('create policy %I on custody.%I for select to auditor_ro using (true)', t || '_audit', t);
    execute format('grant select on custody.%I to app_api, app_worker, auditor_ro', t);
  end loop;
end $$;
-- +goose StatementEnd

grant usage on schema custody to app_api, app_worker, auditor_ro, sealer;
grant select on custody.chain to app_api, app_worker, auditor_ro;
revoke all on function custody.forbid(), custody.door_only(), custody.purge_only(), custody.guard_table(text, boolean, boolean) from public;
reset role;
