-- What people decided about an order that was held.
-- name: Review :one
select r.decision, r.reason, r.approval_id, r.decided_at from custody.review r where r.tenant_id = @tenant_id and r.saga_id = @saga_id;
