-- Checkpoints of a chain after a size, with what witnesses added.
select c.size, c.root, c.signed, coalesce((select string_agg(s.line, '' order by s.witness) from audit.cosignature s where s.chain_id = c.chain_id and s.size = c.size), '')
  from audit.checkpoint c
 where c.chain_id = $1 and c.size > $2
 order by c.size
 limit 500
