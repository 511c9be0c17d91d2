select root from audit.tile where chain_id = $1 and level = $2 and index >= $3 and index < $4 order by index
