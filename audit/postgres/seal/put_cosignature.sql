select audit.put_cosignature($1, $2, $3, $4, $5)
