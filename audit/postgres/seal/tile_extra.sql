-- Tiles that a tree of a size cannot have.
select count(*) from audit.tile where chain_id = $1 and index >= $2::bigint >> (8 * (level + 1))
