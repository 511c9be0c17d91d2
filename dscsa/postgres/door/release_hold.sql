select custody.release_hold($1, $2, $3, $4)
