-- One saga with its operations.
-- name: Saga :one
select s.id, s.type, s.status, s.order_ref, s.amount, s.currency, s.failure, s.version, s.metadata, s.created_at, s.updated_at,
       coalesce((select jsonb_agg(jsonb_build_object('step', o.step, 'op', o.op, 'ordinal', o.ordinal, 'status', o.status,
                                  'attempt', o.attempt, 'started_at', o.started_at, 'finished_at', o.finished_at, 'failure', o.failure)
                                  order by o.op, case o.op when 'do' then o.ordinal end, o.started_at)
                   from app.saga_step o where o.tenant_id = s.tenant_id and o.saga_id = s.id), '[]')::jsonb as steps
  from app.saga s
 where s.tenant_id = @tenant_id and s.id = @saga_id;
