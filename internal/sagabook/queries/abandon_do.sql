-- First half of the intent to undo a step: from here on a late do is refused.
-- A do whose outcome is unknown keeps what it noted; a do that was never
-- intended is put on record as such.
-- name: AbandonDo :exec
with wrote as (
  insert into app.saga_step as o (tenant_id, saga_id, step, op, ordinal, status, failure, finished_at)
  select s.tenant_id, s.id, @step, 'do', @ordinal, 'abandoned',
         '{"code": "never_started", "message": "The step was undone before it began."}', clock_timestamp()
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
     and s.finished_at is null
     and not exists (select from app.saga_step u
                      where u.tenant_id = s.tenant_id and u.saga_id = s.id and u.step = @step
                        and u.op = 'undo' and u.finished_at is not null)
  on conflict on constraint saga_step_pkey
    do update set status = 'abandoned', failure = null, finished_at = clock_timestamp()
        where o.status = 'running'
  returning tenant_id, saga_id
)
update app.saga s
   set version = s.version + 1, updated_at = clock_timestamp()
  from wrote
 where s.tenant_id = wrote.tenant_id and s.id = wrote.saga_id;
