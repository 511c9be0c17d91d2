-- Keeps the answer of a key, byte for byte, and appends what was done to the
-- audit log.
-- name: FinishOnce :one
with done as (
  update app.idempotency
     set state = 'done', lease_until = null, status = @status, headers = @headers, body = @body
   where tenant_id = @tenant_id and key = @key
  returning tenant_id, request_id, fingerprint
)
select audit.append(d.tenant_id, @actor, @role, @operation, @path, d.request_id, @remote, @status, d.fingerprint, sha256(@body))::bigint as seq from done d;
