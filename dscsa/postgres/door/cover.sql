select custody.cover($1, $2, $3, $4, $5)
