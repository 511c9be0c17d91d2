select hashes from audit.tile where chain_id = $1 and level = $2 and index = $3
