-- When and where containers were packed last.
-- name: Packed :many
with named as (
  select x.item, x.event from custody.event_item x
   where x.chain_id = @chain_id and x.item = any (@items::bigint[]) and x.role = 1
  union
  select i.id, i.first_event from custody.item i
   where i.chain_id = @chain_id and i.id = any (@items::bigint[])
)
select distinct on (named.item) named.item, e.event_time, e.read_point
  from named
  join custody.event e on e.chain_id = @chain_id and e.seq = named.event and e.parent = named.item
 where e.type = 'AggregationEvent' and e.action = 'ADD' and not e.declared
 order by named.item, e.event_time desc, e.seq desc;
