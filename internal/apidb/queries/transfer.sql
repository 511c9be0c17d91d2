-- A transfer or return as the requests about it need it.
-- name: Transfer :one
select s.type, s.status, s.order_ref, s.amount, s.currency, s.request,
       exists (select from app.saga_step o
                where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = 'review' and o.op = 'do'
                  and o.status = 'running' and o.result ? 'held_since')::boolean as held,
       exists (select from app.saga_step o
                where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = 'ship' and o.op = 'do' and o.status = 'succeeded')::boolean as shipped,
       coalesce((select o.result ->> 'intent_id' from app.saga_step o
                  where o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = 'authorize' and o.op = 'do'), '')::text as intent_id
  from app.saga s
 where s.tenant_id = @tenant_id and s.id = @saga_id and s.type in ('transfer', 'return');
