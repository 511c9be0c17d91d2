select item, n, from_owner, to_owner, at, event from custody.hop where chain_id = $1 and item = any($2) order by item, n
