select custody.put_legal_hold($1, $2, $3, $4, $5)
