-- When things were commissioned and decommissioned last, by events that are not
-- declared errors.
select i.id,
       (select e.event_time from custody.event e where e.chain_id = i.chain_id and e.seq = i.commissioned),
       (select max(e.event_time)
          from custody.event_item x
          join custody.event e on e.chain_id = x.chain_id and e.seq = x.event
         where x.chain_id = i.chain_id and x.item = i.id and x.role = 0 and e.type = 'ObjectEvent' and e.action = 'DELETE' and not e.declared)
  from custody.item i
 where i.chain_id = $1 and i.id = any ($2)
