-- The newest version of a saga and whether it has ended.
-- name: SagaVersion :one
select version, (finished_at is not null)::boolean as ended from app.saga where tenant_id = @tenant_id and id = @saga_id;
