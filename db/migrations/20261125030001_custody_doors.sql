-- +goose Up
-- The doors of custody. The caller computes, with the head of its tenant's
-- chain locked; the doors check set by set and write. Errors: CU001 what the
-- caller computed is wrong, CU002 the head is not the caller's, CU003 what a
-- person asked for may not be, 42501 not the session's tenant.
--
-- The arrays a batch comes in are taken apart in the select list: in from, each
-- of them would be put into a store of its own and read again from there.
set role custody_owner;

create function custody.genesis(p_tenant uuid) returns bytea
  language sql immutable strict parallel safe
  return sha256(convert_to('recourse custody chain 1', 'UTF8') || '\x00'::bytea || uuid_send(p_tenant));

-- Opens the tenant's chain if it is not open, locks its head and returns it
-- with the time of the entries to come. Everything that depends on who holds
-- what is computed after this: writers of one tenant follow one another.
-- +goose StatementBegin
create function custody.lock_chain(p_tenant uuid)
  returns table (id integer, seq bigint, hash bytea, items bigint, at timestamptz)
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
#variable_conflict use_column
declare
  c chain;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into c from chain where tenant_id = p_tenant for no key update;
  if c.id is null then
    perform set_config('custody.door', 'open', true);
    insert into chain (tenant_id, genesis, hash) values (p_tenant, genesis(p_tenant), genesis(p_tenant))
    on conflict on constraint chain_once do nothing;
    perform set_config('custody.door', '', true);
    select * into c from chain where tenant_id = p_tenant for no key update;
  end if;
  return query select c.id, c.seq, c.hash, c.items, greatest(date_trunc('microsecond', clock_timestamp()), c.recorded_at);
end $$;
-- +goose StatementEnd

-- Opens the doors for a statement of the functions below, for one chain, if it
-- is the tenant's and the tenant is the session's; locks its head.
-- +goose StatementBegin
create function custody.enter(p_tenant uuid, p_chain integer) returns custody.chain
  language plpgsql
  set search_path = custody, pg_temp as $$
declare
  c chain;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select * into c from chain where id = p_chain and tenant_id = p_tenant for no key update;
  if not found then
    raise exception 'there is no such chain' using errcode = '42501';
  end if;
  perform set_config('custody.door', 'open', true);
  return c;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create function custody.leave() returns void
  language plpgsql
  set search_path = custody, pg_temp as $$
begin
  perform set_config('custody.door', '', true);
end $$;
-- +goose StatementEnd

-- Adds facts. e_* are the entries in order, d_*, v_*, c_* the documents,
-- events and decisions among them by their place in the batch from 1; entry i
-- gets sequence p_seq + i. The rest names events by sequence.
-- +goose StatementBegin
create function custody.append(
  p_tenant uuid, p_chain integer, p_seq bigint, p_hash bytea, p_at timestamptz,
  e_kind smallint[], e_content bytea[], e_hash bytea[],
  d_place integer[], d_sha256 bytea[], d_size bigint[], d_direction text[], d_format text[], d_sender text[], d_receiver text[],
  d_credential text[], d_saga_id text[], d_verdict text[], d_findings text[],
  c_place integer[], c_kind text[], c_actor text[], c_reason text[], c_body bytea[],
  v_place integer[], v_document bigint[], v_ordinal integer[], v_event_time timestamptz[], v_declared boolean[], v_type text[], v_action text[],
  v_biz_step text[], v_disposition text[], v_event_id text[], v_read_point text[], v_biz_location text[], v_source_owner text[],
  v_dest_owner text[], v_dest_holder text[], v_dest_location text[], v_persistent text[], v_lot text[], v_expiry date[], v_transformation text[], v_hash bytea[], v_parent bigint[],
  v_members bytea[], v_outputs bytea[], v_body bytea[],
  x_event bigint[], x_item bigint[], x_role smallint[],
  r_event bigint[], r_kind smallint[], r_type text[], r_ref text[],
  q_event bigint[], q_role smallint[], q_place integer[], q_class text[], q_amount text[], q_uom text[],
  a_event bigint[], a_document bigint[], a_ordinal integer[])
  returns bigint   -- the new head's sequence
  language plpgsql security definer
  set search_path = custody, pg_temp
  set plan_cache_mode = force_generic_plan set work_mem = '64MB' as $$
#variable_conflict use_column
declare
  head  chain;
  n     integer := coalesce(cardinality(e_kind), 0);
  at_us bigint := (extract(epoch from p_at) * 1000000)::bigint;
  wrong text;
begin
  head := enter(p_tenant, p_chain);
  if (head.seq, head.hash) is distinct from (p_seq, p_hash) then
    raise exception 'the chain has moved: it is at %', head.seq using errcode = 'CU002';
  end if;
  if n > 0 and (p_at is null or p_at < head.recorded_at or p_at not between clock_timestamp() - interval '1 hour' and clock_timestamp() + interval '1 minute'
                and p_at <> head.recorded_at) then
    raise exception 'the batch is wrong: the time % is not now: the chain is at %', p_at, head.recorded_at using errcode = 'CU001';
  end if;

  with d as (
    insert into document (chain_id, seq, sha256, size, direction, format, sender, receiver, credential, saga_id, verdict, findings)
    select p_chain, p_seq + u.place, u.sha256, u.size, u.direction, u.format, u.sender, u.receiver, u.credential, u.saga_id, u.verdict, u.findings
      from (select unnest(d_place) as place, unnest(d_sha256) as sha256, unnest(d_size) as size, unnest(d_direction) as direction,
                   unnest(d_format) as format, unnest(d_sender) as sender, unnest(d_receiver) as receiver,
                   unnest(d_credential) as credential, unnest(d_saga_id) as saga_id, unnest(d_verdict) as verdict,
                   unnest(d_findings) as findings) u
    returning seq, custody.document_content(document) as content, 1::smallint as kind
  ), c as (
    insert into decision (chain_id, seq, kind, actor, reason, body)
    select p_chain, p_seq + u.place, u.kind, u.actor, u.reason, u.body
      from (select unnest(c_place) as place, unnest(c_kind) as kind, unnest(c_actor) as actor, unnest(c_reason) as reason,
                   unnest(c_body) as body) u
    returning seq, custody.decision_content(decision) as content, 3::smallint as kind
  ), v as (
    insert into event (chain_id, seq, event_time, document, parent, ordinal, expiry, declared, type, action, biz_step, disposition, event_id,
                       read_point, biz_location, source_owner, dest_owner, dest_holder, dest_location, persistent, lot, transformation, hash,
                       members, outputs, body)
    select p_chain, p_seq + u.place, u.event_time, u.document, u.parent, u.ordinal, u.expiry, u.declared, u.type, u.action, u.biz_step, u.disposition,
           u.event_id, u.read_point, u.biz_location, u.source_owner, u.dest_owner, u.dest_holder, u.dest_location, u.persistent, u.lot,
           u.transformation, u.hash, u.members, u.outputs, u.body
      from (select unnest(v_place) as place, unnest(v_document) as document, unnest(v_ordinal) as ordinal,
                   unnest(v_event_time) as event_time, unnest(v_declared) as declared, unnest(v_type) as type,
                   unnest(v_action) as action, unnest(v_biz_step) as biz_step, unnest(v_disposition) as disposition,
                   unnest(v_event_id) as event_id, unnest(v_read_point) as read_point, unnest(v_biz_location) as biz_location,
                   unnest(v_source_owner) as source_owner, unnest(v_dest_owner) as dest_owner,
                   unnest(v_dest_holder) as dest_holder, unnest(v_dest_location) as dest_location,
                   unnest(v_persistent) as persistent, unnest(v_lot) as lot, unnest(v_expiry) as expiry,
                   unnest(v_transformation) as transformation, unnest(v_hash) as hash, unnest(v_parent) as parent,
                   unnest(v_members) as members, unnest(v_outputs) as outputs, unnest(v_body) as body) u
    returning seq, sha256(int8send(document) || int4send(ordinal) || hash || body) as content, 2::smallint as kind
  ), e as (
    insert into entry (chain_id, seq, recorded_at, kind, content, hash)
    select p_chain, p_seq + u.place, p_at, u.kind, u.content, u.hash
      from (select unnest(e_kind) as kind, unnest(e_content) as content, unnest(e_hash) as hash,
                   generate_series(1, cardinality(e_kind)) as place) u
  )
  -- Every entry is of a fact written here, says what that says, and follows
  -- the one before it.
  select coalesce(min(x.wrong), case when count(*) <> n then 'entries' end) into wrong
    from (
      select case
               when f.seq is null or f.kind <> u.kind or f.content <> u.content then 'content'
               when u.hash is distinct from sha256(lag(u.hash, 1, p_hash) over (order by u.place) || '\x0001'::bytea || int8send(p_seq + u.place)
                      || int8send(at_us) || int2send(u.kind) || u.content) then 'chain'
             end as wrong
        from (select unnest(e_kind) as kind, unnest(e_content) as content, unnest(e_hash) as hash,
                   generate_series(1, cardinality(e_kind)) as place) u
        full join (select * from d union all select * from c union all select * from v) f on f.seq = p_seq + u.place) x;
  if wrong is not null then
    raise exception 'the batch is wrong: %', wrong using errcode = 'CU001';
  end if;

  insert into event_item (chain_id, item, event, role)
  select p_chain, u.item, u.event, u.role from (select unnest(x_event) as event, unnest(x_item) as item, unnest(x_role) as role) u;
  if cardinality(r_event) > 0 then
    insert into event_ref (chain_id, event, kind, type, ref)
    select p_chain, u.event, u.kind, u.type, u.ref from (select unnest(r_event) as event, unnest(r_kind) as kind, unnest(r_type) as type, unnest(r_ref) as ref) u
    on conflict on constraint event_ref_pkey do nothing;
  end if;
  if cardinality(q_event) > 0 then
    insert into event_quantity (chain_id, event, role, place, class, amount, uom)
    select p_chain, u.event, u.role, u.place, u.class, u.amount::numeric, u.uom
      from (select unnest(q_event) as event, unnest(q_role) as role, unnest(q_place) as place, unnest(q_class) as class,
                   unnest(q_amount) as amount, unnest(q_uom) as uom) u;
  end if;
  if cardinality(a_event) > 0 then
    insert into event_copy (chain_id, event, document, ordinal)
    select p_chain, u.event, u.document, u.ordinal from (select unnest(a_event) as event, unnest(a_document) as document, unnest(a_ordinal) as ordinal) u
    on conflict on constraint event_copy_pkey do nothing;
  end if;
  if n > 0 then
    update chain set seq = p_seq + n, hash = e_hash[n], recorded_at = p_at where id = p_chain;
  end if;
  perform leave();
  return p_seq + n;
end $$;
-- +goose StatementEnd

-- The canonical bytes of a document and of a decision, hashed.
create function custody.document_content(d custody.document) returns bytea
  language sql immutable parallel safe
  return sha256(d.sha256 || int8send(d.size) || int4send(octet_length(d.direction)) || int4send(octet_length(d.format))
      || int4send(octet_length(d.sender)) || int4send(octet_length(d.receiver)) || int4send(octet_length(d.credential))
      || int4send(octet_length(coalesce(d.saga_id, ''))) || int4send(octet_length(d.verdict)) || int4send(octet_length(d.findings))
      || convert_to(d.direction || d.format || d.sender || d.receiver || d.credential || coalesce(d.saga_id, '') || d.verdict || d.findings, 'UTF8'));
create function custody.decision_content(c custody.decision) returns bytea
  language sql immutable parallel safe
  return sha256(int4send(octet_length(c.kind)) || int4send(octet_length(c.actor)) || int4send(octet_length(c.reason))
      || convert_to(c.kind || c.actor || c.reason, 'UTF8') || c.body);

-- The next part of a document's bytes.
-- +goose StatementBegin
create function custody.put_part(p_tenant uuid, p_chain integer, p_document bigint, p_part integer, p_bytes bytea) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  d    document;
  have bigint;
  next integer;
begin
  perform enter(p_tenant, p_chain);
  select * into d from document where chain_id = p_chain and seq = p_document;
  select coalesce(sum(octet_length(bytes)), 0), count(*) into have, next from document_part where chain_id = p_chain and document = p_document;
  if d.seq is null or p_part <> next or have + octet_length(p_bytes) > d.size then
    raise exception 'the document is wrong: part %', p_part using errcode = 'CU001';
  end if;
  if p_part = 0 and octet_length(p_bytes) = d.size and sha256(p_bytes) <> d.sha256 then
    raise exception 'the document is wrong: its bytes are not those of its hash' using errcode = 'CU001';
  end if;
  insert into document_part (chain_id, document, part, bytes) values (p_chain, p_document, p_part, p_bytes);
  perform leave();
end $$;
-- +goose StatementEnd

-- A plan is made when the tables may be empty and used when they are large:
-- here, and wherever settings say so, it always goes by the indexes.

-- Brings what is derived up to the head that the caller has folded to. Items
-- above the chain's last id are new. k_* cut the hops of an item that follow
-- the first k_keep of them; h_* are put after those, in order of item and
-- number, u_hop being the place among them of an item's last, 0 if it has no
-- new one. Texts that many items share are given once, in p_names, and then by
-- their place.
-- +goose StatementBegin
create function custody.project(
  p_tenant uuid, p_chain integer, p_seq bigint, p_names text[],
  u_item bigint[], u_key text[], u_gtin integer[], u_serial text[], u_first_event bigint[], u_first_role smallint[], u_last_time timestamptz[],
  u_last_event bigint[], u_parent bigint[], u_commissioned bigint[], u_conflict bigint[], u_conflict_why integer[], u_hops integer[],
  u_hop integer[], u_lot integer[], u_expiry date[], u_state integer[], u_blocked integer[], u_owner integer[], u_owner_sure boolean[],
  u_holder integer[], u_location integer[],
  k_item bigint[], k_keep integer[],
  h_item bigint[], h_n integer[], h_event bigint[], h_at timestamptz[], h_from integer[], h_to integer[])
  returns void
  language plpgsql security definer
  set search_path = custody, pg_temp
  set plan_cache_mode = force_generic_plan set work_mem = '64MB'
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  head  chain;
  fresh bigint;
  moved bigint;
begin
  head := enter(p_tenant, p_chain);
  if head.seq <> p_seq then
    raise exception 'the chain has moved: it is at %', head.seq using errcode = 'CU002';
  end if;

  insert into item (chain_id, id, first_event, first_role, last_time, last_event, parent, commissioned, conflict, hops, expiry, owner_sure, key,
                    gtin, serial, lot, state, blocked, owner, holder, location, conflict_why)
  select p_chain, u.item, u.first_event, u.first_role, u.last_time, u.last_event, u.parent, u.commissioned, u.conflict, u.hops, u.expiry,
         u.owner_sure, u.key, p_names[u.gtin], u.serial, p_names[u.lot], p_names[u.state], p_names[u.blocked], p_names[u.owner],
         p_names[u.holder], p_names[u.location], p_names[u.conflict_why]
    from (select unnest(u_item) as item, unnest(u_key) as key, unnest(u_gtin) as gtin, unnest(u_serial) as serial,
                   unnest(u_first_event) as first_event, unnest(u_first_role) as first_role, unnest(u_last_time) as last_time,
                   unnest(u_last_event) as last_event, unnest(u_parent) as parent, unnest(u_commissioned) as commissioned,
                   unnest(u_conflict) as conflict, unnest(u_conflict_why) as conflict_why, unnest(u_hops) as hops,
                   unnest(u_lot) as lot, unnest(u_expiry) as expiry, unnest(u_state) as state, unnest(u_blocked) as blocked,
                   unnest(u_owner) as owner, unnest(u_owner_sure) as owner_sure, unnest(u_holder) as holder,
                   unnest(u_location) as location) u
   where u.item > head.items;
  get diagnostics fresh = row_count;
  if fresh > 0 then
    if (select max(i) - min(i) + 1 <> fresh or min(i) <> head.items + 1 from unnest(u_item) i where i > head.items) then
      raise exception 'the batch is wrong: items' using errcode = 'CU001';
    end if;
    update chain set items = head.items + fresh where id = p_chain;
  end if;
  if fresh < cardinality(u_item) then
    update item i
       set last_time = u.last_time, last_event = u.last_event, parent = u.parent, commissioned = u.commissioned, conflict = u.conflict,
           conflict_why = p_names[u.conflict_why], hops = u.hops, lot = p_names[u.lot], expiry = u.expiry, state = p_names[u.state],
           blocked = p_names[u.blocked], owner = p_names[u.owner], owner_sure = u.owner_sure, holder = p_names[u.holder],
           location = p_names[u.location], version = i.version + 1
      from (select unnest(u_item) as item, unnest(u_last_time) as last_time, unnest(u_last_event) as last_event, unnest(u_parent) as parent,
                   unnest(u_commissioned) as commissioned, unnest(u_conflict) as conflict,
                   unnest(u_conflict_why) as conflict_why, unnest(u_hops) as hops, unnest(u_lot) as lot,
                   unnest(u_expiry) as expiry, unnest(u_state) as state, unnest(u_blocked) as blocked, unnest(u_owner) as owner,
                   unnest(u_owner_sure) as owner_sure, unnest(u_holder) as holder, unnest(u_location) as location) u
     where i.chain_id = p_chain and i.id = u.item and u.item <= head.items;
    get diagnostics moved = row_count;
    if moved + fresh <> cardinality(u_item) then
      raise exception 'the batch is wrong: items' using errcode = 'CU001';
    end if;
  end if;

  delete from hop h using unnest(k_item, k_keep) as k (item, keep) where h.chain_id = p_chain and h.item = k.item and h.n > k.keep;
  insert into hop (chain_id, item, n, event, at, from_owner, to_owner)
  select p_chain, u.item, u.n, u.event, u.at, p_names[u.from_owner], p_names[u.to_owner]
    from (select unnest(h_item) as item, unnest(h_n) as n, unnest(h_event) as event, unnest(h_at) as at, unnest(h_from) as from_owner,
                   unnest(h_to) as to_owner) u;
  -- Each hop goes on from where the one before it went, the first of an item
  -- from the last that was there.
  if exists (
    select from (select unnest(h_item) as item, unnest(h_n) as n, unnest(h_at) as at, unnest(h_from) as from_owner,
                   generate_series(1, cardinality(h_item)) as place) u
     where case when h_item[u.place - 1] = u.item then h_n[u.place - 1] + 1 <> u.n or h_to[u.place - 1] <> u.from_owner or h_at[u.place - 1] > u.at
                when h_item[u.place - 1] > u.item then true
                else u.n <> 1 and not exists (select from hop p where p.chain_id = p_chain and p.item = u.item and p.n = u.n - 1
                                                 and p.to_owner = p_names[u.from_owner] and p.at <= u.at) end) then
    raise exception 'the batch is wrong: an owner has parted with what another holds' using errcode = 'CU001', constraint = 'hop_follows';
  end if;
  -- The owner is where the last hop went, and none goes on from there.
  if exists (
    select from (select unnest(u_item) as item, unnest(u_hops) as hops, unnest(u_hop) as hop, unnest(u_owner) as owner) u
     where case when u.hop > 0 then h_item[u.hop] <> u.item or h_n[u.hop] <> u.hops or h_to[u.hop] <> u.owner or h_item[u.hop + 1] = u.item
                when u.hops > 0 then not exists (select from hop h where h.chain_id = p_chain and h.item = u.item and h.n = u.hops
                                                    and h.to_owner = p_names[u.owner])
                                  or exists (select from hop h where h.chain_id = p_chain and h.item = u.item and h.n = u.hops + 1)
                else u.item <= head.items and exists (select from hop h where h.chain_id = p_chain and h.item = u.item) end)
     or (select count(*) filter (where u.hop > 0) from (select unnest(u_hop) as hop) u) 
        <> (select count(*) filter (where h_item[u.place + 1] is distinct from u.item) from (select unnest(h_item) as item, generate_series(1, cardinality(h_item)) as place) u) then
    raise exception 'the batch is wrong: the owner is not where the last hop went' using errcode = 'CU001', constraint = 'item_owner_is_last_hop';
  end if;
  perform leave();
end $$;
-- +goose StatementEnd

-- Reserves items for a saga. Answers those that another saga has; then the
-- caller takes everything back.
-- +goose StatementBegin
create function custody.reserve(p_tenant uuid, p_saga text, p_seller text, p_items bigint[])
  returns setof bigint
  language plpgsql security definer
  set search_path = custody, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  c integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select id into c from chain where tenant_id = p_tenant;
  perform set_config('custody.door', 'open', true);
  insert into reservation (chain_id, item, saga_id, seller)
  select c, u.item, p_saga, p_seller from unnest(p_items) as u (item)
   where exists (select from item i where i.chain_id = c and i.id = u.item)
   order by u.item
  on conflict on constraint reservation_once do nothing;
  perform leave();
  return query
    select u.item from unnest(p_items) as u (item)
      left join reservation r on r.chain_id = c and r.item = u.item
     where r.saga_id is distinct from p_saga
     order by u.item;
end $$;
-- +goose StatementEnd

-- Gives up what a saga reserved; how many items that were.
-- +goose StatementBegin
create function custody.unreserve(p_tenant uuid, p_saga text) returns bigint
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c    integer;
  gone bigint;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select id into c from chain where tenant_id = p_tenant;
  perform set_config('custody.door', 'open', true);
  delete from reservation where chain_id = c and saga_id = p_saga;
  get diagnostics gone = row_count;
  perform leave();
  return gone;
end $$;
-- +goose StatementEnd

-- Makes the hold that a decision of this transaction placed, over items, a lot,
-- or what a document concerns.
-- +goose StatementBegin
create function custody.place_hold(p_tenant uuid, p_chain integer, p_decision bigint, p_class text, p_gtin text, p_lot text, p_document bigint)
  returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c decision;
  at timestamptz;
begin
  perform enter(p_tenant, p_chain);
  select * into c from decision where chain_id = p_chain and seq = p_decision and kind = 'hold';
  if not found then
    raise exception 'the hold is wrong: entry % is not its decision', p_decision using errcode = 'CU001';
  end if;
  select recorded_at into at from entry where chain_id = p_chain and seq = p_decision;
  insert into hold (chain_id, id, class, gtin, lot, document, placed_at, placed_by, reason)
  values (p_chain, p_decision, p_class, p_gtin, p_lot, p_document, at, c.actor, c.reason);
  perform leave();
end $$;
-- +goose StatementEnd

-- Puts items under holds; those that are stay.
-- +goose StatementBegin
create function custody.cover(p_tenant uuid, p_chain integer, p_hold bigint[], p_item bigint[], p_direct boolean[]) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  perform enter(p_tenant, p_chain);
  insert into hold_item (chain_id, item, hold, direct)
  select p_chain, u.item, u.hold, u.direct from unnest(p_hold, p_item, p_direct) as u (hold, item, direct)
   where exists (select from hold h where h.chain_id = p_chain and h.id = u.hold)
  on conflict on constraint hold_item_pkey do nothing;
  perform leave();
end $$;
-- +goose StatementEnd

-- Ends a hold by the decision of a person. False: it is not there or ended.
-- +goose StatementBegin
create function custody.release_hold(p_tenant uuid, p_chain integer, p_hold bigint, p_decision bigint) returns boolean
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  c    decision;
  done bigint;
begin
  perform enter(p_tenant, p_chain);
  select * into c from decision where chain_id = p_chain and seq = p_decision and kind = 'release';
  if not found then
    raise exception 'the release is wrong: entry % is not its decision', p_decision using errcode = 'CU001';
  end if;
  update hold set released = p_decision, released_by = c.actor where chain_id = p_chain and id = p_hold and released is null;
  get diagnostics done = row_count;
  perform leave();
  return done > 0;
end $$;
-- +goose StatementEnd

-- Says from when on a record is kept for six years. A date that was open is
-- set once.
-- +goose StatementBegin
create function custody.retain(p_tenant uuid, p_chain integer, p_subject bigint, p_class text, p_starts_on date) returns void
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
begin
  perform enter(p_tenant, p_chain);
  insert into retention as r (chain_id, subject, class, starts_on) values (p_chain, p_subject, p_class, p_starts_on)
  on conflict on constraint retention_pkey do update
     set starts_on = case when r.starts_on is null or excluded.starts_on > r.starts_on then excluded.starts_on else r.starts_on end;
  perform leave();
end $$;
-- +goose StatementEnd

-- The last day a record is kept; null while that is open.
create function custody.kept_until(p_chain integer, p_subject bigint) returns date
  language sql stable
  set search_path = custody, pg_temp
  return case when exists (select from custody.legal_hold l where l.chain_id = p_chain and (l.subject is null or l.subject = p_subject) and l.lifted is null)
                or exists (select from custody.retention r where r.chain_id = p_chain and r.subject = p_subject and r.starts_on is null)
              then null
              else (select (max(r.starts_on) + interval '6 years')::date from custody.retention r where r.chain_id = p_chain and r.subject = p_subject) end;

-- Forgets the bytes of a document whose time is over. Its entry, with its
-- hash, stays in the chain.
-- +goose StatementBegin
create function custody.purge_document(p_tenant uuid, p_chain integer, p_document bigint) returns bigint
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  gone bigint;
begin
  perform enter(p_tenant, p_chain);
  if kept_until(p_chain, p_document) is null or kept_until(p_chain, p_document) >= current_date then
    raise exception 'document % is to be kept%', p_document, coalesce(' until ' || kept_until(p_chain, p_document), '')
      using errcode = 'CU003', constraint = 'retention_is_over';
  end if;
  perform set_config('custody.purge', p_document::text, true);
  delete from document_part where chain_id = p_chain and document = p_document;
  get diagnostics gone = row_count;
  perform set_config('custody.purge', '', true);
  perform leave();
  return gone;
end $$;
-- +goose StatementEnd

-- Puts a legal hold on a record, or on everything (null), by a decision of
-- this transaction; or lifts one.
-- +goose StatementBegin
create function custody.put_legal_hold(p_tenant uuid, p_chain integer, p_decision bigint, p_subject bigint, p_lift bigint) returns boolean
  language plpgsql security definer
  set search_path = custody, pg_temp as $$
declare
  done bigint;
begin
  perform enter(p_tenant, p_chain);
  if not exists (select from decision c where c.chain_id = p_chain and c.seq = p_decision
                    and c.kind = case when p_lift is null then 'legal_hold' else 'legal_hold_lifted' end) then
    raise exception 'the legal hold is wrong: entry % is not its decision', p_decision using errcode = 'CU001';
  end if;
  if p_lift is null then
    insert into legal_hold (chain_id, id, subject) values (p_chain, p_decision, p_subject);
  else
    update legal_hold set lifted = p_decision where chain_id = p_chain and id = p_lift and lifted is null;
  end if;
  get diagnostics done = row_count;
  perform leave();
  return done > 0;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
do $$
declare
  f regprocedure;
begin
  for f in select p.oid::regprocedure from pg_proc p where p.pronamespace = 'custody'::regnamespace loop
    execute format('revoke all on function %s from public', f);
    if (select p.prosecdef or p.proname in ('genesis', 'document_content', 'decision_content', 'kept_until') from pg_proc p where p.oid = f) then
      execute format('grant execute on function %s to app_api, app_worker', f);
    end if;
  end loop;
end $$;
-- +goose StatementEnd
grant execute on function custody.genesis(uuid), custody.document_content(custody.document), custody.decision_content(custody.decision),
  custody.kept_until(integer, bigint) to auditor_ro;
reset role;
