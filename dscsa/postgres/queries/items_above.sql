-- What some items are in now, at any height.
with recursive above as (
  select i.parent as id from custody.item i where i.chain_id = $1 and i.id = any($2) and i.parent is not null
  union
  select i.parent from above o join custody.item i on i.chain_id = $1 and i.id = o.id where i.parent is not null
)
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from above o join custody.item i on i.chain_id = $1 and i.id = o.id
