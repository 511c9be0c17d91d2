-- Actions in order, after a sequence.
-- name: VerifyActions :many
select seq, recorded_at, actor, role, operation, path, request_id, remote, status, request, answer, hash
  from audit.action
 where chain_id = @chain_id and seq > @after
 order by seq limit 2000;
