-- The door as a transaction of its own: the tenant is set on the way in, and
-- holds until this statement has ended.
select ledger.post_batch(set_config('app.tenant', $1, true)::uuid, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
