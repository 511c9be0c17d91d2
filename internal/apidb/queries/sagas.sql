-- A page of sagas, newest first, after the one the cursor names.
-- name: Sagas :many
select s.id, s.type, s.status, s.order_ref, s.amount, s.currency, s.failure, s.version, s.metadata, s.created_at, s.updated_at,
       coalesce((select jsonb_agg(jsonb_build_object('step', o.step, 'op', o.op, 'ordinal', o.ordinal, 'status', o.status,
                                  'attempt', o.attempt, 'started_at', o.started_at, 'finished_at', o.finished_at, 'failure', o.failure)
                                  order by o.op, case o.op when 'do' then o.ordinal end, o.started_at)
                   from app.saga_step o where o.tenant_id = s.tenant_id and o.saga_id = s.id), '[]')::jsonb as steps
  from app.saga s
 where s.tenant_id = @tenant_id
   and (sqlc.narg('status')::text is null or s.status = sqlc.narg('status'))
   and (sqlc.narg('type')::text is null or s.type = sqlc.narg('type'))
   and (sqlc.narg('order_ref')::text is null or s.order_ref = sqlc.narg('order_ref'))
   and (sqlc.narg('created_from')::timestamptz is null or s.created_at >= sqlc.narg('created_from'))
   and (sqlc.narg('created_before')::timestamptz is null or s.created_at < sqlc.narg('created_before'))
   and (sqlc.narg('after_id')::text is null
        or (s.created_at, s.id) < (sqlc.narg('after_at')::timestamptz, sqlc.narg('after_id')::text))
 order by s.created_at desc, s.id desc
 limit @at_most;
