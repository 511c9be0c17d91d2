-- Takes an idempotency key for the transaction that works under it. No row:
-- it was used before.
-- name: BeginOnce :one
insert into app.idempotency (tenant_id, key, fingerprint, state, lease_until, request_id, created_at, expires_at)
values (@tenant_id, @key, @fingerprint, 'started', clock_timestamp() + interval '30 seconds', @request_id, @created_at, @expires_at)
on conflict on constraint idempotency_pkey do nothing
returning key;
