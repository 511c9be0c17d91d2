-- The tenant's chain, to read; planned as under lock.sql.
select id, seq, hash, items, recorded_at from custody.chain
 where tenant_id = $1 and set_config('plan_cache_mode', 'force_custom_plan', true) is not null
