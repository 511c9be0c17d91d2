-- Records what two people decided about an order that was held.
-- name: AddReview :exec
insert into custody.review (tenant_id, saga_id, decision, reason, approval_id)
values (@tenant_id, @saga_id, @decision, @reason, @approval_id);
