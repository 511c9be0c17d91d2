-- When and where items came to be: their first event of that kind. The first
-- event of an item is kept with it, the others that name it beside.
-- name: Made :many
with named as (
  select x.item, x.event from custody.event_item x
   where x.chain_id = @chain_id and x.item = any (@items::bigint[]) and x.role = 0
  union
  select i.id, i.first_event from custody.item i
   where i.chain_id = @chain_id and i.id = any (@items::bigint[])
)
select distinct on (named.item) named.item, e.event_time, e.read_point
  from named
  join custody.event e on e.chain_id = @chain_id and e.seq = named.event
 where e.type = 'ObjectEvent' and e.action = 'ADD' and not e.declared
 order by named.item, e.event_time, e.seq;
