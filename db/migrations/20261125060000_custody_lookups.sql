-- +goose Up
-- The doors that look things up do it one by one along an index, whatever the
-- planner believes of the tables. Without statistics, or with those of a
-- moment when a table was small, it takes a tenant for a handful of rows and
-- reads all of them for each thing of the batch: what a capture takes would grow
-- with the square of its size. Lookups that a setting cannot steer stand as
-- subqueries of a value, which are always done one by one.
set role custody_owner;

-- +goose StatementBegin
create or replace function custody.project(
  p_tenant uuid, p_chain integer, p_seq bigint,
  u_item bigint[], u_key text[], u_gtin text[], u_serial text[], u_last_time timestamptz[], u_last_event bigint[], u_parent bigint[],
  u_commissioned bigint[], u_conflict bigint[], u_conflict_why text[], u_hops integer[], u_lot text[], u_expiry date[], u_state text[], u_blocked text[], u_owner text[],
  u_owner_sure boolean[], u_holder text[], u_location text[],
  k_item bigint[], k_keep integer[],
  h_item bigint[], h_n integer[], h_event bigint[], h_at timestamptz[], h_from text[], h_to text[])
  returns void
  language plpgsql security definer
  set search_path = custody, pg_temp
  set plan_cache_mode = force_generic_plan
  set enable_hashjoin = off
  set enable_mergejoin = off
  set enable_material = off
  set enable_bitmapscan = off
  set enable_seqscan = off as $$
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

  insert into item (chain_id, id, last_time, last_event, parent, commissioned, conflict, hops, expiry, owner_sure, key, gtin, serial, lot, state, blocked, owner,
                    holder, location, conflict_why)
  select p_chain, u.item, u.last_time, u.last_event, u.parent, u.commissioned, u.conflict, u.hops, u.expiry, u.owner_sure, u.key, u.gtin, u.serial, u.lot, u.state,
         u.blocked, u.owner, u.holder, u.location, u.conflict_why
    from unnest(u_item, u_key, u_gtin, u_serial, u_last_time, u_last_event, u_parent, u_commissioned, u_conflict, u_conflict_why, u_hops, u_lot, u_expiry, u_state,
                u_blocked, u_owner, u_owner_sure, u_holder, u_location)
         as u (item, key, gtin, serial, last_time, last_event, parent, commissioned, conflict, conflict_why, hops, lot, expiry, state, blocked, owner, owner_sure,
               holder, location)
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
       set last_time = u.last_time, last_event = u.last_event, parent = u.parent, commissioned = u.commissioned, conflict = u.conflict, conflict_why = u.conflict_why, hops = u.hops,
           lot = u.lot, expiry = u.expiry, state = u.state, blocked = u.blocked, owner = u.owner, owner_sure = u.owner_sure, holder = u.holder,
           location = u.location, version = i.version + 1
      from unnest(u_item, u_last_time, u_last_event, u_parent, u_commissioned, u_conflict, u_conflict_why, u_hops, u_lot, u_expiry, u_state, u_blocked, u_owner,
                  u_owner_sure, u_holder, u_location)
           as u (item, last_time, last_event, parent, commissioned, conflict, conflict_why, hops, lot, expiry, state, blocked, owner, owner_sure, holder, location)
     where i.chain_id = p_chain and i.id = u.item and u.item <= head.items;
    get diagnostics moved = row_count;
    if moved + fresh <> cardinality(u_item) then
      raise exception 'the batch is wrong: items' using errcode = 'CU001';
    end if;
  end if;

  delete from hop h using unnest(k_item, k_keep) as k (item, keep) where h.chain_id = p_chain and h.item = k.item and h.n > k.keep;
  insert into hop (chain_id, item, n, event, at, from_owner, to_owner)
  select p_chain, u.item, u.n, u.event, u.at, u.from_owner, u.to_owner
    from unnest(h_item, h_n, h_event, h_at, h_from, h_to) as u (item, n, event, at, from_owner, to_owner);
  if exists (
    select from unnest(h_item, h_n, h_at, h_from) as u (item, n, at, from_owner)
     where u.n > 1 and (select p.to_owner = u.from_owner and p.at <= u.at from hop p
                         where p.chain_id = p_chain and p.item = u.item and p.n = u.n - 1) is not true) then
    raise exception 'the batch is wrong: an owner has parted with what another holds' using errcode = 'CU001', constraint = 'hop_follows';
  end if;
  -- The owner is where the last hop went, and no hop follows that. What the
  -- batch brings itself is not looked up again.
  if exists (
    select from unnest(u_item, u_hops, u_owner) as u (item, hops, owner)
     where u.hops > 0 and (u.item, u.hops, u.owner) not in (select h.item, h.n, h.to_owner from unnest(h_item, h_n, h_to) as h (item, n, to_owner))
       and (select h.to_owner from hop h where h.chain_id = p_chain and h.item = u.item and h.n = u.hops) is distinct from u.owner)
     or exists (
    select from (select h.item, max(h.n) as n from unnest(h_item, h_n) as h (item, n) group by h.item) h
     where (h.item, h.n) not in (select u.item, u.hops from unnest(u_item, u_hops) as u (item, hops)))
     or exists (
    select from (select unnest(h_item) as item union select unnest(k_item)) m
     where m.item <= head.items
       and (select i.hops from item i where i.chain_id = p_chain and i.id = m.item)
           is distinct from (select coalesce(max(h.n), 0) from hop h where h.chain_id = p_chain and h.item = m.item)) then
    raise exception 'the batch is wrong: the owner is not where the last hop went' using errcode = 'CU001', constraint = 'item_owner_is_last_hop';
  end if;
  perform leave();
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function custody.reserve(p_tenant uuid, p_saga text, p_seller text, p_items bigint[])
  returns setof bigint
  language plpgsql security definer
  set search_path = custody, pg_temp
  set enable_bitmapscan = off
  set enable_seqscan = off as $$
#variable_conflict use_column
declare
  c integer;
begin
  if p_tenant is distinct from app.current_tenant() then
    raise exception 'the tenant is not the session''s' using errcode = '42501';
  end if;
  select id into c from chain where tenant_id = p_tenant;
  perform set_config('custody.door', 'open', true), set_config('custody.chain', c::text, true);
  insert into reservation (chain_id, item, saga_id, seller)
  select c, u.item, p_saga, p_seller from unnest(p_items) as u (item)
   where (select true from item i where i.chain_id = c and i.id = u.item)
   order by u.item
  on conflict on constraint reservation_once do nothing;
  perform leave();
  return query
    select u.item from unnest(p_items) as u (item)
     where (select r.saga_id from reservation r where r.chain_id = c and r.item = u.item) is distinct from p_saga
     order by u.item;
end $$;
-- +goose StatementEnd
reset role;
