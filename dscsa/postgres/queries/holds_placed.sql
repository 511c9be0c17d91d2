-- The holds that somebody placed on some of these items.
select h.id, h.placed_at, x.item
  from custody.hold_item x join custody.hold h on h.chain_id = $1 and h.id = x.hold
 where x.chain_id = $1 and x.item = any($2) and x.direct
