select custody.place_hold($1, $2, $3, $4, $5, $6, $7)
