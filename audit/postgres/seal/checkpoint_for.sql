-- The largest checkpoint of a chain that covers a sequence and a witness has
-- co-signed, or else the largest that covers it. No row: none does yet.
(select 1 as choice, x.size, x.sealed_at,
        x.signed || (select string_agg(s.line, '' order by s.witness) from audit.cosignature s where s.chain_id = x.chain_id and s.size = x.size)
   from audit.checkpoint x
  where x.chain_id = $1 and x.size >= $2
    and exists (select from audit.cosignature s where s.chain_id = x.chain_id and s.size = x.size)
  order by x.size desc limit 1)
union all
(select 2, x.size, x.sealed_at, x.signed
   from audit.checkpoint x where x.chain_id = $1 and x.size >= $2 order by x.size desc limit 1)
order by choice limit 1
