-- The things that something is in.
select distinct i.parent from custody.item i where i.chain_id = $1 and i.parent = any ($2)
