-- Items in order, as they stand.
select id, key, gtin, serial, lot, expiry, state, commissioned, blocked, conflict, conflict_why, owner, owner_sure, holder, location, parent,
       last_time, last_event, hops, version
  from custody.item where chain_id = $1 and id > $2 order by id limit $3
