-- Whose audit log there is.
-- name: Chains :many
select id, tenant_id from audit.chain order by id;
