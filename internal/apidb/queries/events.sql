-- What happened to a saga after a version, in order.
-- name: Events :many
select version, type, data, created_at
  from app.saga_event
 where tenant_id = @tenant_id and saga_id = @saga_id and version > @after
 order by version
 limit @at_most;
