-- Keeps the answer of a key, byte for byte.
-- name: FinishOnce :exec
update app.idempotency
   set state = 'done', lease_until = null, status = @status, headers = @headers, body = @body
 where tenant_id = @tenant_id and key = @key;
