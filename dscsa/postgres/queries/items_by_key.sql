-- Items by their keys, as they stand. Here and wherever many are asked for, each
-- is looked up by itself: asked as "any of these", a planner that believes the
-- tables small reads all the tenant has.
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from unnest($2::text[]) as k (key)
 cross join lateral (
   select id, key, gtin, serial, lot, expiry, state, commissioned, blocked, conflict, conflict_why, owner, owner_sure, holder, location, parent,
          last_time, last_event, hops, version
     from custody.item where chain_id = $1 and key = k.key offset 0) i
