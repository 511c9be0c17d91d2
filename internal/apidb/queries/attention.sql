-- Is this step of the saga one that people have to decide about? No row: there
-- is no such saga.
-- name: Attention :one
select (s.status = 'attention')::boolean as attention,
       exists (select from app.saga_step o where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = @step
                  and o.status in ('running', 'attention'))::boolean as open,
       exists (select from app.approval a where a.tenant_id = s.tenant_id and a.action = 'saga.resolve' and a.subject = s.id
                  and a.decision is null and a.expires_at > clock_timestamp())::boolean as proposed
  from app.saga s
 where s.tenant_id = @tenant_id and s.id = @saga_id;
