-- The packages of an investigation by product, lot and expiry, with what is
-- known of the product: how many, and the first $3 serial numbers of all.
with p as materialized (
  select i.key, i.gtin, i.serial, i.lot, i.expiry
    from custody.investigation v
   cross join lateral custody.packages_under(v.tenant_id, v.id, v.hold) u
   cross join lateral (select x.* from custody.item x where x.chain_id = v.chain_id and x.id = u.item offset 0) i
   where v.tenant_id = $1 and v.id = $2
), listed as (
  select l.gtin, l.lot, l.expiry, array_agg(l.serial order by l.key) as serials
    from (select * from p order by p.key limit $3) l
   group by l.gtin, l.lot, l.expiry
)
select g.lot, g.expiry, g.packages, coalesce(l.serials, '{}'), coalesce(q.name, ''), coalesce(q.strength, ''), coalesce(q.dosage_form, ''),
       coalesce(q.ndc, ''), coalesce(q.container_size, '')
  from (select p.gtin, p.lot, p.expiry, count(*) as packages from p group by p.gtin, p.lot, p.expiry) g
  left join listed l on l.gtin = g.gtin and l.lot = g.lot and l.expiry is not distinct from g.expiry
  left join custody.product q on q.tenant_id = $1 and q.gtin = g.gtin
 order by g.gtin, g.lot, g.expiry
