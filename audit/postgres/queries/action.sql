-- One action with the hash before it; none before the first.
-- name: Action :one
select a.seq, a.recorded_at, a.actor, a.role, a.operation, a.path, a.request_id, a.remote, a.status, a.request, a.answer, a.hash, b.hash as before
  from audit.action a
  left join audit.action b on b.chain_id = a.chain_id and b.seq = a.seq - 1
 where a.chain_id = @chain_id and a.seq = @seq;
