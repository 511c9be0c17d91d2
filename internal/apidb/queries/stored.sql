-- The first answer of a key. A key past its time counts as unused.
-- name: Stored :one
select fingerprint, state, request_id, coalesce(status, 0)::integer as status, coalesce(headers, '{}')::jsonb as headers,
       coalesce(body, '')::bytea as body, expires_at
  from app.idempotency
 where tenant_id = @tenant_id and key = @key;
