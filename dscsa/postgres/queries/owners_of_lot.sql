-- Everybody who has owned something of a lot.
select distinct o.gln
  from custody.item i
  join custody.hop h on h.chain_id = i.chain_id and h.item = i.id
 cross join lateral (values (h.from_owner), (h.to_owner)) as o (gln)
 where i.chain_id = $1 and i.gtin = $2 and i.lot = $3 and o.gln <> ''
union
select distinct i.owner from custody.item i where i.chain_id = $1 and i.gtin = $2 and i.lot = $3 and i.owner <> ''
 order by 1
