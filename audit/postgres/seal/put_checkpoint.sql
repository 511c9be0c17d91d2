-- Tenant, chain, size of the checkpoint before, size, root, note; then the tiles
-- that became full: levels, indexes, roots, hashes.
select audit.put_checkpoint($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
