-- Is this step of the saga one that people have to decide about? No row: there
-- is no such saga.
-- name: Attention :one
select (s.status = 'attention')::boolean as attention,
       exists (select from app.saga_step o where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = @step
                  and o.status in ('running', 'attention'))::boolean as open
  from app.saga s
 where s.tenant_id = @tenant_id and s.id = @saga_id;
