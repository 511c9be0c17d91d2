-- Accepts an order: the key with its answer, the saga, its first event and the
-- action in the audit log, or nothing of it. Not accepted means that the key was used before.
-- name: Accept :one
with fresh as (
  insert into app.idempotency (tenant_id, key, fingerprint, state, saga_id, request_id, status, headers, body, created_at, expires_at)
  values (@tenant_id, @key, @fingerprint, 'done', @saga_id, @request_id, @status, @headers, @body, @created_at, @expires_at)
  on conflict on constraint idempotency_pkey do nothing
  returning tenant_id
), accepted as (
  insert into app.saga (tenant_id, id, type, order_ref, amount, currency, request, plan, metadata, created_by, created_at, updated_at)
  select fresh.tenant_id, @saga_id, @type, @order_ref, @amount, @currency, @request, @plan, @metadata, @created_by, @created_at, @created_at
    from fresh
  returning tenant_id, id, version, status
), told as (
  insert into app.saga_event (tenant_id, saga_id, version, type, data)
  select tenant_id, id, version, 'saga.created', jsonb_build_object('status', status) from accepted
)
select ((select audit.append(a.tenant_id, @created_by, @role, @operation, @path, @request_id, @remote, @status, @fingerprint, sha256(@body))
           from accepted a) is not null)::boolean as accepted;
