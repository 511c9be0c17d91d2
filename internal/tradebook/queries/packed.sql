-- When and where containers were packed last.
-- name: Packed :many
select distinct on (x.item) x.item, e.event_time, e.read_point
  from custody.event_item x
  join custody.event e on e.chain_id = x.chain_id and e.seq = x.event
 where x.chain_id = @chain_id and x.item = any (@items::bigint[]) and x.role = 1
   and e.type = 'AggregationEvent' and e.action = 'ADD' and not e.declared
 order by x.item, e.event_time desc, e.seq desc;
