-- Holds in force on some items by number.
select x.item, x.hold from custody.hold_item x join custody.hold h on h.chain_id = $1 and h.id = x.hold
 where x.chain_id = $1 and x.item = any($2) and h.released is null
