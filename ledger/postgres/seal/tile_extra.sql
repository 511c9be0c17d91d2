-- Tiles that a tree of a size cannot have.
select count(*) from ledger.tile where book_id = $1 and index >= $2::bigint >> (8 * (level + 1))
