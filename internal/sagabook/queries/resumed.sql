-- Takes a saga out of attention: back to compensating when it was being
-- undone, else to running.
-- name: Resumed :one
with moved as (
  update app.saga s
     set status = case
           when s.failure is not null
             or s.cancel_requested_at is not null and s.pivot_at is null
             or exists (select from app.saga_step u
                         where u.tenant_id = s.tenant_id and u.saga_id = s.id and u.op = 'undo')
           then 'compensating' else 'running' end,
         version = s.version + 1,
         updated_at = clock_timestamp()
   where s.tenant_id = @tenant_id and s.id = @saga_id and s.status = 'attention'
)
select s.status from app.saga s where s.tenant_id = @tenant_id and s.id = @saga_id;
