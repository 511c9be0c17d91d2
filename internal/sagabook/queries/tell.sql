-- Tells the world of the saga's newest version, once: when the version has its
-- event already, nothing had changed and nothing is written or sent.
-- name: Tell :exec
with told as (
  insert into app.saga_event (tenant_id, saga_id, version, type, data)
  select s.tenant_id, s.id, s.version, @type,
         jsonb_strip_nulls(jsonb_build_object(
           'status', s.status,
           'failure', s.failure,
           'step', case when o.step is not null then jsonb_build_object(
             'name', o.step, 'op', o.op, 'status', o.status, 'attempt', o.attempt,
             'started_at', o.started_at, 'finished_at', o.finished_at, 'failure', o.failure) end))
    from app.saga s
    left join app.saga_step o
      on o.tenant_id = s.tenant_id and o.saga_id = s.id and o.step = @step and o.op = @op
   where s.tenant_id = @tenant_id and s.id = @saga_id
  on conflict on constraint saga_event_pkey do nothing
  returning tenant_id, saga_id
)
select pg_notify('saga', tenant_id || ':' || saga_id) from told;
