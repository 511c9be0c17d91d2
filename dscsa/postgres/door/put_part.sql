select custody.put_part($1, $2, $3, $4, $5)
