-- Items by their numbers, as they stand.
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from unnest($2::bigint[]) as k (id)
 cross join lateral (
   select id, key, gtin, serial, lot, expiry, state, commissioned, blocked, conflict, conflict_why, owner, owner_sure, holder, location, parent,
          last_time, last_event, hops, version
     from custody.item where chain_id = $1 and id = k.id offset 0) i
