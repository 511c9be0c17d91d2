-- What is in some items now, at any depth. Nothing is in itself; the union
-- ends it if it were.
with recursive inside as (
  select i.id from custody.item i where i.chain_id = $1 and i.parent = any($2)
  union
  select i.id from inside o join custody.item i on i.chain_id = $1 and i.parent = o.id
)
select i.id, i.key, i.gtin, i.serial, i.lot, i.expiry, i.state, i.commissioned, i.blocked, i.conflict, i.conflict_why, i.owner, i.owner_sure,
       i.holder, i.location, i.parent, i.last_time, i.last_event, i.hops, i.version
  from inside o join custody.item i on i.chain_id = $1 and i.id = o.id
