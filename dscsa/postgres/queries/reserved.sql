-- What a saga has reserved; each item looked up by itself.
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from custody.reservation r
 cross join lateral (select * from custody.item where chain_id = $1 and id = r.item offset 0) i
 where r.chain_id = $1 and r.saga_id = $2
 order by i.id
