-- What one person proposes: 'proposed', or why not.
-- name: Propose :one
select app.propose(@tenant_id, @key_id, @secret_sha256, @id, @action, @subject, @payload, @reason, sqlc.narg(ticket)::text)::text as outcome;
