-- When and where items came to be: their first event of that kind.
-- name: Made :many
select distinct on (x.item) x.item, e.event_time, e.read_point
  from custody.event_item x
  join custody.event e on e.chain_id = x.chain_id and e.seq = x.event
 where x.chain_id = @chain_id and x.item = any (@items::bigint[]) and x.role = 0
   and e.type = 'ObjectEvent' and e.action = 'ADD' and not e.declared
 order by x.item, e.event_time, e.seq;
