-- A tenant's audit log. No row: nothing was done yet.
-- name: ChainOf :one
select id, seq from audit.chain where tenant_id = @tenant_id;
