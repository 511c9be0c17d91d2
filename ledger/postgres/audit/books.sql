-- Every book with its head, as the database says.
select id, tenant_id, entity, genesis, seq, hash, recorded_at from ledger.book order by id
