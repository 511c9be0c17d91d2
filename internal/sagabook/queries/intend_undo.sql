-- Second half of the intent to undo a step, after AbandonDo: there is a do row
-- and it is settled.
-- name: IntendUndo :one
with held as (
  select s.*
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
), did as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = 'do'
), mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = 'undo'
), verdict as (
  select case
           when mine.finished_at is not null then 'settled'
           when held.finished_at is not null then 'finished'
           when did.status = 'refused' then 'nothing_to_undo'
           when did.status = 'abandoned' and did.failure ->> 'code' = 'never_started' then 'nothing_to_undo'
           else 'proceed'
         end as word
    from held left join did on true left join mine on true
), wrote as (
  insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status, finished_at)
  select held.tenant_id, held.id, @step, 'undo', @ordinal,
         case verdict.word when 'proceed' then 'running' else 'skipped' end,
         case verdict.word when 'proceed' then null else clock_timestamp() end
    from held, verdict
   where verdict.word in ('proceed', 'nothing_to_undo')
  on conflict on constraint saga_step_pkey
    do update set status = excluded.status, finished_at = excluded.finished_at,
                  attempt = saga_step.attempt + 1, failure = null
  returning *
), moved as (
  update app.saga s
     set version = s.version + 1, updated_at = clock_timestamp()
    from wrote
   where s.tenant_id = wrote.tenant_id and s.id = wrote.saga_id
)
select verdict.word::text as verdict,
       coalesce((select to_jsonb(wrote) from wrote), (select to_jsonb(mine) from mine), '{}')::jsonb as record,
       coalesce((select jsonb_object_agg(d.step, to_jsonb(d))
                   from app.saga_step d
                  where d.tenant_id = held.tenant_id and d.saga_id = held.id and d.op = 'do'), '{}')::jsonb as done,
       held.type, held.order_ref, held.amount, held.currency, held.request
  from held, verdict;
