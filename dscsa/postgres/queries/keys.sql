select id, key from custody.item where chain_id = $1 and id = any($2)
