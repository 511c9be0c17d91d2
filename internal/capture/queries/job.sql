-- A job; one of a key alone when it is given.
-- name: Job :one
select j.* from custody.capture_job j
 where j.tenant_id = @tenant_id and j.id = @id and (sqlc.narg('of_key')::text is null or j.credential = sqlc.narg('of_key'));
