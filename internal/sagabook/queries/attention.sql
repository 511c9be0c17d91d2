-- Shows that an operation cannot go on without people: an undo by its status,
-- a do, which may still succeed by itself, by its failure.
-- name: Attention :one
with wrote as (
  update app.saga_step o
     set status = case o.op when 'undo' then 'attention' else o.status end,
         failure = @failure::jsonb
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
     and o.finished_at is null
  returning o.tenant_id, o.saga_id
), moved as (
  update app.saga s
     set status = 'attention', version = s.version + 1, updated_at = clock_timestamp()
   where s.tenant_id = @tenant_id and s.id = @saga_id
     and s.finished_at is null
     and (s.status <> 'attention'
          or exists (select from app.saga_step o
                      where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
                        and o.finished_at is null and o.failure is distinct from @failure::jsonb))
     and not exists (select from app.saga_step o
                      where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
                        and o.finished_at is not null)
)
select s.status from app.saga s where s.tenant_id = @tenant_id and s.id = @saga_id;
