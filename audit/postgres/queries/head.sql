-- Where a log says it stands.
-- name: Head :one
select seq, hash from audit.chain where id = @id;
