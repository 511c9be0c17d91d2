-- Holds in force on some items by number; each item looked up by itself.
select x.item, h.id
  from unnest($2::bigint[]) as k (item)
 cross join lateral (select * from custody.hold_item where chain_id = $1 and item = k.item offset 0) x
 cross join lateral (select * from custody.hold where chain_id = $1 and id = x.hold and released is null offset 0) h
