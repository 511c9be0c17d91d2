-- Whose custody there is.
select tenant_id from custody.chain order by id
