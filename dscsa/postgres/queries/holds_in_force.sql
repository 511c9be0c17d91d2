-- The holds in force over some items: by number, and by their lot; each item
-- looked up by itself.
select x.item, h.id, h.class, h.gtin, h.lot, coalesce(h.document, 0), h.placed_at, h.placed_by, h.reason
  from unnest($2::bigint[]) as k (item)
 cross join lateral (select * from custody.hold_item where chain_id = $1 and item = k.item offset 0) x
 cross join lateral (select * from custody.hold where chain_id = $1 and id = x.hold and released is null offset 0) h
union all
select i.id, h.id, h.class, h.gtin, h.lot, coalesce(h.document, 0), h.placed_at, h.placed_by, h.reason
  from unnest($2::bigint[]) as k (item)
 cross join lateral (select * from custody.item where chain_id = $1 and id = k.item and gtin <> '' and lot <> '' offset 0) i
  join custody.hold h on h.chain_id = $1 and h.gtin = i.gtin and h.lot = i.lot
 where h.gtin <> '' and h.released is null
 order by 1, 2
