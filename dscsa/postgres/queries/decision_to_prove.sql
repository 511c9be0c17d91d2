-- A decision with its entry and the chain's hash before it.
select d.kind, d.actor, d.reason, d.body, n.recorded_at, n.kind, n.content,
       case when $2::bigint = 1 then (select c.genesis from custody.chain c where c.id = $1)
            else (select b.hash from custody.entry b where b.chain_id = $1 and b.seq = $2 - 1) end
  from custody.decision d join custody.entry n on n.chain_id = $1 and n.seq = $2::bigint
 where d.chain_id = $1 and d.seq = $2::bigint
