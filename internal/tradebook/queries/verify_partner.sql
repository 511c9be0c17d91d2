-- Keeps that people have looked at the evidence of a company and which role it has.
-- name: VerifyPartner :one
update custody.partner
   set verified_at = clock_timestamp(), verified_by = @verified_by, role = @role, approval_id = @approval_id
 where tenant_id = @tenant_id and id = @id
returning id;
