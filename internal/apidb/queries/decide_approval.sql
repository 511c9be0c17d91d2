-- The second person's decision, once and in time. The constraint
-- approval_two_people refuses the first person's.
-- name: DecideApproval :execrows
update app.approval
   set checker = @checker::text, decision = @decision::text, decided_at = @decided_at::timestamptz
 where tenant_id = @tenant_id and id = @id and decision is null and expires_at > @decided_at::timestamptz;
