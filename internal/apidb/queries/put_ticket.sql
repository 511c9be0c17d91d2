-- A ticket for one stream. No row: there is no such saga.
-- name: PutTicket :one
insert into app.stream_ticket (token_sha256, tenant_id, saga_id, key_id, expires_at)
select @token_sha256, s.tenant_id, s.id, @key_id, @expires_at
  from app.saga s
 where s.tenant_id = @tenant_id and s.id = @saga_id
returning saga_id;
