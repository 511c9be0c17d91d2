select custody.retain($1, $2, $3, $4, $5)
