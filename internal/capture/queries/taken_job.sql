-- The job that took these bytes.
-- name: TakenJob :one
select j.* from custody.capture_job j where j.tenant_id = @tenant_id and j.sha256 = @sha256 and j.document is not null;
