-- name: MarkChecked :exec
update app.saga
   set checked_at = clock_timestamp()
 where tenant_id = @tenant_id and id = any(@saga_ids::text[]) and finished_at is null;
