-- The newest approvals, undecided first.
-- name: Approvals :many
select id, action, subject, payload, reason, maker, made_at, checker, decision, decided_at, expires_at, consumed_at
  from app.approval
 where tenant_id = @tenant_id
 order by (decision is null) desc, made_at desc, id
 limit 100;
