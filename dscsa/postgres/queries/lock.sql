-- The head of the tenant's chain, locked. What is read under it is planned for
-- what it is given: a plan that was made when the tables were small would scan
-- them for ever.
select id, seq, hash, items, at from custody.lock_chain($1) where set_config('plan_cache_mode', 'force_custom_plan', true) is not null
