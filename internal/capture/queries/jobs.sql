-- Newest first, from after a job; the largest id is the beginning.
-- name: Jobs :many
select j.* from custody.capture_job j
 where j.tenant_id = @tenant_id and j.id < @after
 order by j.id desc
 limit @n;
