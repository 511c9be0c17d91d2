-- A page of what one actor did, newest first, below a sequence.
-- name: ActionsOf :many
select seq, recorded_at, actor, role, operation, path, request_id, remote, status, request, answer
  from audit.action
 where chain_id = @chain_id and actor = @actor and seq < @below
 order by seq desc limit @most;
