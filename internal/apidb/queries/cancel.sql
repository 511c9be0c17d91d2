-- The client's wish to cancel, kept only while the saga is not past its pivot.
-- No row: there is no such saga. A repeated wish changes nothing.
-- name: Cancel :one
with held as (
  select s.tenant_id, s.id, s.pivot_at is not null as pivot_passed, s.finished_at is not null as ended,
         s.cancel_requested_at is not null as asked
    from app.saga s
   where s.tenant_id = @tenant_id and s.id = @saga_id
     for update
), asked as (
  update app.saga s
     set cancel_requested_at = clock_timestamp(), cancel_reason = @reason, version = s.version + 1, updated_at = clock_timestamp()
    from held
   where s.tenant_id = held.tenant_id and s.id = held.id
     and not held.pivot_passed and not held.ended and not held.asked
  returning s.tenant_id, s.id, s.version, s.status
), told as (
  insert into app.saga_event (tenant_id, saga_id, version, type, data)
  select tenant_id, id, version, 'saga.status', jsonb_build_object('status', status, 'cancel_requested', true) from asked
  returning tenant_id, saga_id
), woke as (
  select pg_notify('saga', tenant_id || ':' || saga_id) from told
)
select held.pivot_passed::boolean as pivot_passed, held.ended::boolean as ended, (select count(*) from woke) as woken from held;
