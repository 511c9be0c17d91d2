-- What some items are in now, at any height.
with recursive above as (
  select i.parent as id from unnest($2::bigint[]) as k (id)
   cross join lateral (select parent from custody.item where chain_id = $1 and id = k.id and parent is not null offset 0) i
  union
  select i.parent from above o
   cross join lateral (select parent from custody.item where chain_id = $1 and id = o.id and parent is not null offset 0) i
)
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from above o
 cross join lateral (
   select id, key, gtin, serial, lot, expiry, state, commissioned, blocked, conflict, conflict_why, owner, owner_sure, holder, location, parent,
          last_time, last_event, hops, version
     from custody.item where chain_id = $1 and id = o.id offset 0) i
