-- The head of the tenant's chain, locked.
select id, seq, hash, items, at from custody.lock_chain($1)
