-- The packages of an investigation with what is known of them, and their
-- product.
select i.key, i.gtin, i.serial, i.lot, i.expiry, coalesce(p.name, ''), coalesce(p.strength, ''), coalesce(p.dosage_form, ''), coalesce(p.ndc, ''),
       coalesce(p.container_size, '')
  from custody.investigation v
 cross join lateral custody.packages_under(v.tenant_id, v.id, v.hold) u
  join custody.item i on i.chain_id = v.chain_id and i.id = u.item
  left join custody.product p on p.tenant_id = v.tenant_id and p.gtin = i.gtin
 where v.tenant_id = $1 and v.id = $2
 order by i.key
