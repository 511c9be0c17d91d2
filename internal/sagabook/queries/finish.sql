-- Ends the saga unless an operation is open. A do that no undo has settled has
-- none by design; abandoning it keeps a late attempt from acting.
-- name: Finish :one
with held as (
  select s.*,
         exists (select from app.saga_step o
                  where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.finished_at is null
                    and (o.op = 'undo' or @status::text = 'completed')) as unsettled
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
), moved as (
  update app.saga s
     set status = @status::text,
         failure = coalesce(sqlc.narg('failure')::jsonb, s.failure),
         version = s.version + 1,
         updated_at = clock_timestamp(),
         finished_at = clock_timestamp()
    from held
   where s.tenant_id = held.tenant_id and s.id = held.id
     and held.finished_at is null and not held.unsettled
  returning s.tenant_id, s.id
), abandoned as (
  update app.saga_step o
     set status = 'abandoned', finished_at = clock_timestamp()
    from moved
   where o.tenant_id = moved.tenant_id and o.saga_id = moved.id and o.op = 'do' and o.finished_at is null
)
select held.status,
       (held.finished_at is not null)::boolean as finished,
       held.unsettled::boolean as unsettled
  from held;
