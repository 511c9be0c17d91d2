-- Is the saga still open? No row: it does not exist in this tenant.
-- name: Open :one
select (finished_at is null)::boolean as open from app.saga where tenant_id = @tenant_id and id = @saga_id;
