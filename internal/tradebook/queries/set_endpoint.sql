-- Says where a company takes documents.
-- name: SetEndpoint :exec
update custody.partner set t3_endpoint = sqlc.narg('t3_endpoint') where tenant_id = @tenant_id and id = @id;
