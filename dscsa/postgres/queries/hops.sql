-- The changes of owner of an item, in order.
select n, from_owner, to_owner, at, event from custody.hop where chain_id = $1 and item = $2 order by n
