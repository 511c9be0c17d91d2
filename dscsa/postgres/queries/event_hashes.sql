-- The events of some ids, and those of some contents.
select e.event_id, e.hash from custody.event e where e.chain_id = $1 and e.event_id = any ($2) and not e.declared
union
select e.event_id, e.hash from custody.event e where e.chain_id = $1 and e.hash = any ($3) and not e.declared
