-- When things were commissioned first and decommissioned last, by events that
-- are not declared errors.
select x.item,
       min(e.event_time) filter (where e.action = 'ADD'),
       max(e.event_time) filter (where e.action = 'DELETE')
  from custody.event_item x
  join custody.event e on e.chain_id = x.chain_id and e.seq = x.event
 where x.chain_id = $1 and x.item = any ($2) and x.role = 0 and e.type = 'ObjectEvent' and e.action in ('ADD', 'DELETE') and not e.declared
 group by x.item
