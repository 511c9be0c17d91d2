-- The changes of owner of units, oldest first, each with all its units.
-- name: Hops :many
select h.event, h.at, h.from_owner, h.to_owner, array_agg(h.item order by h.item)::bigint[] as items
  from custody.hop h
 where h.chain_id = @chain_id and h.item = any (@items::bigint[]) and h.from_owner <> '' and h.to_owner <> ''
 group by h.event, h.at, h.from_owner, h.to_owner
 order by h.at, h.event, h.from_owner, h.to_owner;
