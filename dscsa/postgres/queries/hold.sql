select id, class, gtin, lot, coalesce(document, 0), placed_at, placed_by, reason, coalesce(released_by, '')
  from custody.hold where chain_id = $1 and id = $2
