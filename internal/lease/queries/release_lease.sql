-- name: ReleaseLease :exec
update app.lease set expires_at = '-infinity' where name = @name and holder = @holder;
