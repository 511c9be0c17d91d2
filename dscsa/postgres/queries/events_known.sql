-- Events of the same content or under the same id.
select seq, hash, event_id, declared from custody.event where chain_id = $1 and hash = any($2)
union
select seq, hash, event_id, declared from custody.event where chain_id = $1 and event_id = any($3)
