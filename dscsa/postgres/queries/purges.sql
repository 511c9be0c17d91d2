-- Orders to purge, newest first, from before one; or one of them.
select o.id, o.before, o.up_to, o.reached, o.documents, o.bytes, o.done, n.recorded_at, c.actor, c.reason, c.body
  from custody.purge_order o
  join custody.entry n on n.chain_id = $1 and n.seq = o.id
  join custody.decision c on c.chain_id = $1 and c.seq = o.id
 where o.chain_id = $1 and o.id < $2 and ($3::bigint is null or o.id = $3)
 order by o.id desc
 limit $4
