-- Redeems a ticket once. No row: unknown, used or too old.
-- name: RedeemTicket :one
select t.tenant_id::uuid as tenant_id, t.saga_id::text as saga_id, t.key_id::text as key_id
  from app.redeem_stream_ticket(@token_sha256) as t;
