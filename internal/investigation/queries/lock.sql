-- The head of the tenant's chain, for this transaction alone.
select seq from custody.lock_chain($1)
