-- What a saga has reserved.
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from custody.reservation r join custody.item i on i.chain_id = $1 and i.id = r.item
 where r.chain_id = $1 and r.saga_id = $2
 order by i.id
