-- The holds in force over some items: by number, and by their lot.
select x.item, h.id, h.class, h.gtin, h.lot, coalesce(h.document, 0), h.placed_at, h.placed_by, h.reason
  from custody.hold_item x join custody.hold h on h.chain_id = $1 and h.id = x.hold
 where x.chain_id = $1 and x.item = any($2) and h.released is null
union all
select i.id, h.id, h.class, h.gtin, h.lot, coalesce(h.document, 0), h.placed_at, h.placed_by, h.reason
  from custody.item i join custody.hold h on h.chain_id = $1 and h.gtin = i.gtin and h.lot = i.lot
 where i.chain_id = $1 and i.id = any($2) and i.gtin <> '' and i.lot <> '' and h.gtin <> '' and h.released is null
 order by 1, 2
