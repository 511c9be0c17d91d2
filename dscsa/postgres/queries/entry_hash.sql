select hash from custody.entry where chain_id = $1 and seq = $2
