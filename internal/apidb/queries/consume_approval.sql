-- Uses an approval up for the payload with this hash: 'consumed', or why not.
-- name: ConsumeApproval :one
select app.consume_approval(@tenant_id, @id, @action, @payload_sha256)::text as outcome;
