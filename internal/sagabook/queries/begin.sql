-- Takes the saga for a Temporal run. Another run than the one on record means
-- that one was lost: before the pivot the saga is then cancelled. A run that
-- asks again gets its first answer again.
-- name: Begin :one
with held as (
  select s.*,
         s.run_id is not null and s.run_id <> @run_id::text as lost,
         s.run_id is not null and s.run_id <> @run_id::text
           and s.pivot_at is null and s.cancel_requested_at is null as cancel
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
), moved as (
  update app.saga s
     set status = case when s.status = 'pending' then 'running' else s.status end,
         started_at = coalesce(s.started_at, clock_timestamp()),
         run_id = @run_id::text,
         recoveries = s.recoveries + held.lost::integer,
         cancel_requested_at = case when held.cancel then clock_timestamp() else s.cancel_requested_at end,
         cancel_reason = case when held.cancel then 'workflow_lost' else s.cancel_reason end,
         version = s.version + (s.status = 'pending' or held.cancel)::integer,
         updated_at = case when s.status = 'pending' or held.cancel then clock_timestamp() else s.updated_at end
    from held
   where s.tenant_id = held.tenant_id and s.id = held.id
     and held.finished_at is null
     and (s.run_id is distinct from @run_id::text or s.status = 'pending')
)
select (case
          when held.finished_at is not null then 'finished'
          when (held.lost or held.recoveries > 0) and held.pivot_at is null then 'compensate'
          else 'forward'
        end)::text as mode,
       (held.pivot_at is not null)::boolean as pivot_passed,
       (held.lost or held.recoveries > 0)::boolean as recovery
  from held;
