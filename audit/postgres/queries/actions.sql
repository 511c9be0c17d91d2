-- A page of a log, newest first, below a sequence.
-- name: Actions :many
select seq, recorded_at, actor, role, operation, path, request_id, remote, status, request, answer
  from audit.action
 where chain_id = @chain_id and seq < @below
 order by seq desc limit @most;
