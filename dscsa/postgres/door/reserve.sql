select custody.reserve($1, $2, $3, $4)
