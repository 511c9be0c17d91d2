-- Items by their keys, as they stand; each key looked up by itself.
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from unnest($2::text[]) as k (key)
 cross join lateral (select * from custody.item where chain_id = $1 and key = k.key offset 0) i
