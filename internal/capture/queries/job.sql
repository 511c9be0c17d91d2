-- name: Job :one
select j.* from custody.capture_job j where j.tenant_id = @tenant_id and j.id = @id;
