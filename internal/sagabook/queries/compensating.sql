-- Shows that the saga is being undone. The first failure stands.
-- name: Compensating :one
with moved as (
  update app.saga s
     set status = 'compensating',
         failure = coalesce(s.failure, sqlc.narg('failure')::jsonb),
         version = s.version + 1,
         updated_at = clock_timestamp()
   where s.tenant_id = @tenant_id and s.id = @saga_id
     and s.finished_at is null
     and (s.status <> 'compensating' or s.failure is null and sqlc.narg('failure')::jsonb is not null)
)
select s.status from app.saga s where s.tenant_id = @tenant_id and s.id = @saga_id;
