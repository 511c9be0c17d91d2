-- One approval.
-- name: Approval :one
select id, action, subject, payload, reason, maker, made_at, checker, decision, decided_at, expires_at, consumed_at
  from app.approval
 where tenant_id = @tenant_id and id = @id;
