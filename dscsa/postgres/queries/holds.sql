-- Holds, newest first, from before one; those in force alone when asked.
select id, class, gtin, lot, coalesce(document, 0), placed_at, placed_by, reason, coalesce(released_by, '')
  from custody.hold
 where chain_id = $1 and id < $2 and (not $3 or released is null)
 order by id desc
 limit $4
