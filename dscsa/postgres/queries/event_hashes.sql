-- What the events of some ids say.
select e.event_id, e.hash from custody.event e where e.chain_id = $1 and e.event_id = any ($2) and not e.declared
