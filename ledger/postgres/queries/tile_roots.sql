-- name: TileRoots :many
select root from ledger.tile where book_id = @book_id and level = @level and index >= @first and index < @past order by index;
