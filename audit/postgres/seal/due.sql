-- Chains of all tenants that have moved since their last checkpoint, or whose
-- last checkpoint a witness of $2 has not co-signed yet, or ($1) simply all;
-- those first that have waited longest.
select b.id, b.tenant_id, 'audit/' || b.tenant_id, b.seq, coalesce(c.size, 0), coalesce(c.signed, '')
  from audit.chain b
  left join lateral (select x.size, x.signed, x.sealed_at from audit.checkpoint x where x.chain_id = b.id order by x.size desc limit 1) c on true
 where b.seq > coalesce(c.size, 0)
    or $1::boolean
    or c.size is not null
       and (select count(*) from audit.cosignature s where s.chain_id = b.id and s.size = c.size and s.witness = any($2::text[]))
           < cardinality($2::text[])
 order by c.sealed_at nulls first, b.id
