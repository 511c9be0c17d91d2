-- The tenant's chain of custody.
-- name: Chain :one
select c.id from custody.chain c where c.tenant_id = @tenant_id;
