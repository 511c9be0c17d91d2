-- What is in some items now, at any depth. Nothing is in itself; the union
-- ends it if it were.
with recursive inside as (
  select i.id from unnest($2::bigint[]) as k (id)
   cross join lateral (select id from custody.item where chain_id = $1 and parent = k.id offset 0) i
  union
  select i.id from inside o
   cross join lateral (select id from custody.item where chain_id = $1 and parent = o.id offset 0) i
)
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from inside o
 cross join lateral (
   select id, key, gtin, serial, lot, expiry, state, commissioned, blocked, conflict, conflict_why, owner, owner_sure, holder, location, parent,
          last_time, last_event, hops, version
     from custody.item where chain_id = $1 and id = o.id offset 0) i
