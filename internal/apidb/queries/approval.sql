-- One approval with what has been said about it.
-- name: Approval :one
select a.id, a.action, a.subject, a.payload, a.payload_sha256, a.reason, a.ticket, a.maker, a.made_at, a.amount, a.currency, a.needed,
       a.checker, a.decision, a.decided_at, a.expires_at, a.consumed_at,
       coalesce((select jsonb_agg(jsonb_build_object('checker', d.checker, 'role', d.role, 'decision', d.decision, 'decided_at', d.decided_at)
                                  order by d.decided_at)
                   from app.approval_decision d where d.tenant_id = a.tenant_id and d.approval_id = a.id), '[]')::jsonb as decisions
  from app.approval a
 where a.tenant_id = @tenant_id and a.id = @id;
