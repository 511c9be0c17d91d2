-- Another person's word, once and in time: what it came to.
-- name: Decide :one
select app.decide(@tenant_id, @key_id, @secret_sha256, @id, @decision)::text as outcome;
