-- Holds in force on some items by number.
select x.item, x.hold
  from unnest($2::bigint[]) as k (id)
 cross join lateral (select item, hold from custody.hold_item where chain_id = $1 and item = k.id offset 0) x
  join custody.hold h on h.chain_id = $1 and h.id = x.hold
 where h.released is null
