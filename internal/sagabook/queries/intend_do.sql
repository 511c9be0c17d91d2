-- The intent to do a step. A pivot's first intent passes the point of no
-- return; the cancel route's update (where pivot_at is null) is its opponent
-- and the row lock decides between them.
-- name: IntendDo :one
with held as (
  select s.*,
         s.cancel_requested_at is not null and s.pivot_at is null as cancelled,
         s.finished_at is not null
           or s.status = 'compensating'
           or s.status = 'attention' and s.failure is not null
           or exists (select from app.saga_step u
                       where u.tenant_id = s.tenant_id and u.saga_id = s.id and u.op = 'undo') as undoing
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
), mine as (
  select o.*
    from app.saga_step o
   where o.tenant_id = @tenant_id and o.saga_id = @saga_id and o.step = @step and o.op = 'do'
), verdict as (
  select case
           when mine.status = 'abandoned' then 'dangling'
           when mine.status is distinct from 'running' and mine.status is not null then 'settled'
           when held.finished_at is not null then 'dangling'
           when mine.status = 'running' and held.cancelled and @class::text = 'compensatable' then 'cancelled'
           when mine.status = 'running' then 'proceed'
           when held.undoing then 'dangling'
           when held.cancelled and @class::text in ('compensatable', 'pivot') then 'cancelled'
           else 'proceed'
         end as word
    from held left join mine on true
), wrote as (
  insert into app.saga_step (tenant_id, saga_id, step, op, ordinal, status)
  select held.tenant_id, held.id, @step, 'do', @ordinal, 'running'
    from held, verdict
   where verdict.word = 'proceed'
  on conflict on constraint saga_step_pkey
    do update set attempt = saga_step.attempt + 1, failure = null
  returning *
), moved as (
  update app.saga s
     set version = s.version + 1,
         updated_at = clock_timestamp(),
         pivot_at = case when @class::text = 'pivot' then coalesce(s.pivot_at, clock_timestamp()) else s.pivot_at end
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
