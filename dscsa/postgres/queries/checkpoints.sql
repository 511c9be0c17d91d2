-- Checkpoints of a chain, newest first, from before a size, with what witnesses
-- added.
select x.size, x.sealed_at,
       x.signed || coalesce((select string_agg(s.line, '' order by s.witness) from custody.cosignature s where s.chain_id = $1 and s.size = x.size), '')
  from custody.checkpoint x
 where x.chain_id = $1 and x.size < $2
 order by x.size desc
 limit $3
