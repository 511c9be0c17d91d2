-- What one person proposes.
-- name: PutApproval :exec
insert into app.approval (tenant_id, id, action, subject, payload, payload_sha256, reason, maker, made_at, expires_at)
values (@tenant_id, @id, @action, @subject, @payload, @payload_sha256, @reason, @maker, @made_at, @expires_at);
