-- The tenant's chain, to read.
select id, seq, hash, items, recorded_at from custody.chain where tenant_id = $1
