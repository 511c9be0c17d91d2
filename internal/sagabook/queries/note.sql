-- Adds to what a running operation knows. Objects are merged, so that nothing
-- noted is lost; the first column tells where the row stood.
-- name: Note :one
with mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
), wrote as (
  update app.saga_step o
     set result = case when jsonb_typeof(o.result) = 'object' and jsonb_typeof(@result::jsonb) = 'object'
                       then o.result || @result::jsonb else @result::jsonb end
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
     and o.status = 'running'
)
select mine.status from mine;
