-- Settles an operation that people did themselves, on an approval that names
-- this saga and this step and whose approvers still could, and uses it up.
-- name: ResolveByHand :one
with mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
), used as (
  update app.approval a
     set consumed_at = clock_timestamp()
    from mine
   where a.tenant_id = @tenant_id and a.id = @approval_id
     and a.action = 'saga.resolve' and a.subject = @saga_id
     and a.decision = 'approved' and a.consumed_at is null and a.expires_at > clock_timestamp()
     and a.payload ->> 'action' = 'done_by_hand' and a.payload ->> 'step' = @step
     and mine.finished_at is null
     and app.approvers_hold(a.tenant_id, a.id)
  returning a.id
), wrote as (
  update app.saga_step o
     set status = 'succeeded',
         result = case when jsonb_typeof(o.result) = 'object' then o.result else '{}' end
                  || jsonb_build_object('by_hand', used.id),
         failure = null,
         finished_at = clock_timestamp()
    from used
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = @op
  returning o.tenant_id, o.saga_id
), moved as (
  update app.saga s
     set version = s.version + 1, updated_at = clock_timestamp()
    from wrote
   where s.tenant_id = wrote.tenant_id and s.id = wrote.saga_id
)
select mine.status,
       (mine.finished_at is not null)::boolean as settled,
       coalesce(mine.result ->> 'by_hand', '')::text as by_hand,
       exists (select from wrote)::boolean as moved
  from mine;
