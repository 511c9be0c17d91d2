-- An event with its entry and the chain's hash before it.
select e.event_id, e.document, e.ordinal, e.hash, e.body, n.recorded_at, n.kind, n.content,
       case when $2::bigint = 1 then (select c.genesis from custody.chain c where c.id = $1)
            else (select b.hash from custody.entry b where b.chain_id = $1 and b.seq = $2 - 1) end
  from custody.event e join custody.entry n on n.chain_id = $1 and n.seq = $2::bigint
 where e.chain_id = $1 and e.seq = $2::bigint
