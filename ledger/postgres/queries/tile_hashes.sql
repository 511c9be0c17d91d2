-- name: TileHashes :one
select hashes from ledger.tile where book_id = @book_id and level = @level and index = @index;
