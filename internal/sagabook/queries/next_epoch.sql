-- A new key for a running operation. Asked again after a lost answer it skips
-- an epoch nobody used, which is as good.
-- name: NextEpoch :one
with mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
), wrote as (
  update app.saga_step o
     set epoch = o.epoch + 1
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
     and o.status = 'running'
  returning o.epoch
)
select mine.status, coalesce((select wrote.epoch from wrote), mine.epoch)::integer as epoch from mine;
