-- The things an investigation's hold covers by number.
select i.key
  from custody.investigation v
  join custody.hold_item x on x.chain_id = v.chain_id and x.hold = v.hold
  join custody.item i on i.chain_id = v.chain_id and i.id = x.item
 where v.tenant_id = $1 and v.id = $2
 order by i.key
