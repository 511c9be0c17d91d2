-- Ends an operation. The first column tells where the row stood before; only
-- a running one (or an undo in attention) has moved.
-- name: Settle :one
with mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
), wrote as (
  update app.saga_step o
     set status = @status,
         result = case when sqlc.narg('result')::jsonb is null then o.result
                       when jsonb_typeof(o.result) = 'object' and jsonb_typeof(sqlc.narg('result')::jsonb) = 'object'
                       then o.result || sqlc.narg('result')::jsonb
                       else sqlc.narg('result')::jsonb end,
         failure = sqlc.narg('failure')::jsonb,
         finished_at = clock_timestamp()
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
     and o.finished_at is null
  returning o.tenant_id, o.saga_id
), moved as (
  update app.saga s
     set version = s.version + 1, updated_at = clock_timestamp()
    from wrote
   where s.tenant_id = wrote.tenant_id and s.id = wrote.saga_id
)
select mine.status, (mine.finished_at is null)::boolean as moved from mine;
