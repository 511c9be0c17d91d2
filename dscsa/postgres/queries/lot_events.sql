-- The events that commissioned something of a lot.
select members, outputs from custody.event where chain_id = $1 and lot = $2 and lot <> ''
