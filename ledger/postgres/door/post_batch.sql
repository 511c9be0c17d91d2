-- The door. Written by hand in Go: see wire.go.
select ledger.post_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
