-- Newest first, from after a job; the largest id is the beginning. Those of a
-- key alone when it is given.
-- name: Jobs :many
select j.* from custody.capture_job j
 where j.tenant_id = @tenant_id and j.id < @after and (sqlc.narg('of_key')::text is null or j.credential = sqlc.narg('of_key'))
 order by j.id desc
 limit @n;
