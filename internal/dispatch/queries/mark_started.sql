-- name: MarkStarted :exec
update app.saga
   set started_at = clock_timestamp()
 where tenant_id = @tenant_id and id = @saga_id and started_at is null;
