select seller from custody.reservation where chain_id = $1 and saga_id = $2 limit 1
